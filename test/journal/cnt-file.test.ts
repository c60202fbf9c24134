import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPypetError } from '../../src/errors.ts'
import { decodeRecord, encodeFileStart, encodeRecord, RECORDS_OFFSET } from '../../src/journal/cnt-format.ts'
import { CntJournal, returnedValues } from '../../src/journal/cnt-journal.ts'
import type { ExperimentRecord } from '../../src/journal/cnt-record.ts'
import { type CntState, readCnt } from '../../src/journal/cnt-state.ts'
import { FILES } from '../../src/journal/disk.ts'
import { findCnt, findCntFiles } from '../../src/journal/find-cnt.ts'
import { recoverFile } from '../../src/journal/recover.ts'
import { useFolder } from '../temporary-folder.ts'
import { contentAfter, factsOf, makeCnt } from './made-cnt.ts'

const inFolder = useFolder()
let count = 0

/** A fresh file and its `.cnt` file, with so many commits. */
function made(commitCount: number) {
  count += 1
  const file = inFolder(`file-${count}.h5`)
  const cntFile = inFolder(`made-${count}.cnt`)
  return { file, cntFile, journal: makeCnt(file, cntFile, commitCount) }
}

/** What matters of a state, without where it was read. */
function wordsOf({
  stored,
  failed,
  memory,
  startTimestamp,
  lastSequence,
  fileBytes,
  superblock,
  pages,
}: CntState) {
  return {
    stored: stored.toRanges(),
    failed: [...failed.values()],
    memory,
    startTimestamp,
    lastSequence,
    fileBytes,
    superblock,
    pages: pages.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString('base64')]),
  }
}

describe('a .cnt file', () => {
  test('says what was committed, and holds the newest image of each page', () => {
    const { cntFile, file } = made(4)
    const state = readCnt(cntFile)
    expect(state.experiment.request.file).toBe(file)
    expect(state.stored.toRanges()).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
    expect([...state.failed.keys()]).toEqual([7])
    expect(state.memory).toEqual({
      added: { groups: ['/group 1', '/group 2', '/group 3', '/group 4'] },
      values: { rows: 4 },
    })
    expect(state).toMatchObject({
      lastSequence: 4,
      isApplied: false,
      isComplete: false,
      startTimestamp: 1.7e9,
    })
    expect([...returnedValues(cntFile, FILES)].map(([run, bytes]) => [run, bytes[0]])).toEqual([
      [2, 1],
      [4, 2],
      [6, 3],
      [8, 4],
    ])
  })

  test('recovers its file, once', () => {
    const { cntFile, file } = made(3)
    recoverFile(readCnt(cntFile))
    expect(Buffer.compare(readFileSync(file), contentAfter(3))).toBe(0)
    // Another trajectory has written the file since.
    writeFileSync(file, 'what others have made of it')
    recoverFile(readCnt(cntFile))
    expect(readFileSync(file, 'utf8')).toBe('what others have made of it')
  })

  test('needs only the pages of commits that are not known to be in the file', () => {
    const { cntFile, journal, file } = made(2)
    journal.noteApplied(2)
    journal.append(factsOf(3, { pages: [] }))
    expect(readCnt(cntFile).pages).toEqual([])
    const mixed = Buffer.from(contentAfter(3))
    mixed.set(contentAfter(2))
    writeFileSync(file, mixed)
    expect(readCnt(cntFile).knownSuperblocks).toEqual([factsOf(2).superblock, factsOf(3).superblock])
  })

  test('is another file’s when its own is missing or was replaced: that is refused, and nothing is touched', () => {
    const { cntFile, file } = made(2)
    writeFileSync(file, new Uint8Array(20_000).fill(9))
    expect(() => recoverFile(readCnt(cntFile))).toThrow(
      /does not match .*: another program has written to it since/,
    )
    expect(readFileSync(file).every((byte) => byte === 9)).toBe(true)
    truncateSync(file, 100)
    expect(() => recoverFile(readCnt(cntFile))).toThrow(/it has 100 of \d+ committed bytes/)
    FILES.remove(file)
    expect(() => recoverFile(readCnt(cntFile))).toThrow(/it is missing/)
  })

  test('goes on behind a commit that was never finished', () => {
    const { cntFile, journal } = made(2)
    journal.close()
    appendFileSync(cntFile, Buffer.concat([Buffer.from('REC1'), Buffer.alloc(200, 7)]))
    const state = readCnt(cntFile)
    expect(state.lastSequence).toBe(2)
    const resumed = CntJournal.resume(FILES, state)
    expect(resumed.append(factsOf(3))).toBe(3)
    resumed.close()
    expect(readCnt(cntFile).lastSequence).toBe(3)
  })

  test('says the same after it was compacted, in fewer bytes, and goes on', () => {
    const { cntFile, journal } = made(9)
    const { pages: _, ...before } = wordsOf(readCnt(cntFile))
    const returned = returnedValues(cntFile, FILES)
    const size = journal.bytes
    journal.compact()
    expect(journal.bytes).toBeLessThan(size / 5)
    expect(wordsOf(readCnt(cntFile))).toEqual({ ...before, pages: [] })
    expect(returnedValues(cntFile, FILES)).toEqual(returned)
    expect(journal.append(factsOf(10))).toBe(10)
    expect(readCnt(cntFile)).toMatchObject({ lastSequence: 10 })
    journal.close()
  })

  test('of 100,000 runs stays small, whatever the number of commits', () => {
    const { journal } = made(0)
    const page = new Uint8Array(4096)
    for (let commit = 0; commit < 1000; commit += 1) {
      const pages = [0, 4096, 8192].map((offset) => ({ offset, bytes: page }))
      const first = 100 * commit
      journal.append(
        factsOf(1, {
          fileBytes: 1000 * (first + 100),
          stored: [first, first + 100],
          failed: [],
          returned: [],
          memory: { added: {}, values: {} },
          pages,
        }),
      )
      if (journal.isLarge(1_048_576)) journal.compact()
      expect(journal.bytes).toBeLessThan(64 * (first + 100) + 1_400_000)
    }
    expect(readCnt(journal.path).stored.toRanges()).toEqual([0, 100_000])
    journal.close()
  })

  test('never names an HDF5 file outside of its folder, whoever has written it', () => {
    const { cntFile } = made(0)
    const elsewhere = inFolder('elsewhere.cnt')
    const whole = readFileSync(cntFile)
    const record = decodeRecord(whole.subarray(RECORDS_OFFSET)) as ExperimentRecord
    const request = { ...record.request, file: '../../etc/other.h5' }
    writeFileSync(elsewhere, Buffer.concat([encodeFileStart(), encodeRecord({ ...record, request })]))
    expect(() => readCnt(elsewhere)).toThrow(
      /is damaged: in the record at byte 80, request.file: expected the name of a file in the same folder, found "..\/..\/etc\/other.h5"/,
    )
    FILES.remove(elsewhere)
  })

  test('is not created in the place of another', () => {
    const { cntFile } = made(1)
    expect(() => makeCnt(inFolder('other.h5'), cntFile, 0)).toThrow(/already exists/)
  })

  test('of a newer version is refused with a word that says so', () => {
    const { cntFile } = made(1)
    const bytes = readFileSync(cntFile)
    bytes.writeUInt32LE(2, 8)
    writeFileSync(cntFile, bytes)
    expect(() => readCnt(cntFile)).toThrow(/was written by a newer pypet-ts/)
    // Whose it is cannot be known, so nothing is written to any file in its folder.
    expect(() => findCntFiles(inFolder('any.h5'))).toThrow(/was written by a newer pypet-ts/)
    FILES.remove(cntFile)
  })

  test('is found by its HDF5 file, also in a folder that has others', () => {
    const { cntFile, file } = made(1)
    made(1)
    writeFileSync(inFolder('text.cnt'), 'something else')
    expect(findCntFiles(file)).toEqual([cntFile])
    expect(findCnt(file)).toBe(cntFile)
    expect(() => findCnt(inFolder('none.h5'))).toThrow(/no .cnt file next to it/)
  })
})

