/** Reading files that are not finished: written at this moment, or left by a crash. */
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { PypetError } from '../../src/errors.ts'
import { loadH5wasm } from '../../src/hdf5/h5wasm.ts'
import type { FailedRun } from '../../src/journal/cnt-record.ts'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { ReaderGate } from '../../src/journal/reader-gate.ts'
import { readHdf5, whileUnchanged } from '../../src/reading/read-hdf5.ts'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { addGroup } from '../results/trajectory-file.ts'
import { UnfinishedFile } from '../storage/unfinished-file.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const hasFlock = spawnSync('flock', ['--version']).status === 0

let fileCount = 0
let path = ''

beforeEach(() => {
  // A folder each, as the `.cnt` files are looked for there.
  fileCount += 1
  path = inFolder(`${fileCount}/file.h5`)
  mkdirSync(dirname(path))
})

/** A file with the group `/base`, and the journal of the trajectory `made`. */
async function unfinished(): Promise<UnfinishedFile> {
  const file = await UnfinishedFile.create(path, 'made', (root) => addGroup(root, '/base'))
  onTestFinished(() => file.close())
  return file
}

function names(): Promise<string[]> {
  return readHdf5(path, (reader) => reader.children('/'))
}

/** The bytes and the time of all files in the folder. */
function traces(file: UnfinishedFile) {
  return [file.path, file.journal.path].map((name) => {
    const { size, mtimeMs } = statSync(name)
    return { size, mtimeMs, hex: readFileSync(name).toString('base64') }
  })
}

/** The writer commits, and writes pages though a reader is there, as without locks. */
function overtake(file: UnfinishedFile): void {
  overtakeCount += 1
  file.commit((root) => addGroup(root, `/later_${overtakeCount}`))
  file.writePages()
}

let overtakeCount = 0

function failed(run: number): FailedRun {
  const error = { name: 'TypeError', message: 'broken' }
  return { run, error, attempts: 1, startTimestamp: 1.7e9, finishTimestamp: 1.7e9 }
}

