/** What becomes of committed pages while other programs have the file open. */
import { spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { type DiskSystem, FILES, type FileDisk } from '../../src/journal/disk.ts'
import { PageWriter } from '../../src/journal/page-writer.ts'
import { ReaderGate } from '../../src/journal/reader-gate.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { useFolder } from '../temporary-folder.ts'
import { Hdf5Content } from './hdf5-content.ts'
import { arrived, continueRequest, openRequest, result, runRecord, storeOptions } from './open-request.ts'

const inFolder = useFolder()
const hasFlock = process.platform === 'linux' && existsSync('/usr/bin/flock')

/** Another program that has the file open, as libhdf5 does: with a shared lock, until it is ended. */
async function openElsewhere(file: string): Promise<() => Promise<void>> {
  const program = spawn('flock', ['-s', file, 'sh', '-c', 'echo open; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  await new Promise((resolve) => program.stdout.once('data', resolve))
  return async () => {
    program.stdin.end()
    await new Promise((resolve) => program.once('close', resolve))
  }
}

const ENDING = { config: [], isComplete: true }
const store = (run: number) => arrived(runRecord(run, [result(run, 'z', run)]))

describe.runIf(hasFlock)('while another program has the file open', () => {
  test('an end without the last pages does not wait for it', async () => {
    const file = inFolder('ended.h5')
    writeFileSync(file, 'pages')
    const close = await openElsewhere(file)
    const descriptor = openSync(file, 'r+')
    let written = 0
    const source = {
      pendingBytes: 1,
      writePages() {
        written += 1
      },
    }
    let opened: () => void = () => undefined
    const isOpen = new Promise<void>((resolve) => {
      opened = resolve
    })
    const openGate = async () => {
      const gate = await ReaderGate.open(descriptor)
      opened()
      return gate
    }
    const pages = new PageWriter(source, openGate, {
      restMs: 0,
      onWritten: () => undefined,
      onReopened: () => undefined,
      onError: () => undefined,
    })
    pages.wake()
    await isOpen
    await pages.end()
    closeSync(descriptor)
    await close()
    expect(written).toBe(0)
  }, 60_000)

  test('commits are durable, the bytes that it may read stay, and all comes into the file when it closes it', async () => {
    const file = inFolder('held.h5')
    const options = storeOptions({ pageRestMs: 0 })
    const trajectory = await TrajectoryStore.open(openRequest(file, { name: 'held' }), options)
    const close = await openElsewhere(file)
    const before = readFileSync(file)
    trajectory.storeRun(store(0))
    expect(trajectory.commit().stored).toEqual([0])
    trajectory.storeRun(store(1))
    trajectory.commit()
    expect(Buffer.compare(readFileSync(file).subarray(0, before.byteLength), before)).toBe(0)
    expect(readCnt(inFolder('held.cnt')).stored.toRanges()).toEqual([0, 2])
    trajectory.storeRun(store(2))
    trajectory.close(ENDING)
    const finishing = trajectory.finish()
    await close()
    expect(await finishing).toBeUndefined()
    using content = await Hdf5Content.open(file)
    expect(content.column('/held/overview/runs', 'completed')).toEqual([1, 1, 1])
  })

  test('the end does not wait for ever: the last pages stay in the .cnt file, and continuing brings them in', async () => {
    const file = inFolder('patient.h5')
    const options = storeOptions({ pageRestMs: 0 })
    const requested = openRequest(file, { name: 'patient', storage: { readerWaitMs: 50 } })
    const trajectory = await TrajectoryStore.open(requested, options)
    const close = await openElsewhere(file)
    for (const run of [0, 1, 2]) trajectory.storeRun(store(run))
    trajectory.close(ENDING)
    expect(await trajectory.finish()).toBe(inFolder('patient.cnt'))
    expect(options.notices).toEqual([
      expect.stringContaining('is open in another program; waiting up to 0.05 s'),
      expect.stringContaining('its last changes stay in'),
    ])
    expect(readCnt(inFolder('patient.cnt'))).toMatchObject({ isComplete: true, isApplied: false })
    await close()
    const recovering = storeOptions()
    const continued = await TrajectoryStore.continue(continueRequest(inFolder('patient.cnt')), recovering)
    expect(recovering.notices).toEqual([expect.stringContaining('was recovered from')])
    expect(continued.opened.stored).toEqual([0, 3])
    continued.close(ENDING)
    expect(await continued.finish()).toBeUndefined()
    using content = await Hdf5Content.open(file)
    expect(content.column('/patient/overview/runs', 'completed')).toEqual([1, 1, 1])
  })
})

test('an older copy in the place of the file is not gone on with', async () => {
  const file = inFolder('older.h5')
  const begun = await TrajectoryStore.open(openRequest(file, { name: 'older' }), storeOptions())
  begun.storeRun(store(0))
  begun.close({ config: [], isComplete: false })
  await begun.finish()
  copyFileSync(file, inFolder('copy.h5'))
  const cntFile = inFolder('older.cnt')
  const continued = await TrajectoryStore.continue(continueRequest(cntFile), storeOptions())
  continued.storeRun(store(1))
  continued.close({ config: [], isComplete: false })
  await continued.finish()
  copyFileSync(inFolder('copy.h5'), file)
  await expect(TrajectoryStore.continue(continueRequest(cntFile), storeOptions())).rejects.toMatchObject({
    code: 'PYPET_CNT_FILE_MISMATCH',
    message: expect.stringContaining('it holds 1 of 2 stored runs of older'),
  })
})

test.skipIf(process.platform === 'win32')(
  'a file that was removed is put back once, however many notice it',
  async () => {
    const file = inFolder('removed.h5')
    const trajectory = await TrajectoryStore.open(openRequest(file, { name: 'removed' }), storeOptions())
    trajectory.storeRun(store(0))
    trajectory.commit()
    rmSync(file)
    const error = { code: 'PYPET_FILE_MOVED', message: expect.stringContaining('was removed') }
    trajectory.storeRun(store(1))
    expect(() => trajectory.commit()).toThrow(expect.objectContaining(error))
    const back = readFileSync(file)
    trajectory.storeRun(store(2))
    expect(() => trajectory.commit()).toThrow(expect.objectContaining(error))
    expect(existsSync(`${file}.rescued`)).toBe(false)
    expect(Buffer.compare(readFileSync(file), back)).toBe(0)
    expect(() => trajectory.close(ENDING)).toThrow(expect.objectContaining(error))
  },
)

test('a file that is overwritten as its pages are written is told of, and written no further', async () => {
  const file = inFolder('overwritten.h5')
  let harm: () => void = () => undefined
  const harmed = new Promise<void>((resolve) => {
    harm = resolve
  })
  /** Another program writes to the beginning of the file after us. */
  const system: DiskSystem = {
    ...FILES,
    create(path) {
      const disk = FILES.create(path) as FileDisk
      const write = disk.write.bind(disk)
      disk.write = (bytes, offset) => {
        write(bytes, offset)
        if (!path.includes('.h5') || path.includes('.cnt') || !isArmed || offset > 0) return
        writeSync(disk.descriptor, new Uint8Array(96), 0, 96, 0)
        harm()
      }
      return disk
    },
  }
  let isArmed = false
  const options = { ...storeOptions({ pageRestMs: 0 }), system }
  const trajectory = await TrajectoryStore.open(openRequest(file, { name: 'overwritten' }), options)
  isArmed = true
  trajectory.storeRun(store(0))
  trajectory.commit()
  await harmed
  trajectory.storeRun(store(1))
  const error = { code: 'PYPET_FILE_MOVED', message: expect.stringContaining('was overwritten') }
  expect(() => trajectory.commit()).toThrow(expect.objectContaining(error))
  trajectory.drop()
})