describe('damage of a .cnt file', () => {
  const COMMITS = 5
  const REFUSALS = ['PYPET_CNT_DAMAGED', 'PYPET_CNT_NOT_CNT', 'PYPET_CNT_NEWER'] as const

  /** The state that is read, or undefined when it is refused in a way that says so. */
  function readOrRefuse(path: string): ReturnType<typeof wordsOf> | undefined {
    try {
      return wordsOf(readCnt(path))
    } catch (error) {
      if (REFUSALS.some((code) => isPypetError(error, code))) return undefined
      throw error
    }
  }

  test('flipped bits, wherever they are, are refused or change nothing', () => {
    const { cntFile } = made(COMMITS)
    const whole = readFileSync(cntFile)
    const expected = wordsOf(readCnt(cntFile))
    const flipped = inFolder('flipped.cnt')
    fc.assert(
      fc.property(fc.nat(whole.byteLength - 1), fc.nat(7), (at, bit) => {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] as number) ^ (1 << bit)
        writeFileSync(flipped, bytes)
        const found = readOrRefuse(flipped)
        if (found !== undefined) expect(found).toEqual(expected)
      }),
      { numRuns: 1500 },
    )
    // Each byte of the header and of the first record's beginning, where a random choice rarely falls.
    for (let at = 0; at < 200; at += 1) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] as number) ^ 0x10
      writeFileSync(flipped, bytes)
      const found = readOrRefuse(flipped)
      if (found !== undefined) expect(found).toEqual(expected)
    }
  })

  test('a file that was cut short is refused, wherever it was cut', () => {
    const { cntFile } = made(COMMITS)
    const { byteLength } = readFileSync(cntFile)
    const cut = inFolder('cut.cnt')
    fc.assert(
      fc.property(fc.nat(byteLength - 1), (size) => {
        copyFileSync(cntFile, cut)
        truncateSync(cut, size)
        expect(readOrRefuse(cut)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  test('sizes that nobody could have are refused without asking for memory', () => {
    const { cntFile } = made(1)
    const bytes = readFileSync(cntFile)
    bytes.writeUInt32LE(0xffffffff, 84)
    bytes.writeDoubleLE(2 ** 52, 88)
    writeFileSync(cntFile, bytes)
    expect(readOrRefuse(cntFile)).toBeUndefined()
  })
})