describe('an unfinished file', () => {
  test('shows the last commit, though its pages are not in the file, and is left untouched', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    file.commit((root) => addGroup(root, '/second'), { stored: [0, 2], failed: [failed(2)] })
    const before = traces(file)
    const seen = await readHdf5(path, (reader) => ({
      names: reader.children('/'),
      fileBytes: reader.fileBytes,
      unfinished: reader.unfinished,
      notes: reader.notes,
    }))
    expect(seen).toEqual({
      names: ['base', 'first', 'second'],
      fileBytes: file.committed.byteLength,
      unfinished: [{ trajectory: 'made', cntFile: file.journal.path, stored: 2, failed: 1 }],
      notes: [],
    })
    expect(traces(file)).toEqual(before)
  })

  test('shows it at any moment of bringing the pages into the file', async () => {
    const file = await unfinished()
    file.commit((root) => {
      for (let index = 0; index < 60; index += 1) addGroup(root, `/many_${index}`)
    })
    file.commit((root) => {
      for (let index = 0; index < 60; index += 1) addGroup(root, `/many_${index}/more`)
    })
    for (let moment = 0; moment < 6; moment += 1) {
      expect(await readHdf5(path, (reader) => reader.children('/many_59'))).toEqual(['more'])
      expect(await names()).toHaveLength(61)
      file.writePages(1)
    }
  })

  test('does not show what was never committed', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    appendFileSync(path, Buffer.alloc(10_000, 3))
    expect(await names()).toEqual(['base', 'first'])
    expect(await readHdf5(path, (reader) => reader.fileBytes)).toBe(file.committed.byteLength)
  })

  test('that has committed nothing shows what was there before', async () => {
    await unfinished()
    appendFileSync(path, Buffer.alloc(10_000, 3))
    expect(await names()).toEqual(['base'])
  })

  test('that holds nothing at all says so', async () => {
    writeFileSync(path, '')
    const file = UnfinishedFile.follow(path, 'made')
    onTestFinished(() => file.close())
    await expect(names()).rejects.toMatchObject({
      code: 'PYPET_FILE_NOT_HDF5',
      message: expect.stringContaining('nothing is stored in it yet'),
      hint: expect.stringContaining('pypet-ts continue'),
    })
  })

  test('is also found by a relative path', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    const directory = process.cwd()
    onTestFinished(() => process.chdir(directory))
    process.chdir(dirname(path))
    expect(await readHdf5('file.h5', (reader) => reader.children('/'))).toEqual(['base', 'first'])
  })

  test('tells of each unfinished trajectory in it, and of no other file', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'), { stored: [0, 1] })
    file.writePages()
    file.journal.appendApplied()
    const other = UnfinishedFile.follow(path, 'other')
    onTestFinished(() => other.close())
    other.commit((root) => addGroup(root, '/second'), { stored: [0, 5] })
    const neighbour = await UnfinishedFile.create(path.replace('file.h5', 'neighbour.h5'), 'third', () => {})
    onTestFinished(() => neighbour.close())
    expect(await names()).toEqual(['base', 'first', 'second'])
    const found = await readHdf5(path, (reader) => reader.unfinished)
    expect(found.map(({ trajectory, stored }) => [trajectory, stored])).toEqual(
      expect.arrayContaining([
        ['made', 1],
        ['other', 5],
      ]),
    )
    expect(found).toHaveLength(2)
  })

  test('with a damaged .cnt file is shown as it lies on the disk, with a note', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    file.commit((root) => addGroup(root, '/second'))
    file.writePages()
    const bytes = readFileSync(file.journal.path)
    const middle = Math.floor(bytes.byteLength / 2)
    bytes[middle] = (bytes[middle] as number) ^ 1
    writeFileSync(file.journal.path, bytes)
    const seen = await readHdf5(path, (reader) => ({ names: reader.children('/'), notes: reader.notes }))
    expect(seen.names).toEqual(['base', 'first', 'second'])
    expect(seen.notes).toEqual([expect.stringContaining(file.journal.path)])
  })
})

describe('while a writer is at work', () => {
  test('two readers at once see the same, whichever is closed first', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    const [first, second] = await Promise.all([openHdf5Reader(path), openHdf5Reader(path)])
    first.close()
    expect(second.children('/')).toEqual(['base', 'first'])
    second.close()
    expect(await names()).toEqual(['base', 'first'])
  })

  test('more commits change nothing for a reader that is there, and a later one sees them', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    using reader = await openHdf5Reader(path)
    file.commit((root) => addGroup(root, '/second'))
    expect(reader.children('/')).toEqual(['base', 'first'])
    expect(await names()).toEqual(['base', 'first', 'second'])
    expect(reader.children('/')).toEqual(['base', 'first'])
  })

  test.skipIf(!hasFlock)('a reader keeps the pages out of the file until it is closed', async () => {
    await unfinished()
    const descriptor = openSync(path, 'r+')
    onTestFinished(() => closeSync(descriptor))
    await using gate = await ReaderGate.open(descriptor)
    const reader = await openHdf5Reader(path)
    expect(await gate.tryClose()).toBe(false)
    reader.close()
    expect(await gate.tryClose()).toBe(true)
  })
})

