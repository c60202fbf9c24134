/** A file that loses its name or content between its two openings: by descriptor for the journal's pages, and by name for HDF5. */
import { existsSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Hdf5File } from '../../src/hdf5/file.ts'
import { superblockOf } from '../../src/journal/cnt-format.ts'
import { CntJournal } from '../../src/journal/cnt-journal.ts'
import { type Disk, FILES } from '../../src/journal/disk.ts'
import { headOf } from '../../src/journal/displaced.ts'
import { Hdf5Transaction } from '../../src/journal/transaction.ts'
import { useFolder } from '../temporary-folder.ts'
import { openRequest } from './open-request.ts'

const inFolder = useFolder()

async function beginAfter(file: string, isTurn: boolean, happens: () => void): Promise<unknown> {
  await Hdf5File.write(file, 'create', () => undefined)
  const disk = FILES.open(file, 'write')
  const head = headOf(disk.descriptor as number)
  const fileBytes = disk.size()
  happens()
  return await Hdf5Transaction.begin({
    path: file,
    isNewFile: false,
    isTurn,
    disk,
    left: { fileBytes, protectedBytes: fileBytes, pages: [] },
    head,
    storage: { readerWaitMs: 0, cntCompactBytes: 0 },
    onNotice: () => undefined,
    onError: () => undefined,
    openJournal: () => {
      throw new Error('the file was opened')
    },
  }).catch((error: unknown) => error)
}

describe('a file that loses its name or content while it is being opened', () => {
  test('is moved, and says where to: not that it cannot be written', async () => {
    const file = inFolder('moved.h5')
    const away = inFolder('away.h5')
    expect(await beginAfter(file, false, () => renameSync(file, away))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      message: expect.stringContaining(`moved to ${away}`),
    })
  })

  test('is told of in a turn without putting it back, because the opening does that', async () => {
    const file = inFolder('turn.h5')
    expect(await beginAfter(file, true, () => rmSync(file))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      hint: 'Move it back.',
    })
    expect(existsSync(file)).toBe(false)
  })

  test('is put back where it was removed', async () => {
    const file = inFolder('removed.h5')
    expect(await beginAfter(file, false, () => rmSync(file))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      hint: 'It was restored from the open file.',
    })
    expect(existsSync(file)).toBe(true)
  })

  test('is not written where another file has its name by then', async () => {
    const file = inFolder('replaced.h5')
    const replace = () => {
      rmSync(file)
      writeFileSync(file, 'not HDF5')
    }
    expect(await beginAfter(file, true, replace)).toMatchObject({ code: 'PYPET_FILE_MOVED' })
  })

  test.each([
    ['overwritten', (file: string) => writeFileSync(file, new Uint8Array(1_000_000), { flag: 'r+' })],
    ['truncated', (file: string) => truncateSync(file, 10)],
  ])('is %s, and is not said to be unwritable', async (what, harm) => {
    const file = inFolder(`${what}.h5`)
    expect(await beginAfter(file, true, () => harm(file))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      message: expect.stringContaining(`was ${what}`),
    })
  })
})

const FACTS = {
  stored: [],
  failed: [],
  reopened: [],
  memory: { added: {}, values: {} },
  isComplete: false,
  returned: [],
} as const

test('a commit without pages, made while pages are being written, does not prevent a short .cnt file', async () => {
  const file = inFolder('short.h5')
  const cntFile = inFolder('short.cnt')
  await Hdf5File.write(file, 'create', (hdf5) => hdf5.apply([{ type: 'create-group', path: '/before' }]))
  const disk = FILES.open(file, 'write')
  const head = new Uint8Array(96)
  disk.read(head, 0)
  let isWritten = false
  const watched: Disk = {
    ...(disk.descriptor !== undefined && { descriptor: disk.descriptor }),
    size: () => disk.size(),
    read: (target, position) => disk.read(target, position),
    truncate: (size) => disk.truncate(size),
    sync: () => disk.sync(),
    close: () => disk.close(),
    write(source, position) {
      disk.write(source, position)
      isWritten ||= position === 0
    },
  }
  const transaction = await Hdf5Transaction.begin({
    path: file,
    isNewFile: false,
    disk: watched,
    storage: { readerWaitMs: 0, cntCompactBytes: 0 },
    pageRestMs: 0,
    onNotice: () => undefined,
    onError: (error) => expect.unreachable(error.message),
    openJournal: () =>
      CntJournal.create(FILES, cntFile, {
        type: 'experiment',
        request: openRequest(file),
        baseBytes: disk.size(),
        baseSuperblock: superblockOf(head),
      }),
  })
  transaction.file.apply([{ type: 'create-group', path: '/added' }])
  transaction.commit(FACTS)
  while (!isWritten) await nextTurn()
  // The pages are in the file. The gate for readers is still being opened.
  const longer = statSync(cntFile).size
  transaction.commit(FACTS)
  while (statSync(cntFile).size > longer) await nextTurn()
  transaction.close(FACTS)
  await transaction.finish(true)
})