describe('where locks do not work', () => {
  beforeEach(() => {
    vi.stubEnv('PATH', inFolder('no-programs'))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('a reader that is overtaken reads again, and sees the later commit', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    file.commit((root) => {
      addGroup(root, '/second')
      addGroup(root, '/second/inner')
    })
    let attemptCount = 0
    const seen = await readHdf5(path, (reader) => {
      attemptCount += 1
      if (attemptCount === 1) overtake(file)
      return [...reader.children('/second'), ...reader.children('/')]
    })
    expect(seen).toEqual(['inner', 'base', 'first', `later_${overtakeCount}`, 'second'])
    expect(attemptCount).toBe(2)
  })

  test('what was read before the writer went on counts', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    let attemptCount = 0
    const seen = await readHdf5(path, (reader) => {
      attemptCount += 1
      const found = reader.children('/')
      overtake(file)
      return found
    })
    expect(seen).toEqual(['base', 'first'])
    expect(attemptCount).toBe(1)
  })

  test('a reader that is overtaken each time gives up, and names the snapshot', async () => {
    const file = await unfinished()
    file.commit((root) => addGroup(root, '/first'))
    const reading = readHdf5(path, (reader) => {
      overtake(file)
      return reader.children('/first')
    })
    await expect(reading).rejects.toMatchObject({
      code: 'PYPET_FILE_CHANGING',
      hint: expect.stringContaining('pypet-ts snapshot'),
    })
  })

  test('a writer that comes while a finished file is read makes the reader look again', async () => {
    const settled = await UnfinishedFile.create(path, 'made', (root) => addGroup(root, '/base'))
    settled.journal.remove()
    let attemptCount = 0
    const seen = await readHdf5(path, (reader) => {
      attemptCount += 1
      if (attemptCount === 1) {
        const file = UnfinishedFile.follow(path, 'made')
        onTestFinished(() => file.close())
      }
      return reader.children('/')
    })
    expect(seen).toEqual(['base'])
    expect(attemptCount).toBe(2)
  })
})

describe.skipIf(!hasFlock || !existsSync('/proc/self/fd'))(
  'a file that is replaced while it is opened',
  () => {
    /** A file of another experiment, with its journal, that comes into the place at once. */
    async function replacement(): Promise<() => void> {
      const next = await UnfinishedFile.create(path, 'made', (root) => {
        for (let count = 0; count < 40; count += 1) addGroup(root, `/new_${count}`)
      })
      next.commit((root) => addGroup(root, '/newest'))
      next.close()
      renameSync(path, `${path}.next`)
      renameSync(next.journal.path, `${next.journal.path}.next`)
      return () => {
        renameSync(`${path}.next`, path)
        renameSync(`${next.journal.path}.next`, next.journal.path)
      }
    }

    function isOpen(): boolean {
      return readdirSync('/proc/self/fd').some((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`) === realpathSync(path)
        } catch {
          return false // Closed by now.
        }
      })
    }

    test('is read as the new one, and its pages are not laid over the old one', async () => {
      await loadH5wasm()
      const replace = await replacement()
      const file = await unfinished()
      file.commit((root) => addGroup(root, '/old'))
      const lock = acquireLock(path, { trajectory: 'made', breakLock: false })
      onTestFinished(lock.release)
      lock.noteWaiting(true)
      const opening = openHdf5Reader(path)
      // The first bytes are looked at before, and that file is closed at once.
      await delay(100)
      expect(isOpen()).toBe(true)
      replace()
      lock.noteWaiting(false)
      using reader = await opening
      const found = reader.children('/')
      expect(found).toHaveLength(41)
      for (const name of found) expect(reader.children(`/${name}`)).toEqual([])
    })
  },
)

test('what opens a file by itself is called again while the file changes, and any other error is told at once', async () => {
  let calls = 0
  const read = async () => {
    calls += 1
    if (calls < 4) throw new PypetError('PYPET_FILE_CHANGING', 'it was overwritten', { hint: 'Try again.' })
    return 'read'
  }
  expect(await whileUnchanged(read)).toBe('read')
  expect(calls).toBe(4)
  const broken = () => Promise.reject(new RangeError('for another reason'))
  await expect(whileUnchanged(broken)).rejects.toThrow('for another reason')
  const always = () =>
    Promise.reject(new PypetError('PYPET_FILE_CHANGING', 'it was overwritten', { hint: 'Try again.' }))
  await expect(whileUnchanged(always)).rejects.toMatchObject({ code: 'PYPET_FILE_CHANGING' })
})
