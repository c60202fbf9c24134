/**
 * A file that is replaced (`--overwrite`), killed after each operation on the disk, and after power cuts: the old file is
 * whole, or the new one, and each can be continued.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { settleExperiment } from '../../src/environment/settle.ts'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { cntFilesBeside } from '../../src/journal/find-cnt.ts'
import { missingRuns } from '../../src/journal/run-set.ts'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import {
  arrived,
  continueRequest,
  openRequest,
  result,
  runRecord,
  storeOptions,
} from '../storage/open-request.ts'
import { useFolder } from '../temporary-folder.ts'
import { isLongForm, randomFrom, seedOf } from './long-form.ts'
import {
  afterKill,
  afterPowerCut,
  type DiskOperation,
  type Files,
  RecordingDisks,
} from './recording-disks.ts'

const inFolder = useFolder()
const POWER_CUTS = isLongForm ? 1000 : 40
const RUN_COUNT = 3

const OLD = { name: 'before', hexsha: '1111111111111111' }
/** The new one is told from an old one of the same name by a parameter. */
const NEW = { overwrite: true, hexsha: '2222222222222222', parameters: { y: 1 } }
const store = (run: number) => arrived(runRecord(run, [result(run, 'z', 10 * run)]))

interface Recording {
  readonly operations: readonly DiskOperation[]
  /** So many operations had made the old file, with one run stored. */
  readonly oldCount: number
  /** So many had announced that the new one is open. */
  readonly openedCount: number
  readonly newName: string
}

/** One run of the old trajectory is stored; then the file is replaced by one with one run, and both are left so. */
async function record(folder: string, newName: string): Promise<Recording> {
  mkdirSync(inFolder(folder))
  const file = join(inFolder(folder), 'file.h5')
  const disks = new RecordingDisks()
  const options = () => storeOptions({ system: disks, pageRestMs: 60_000 })
  const old = await TrajectoryStore.open(openRequest(file, OLD), options())
  old.storeRun(store(0))
  old.commit()
  old.close({ config: [], isComplete: false })
  const oldCount = disks.operations.length
  // As a kill leaves it: its last pages are in the .cnt file only, and its lock is nobody's.
  old.lock?.release()
  const replaced = await TrajectoryStore.open(openRequest(file, { ...NEW, name: newName }), options())
  const openedCount = disks.operations.length
  replaced.storeRun(store(0))
  replaced.commit()
  replaced.close({ config: [], isComplete: false })
  replaced.lock?.release()
  return { operations: disks.operations, oldCount, openedCount, newName }
}

function putFiles(files: Files): void {
  rmSync(inFolder('killed'), { recursive: true, force: true })
  mkdirSync(inFolder('killed'))
  for (const [name, bytes] of files) writeFileSync(join(inFolder('killed'), name), bytes)
}

/** What the file holds is one of the two, whole; each experiment that was begun there is continued to its end. */
async function expectOneWhole(recording: Recording, files: Files, where: string): Promise<boolean> {
  putFiles(files)
  const file = join(inFolder('killed'), 'file.h5')
  const copy = inFolder('copy.h5')
  takeSnapshot(file, copy, { overwrite: true })
  const held = await heldIn(copy)
  expect(held.names, where).toEqual([held.isNew ? recording.newName : OLD.name])
  const begun = cntFilesBeside(file).filter(({ isSuperseded }) => !isSuperseded)
  expect(begun.length, where).toBeGreaterThan(0)
  for (const { path, whereabouts } of begun) {
    putFiles(files)
    await goOn(path)
    const isNew = whereabouts.at === 'place' ? held.isNew : true
    const names = [isNew ? recording.newName : OLD.name]
    expect(await heldIn(file), where).toEqual({ names, completed: [1, 1, 1], isNew })
    expect(readdirSync(inFolder('killed')), where).toEqual(['file.h5'])
  }
  return held.isNew
}

async function goOn(cntFile: string): Promise<void> {
  const going = await TrajectoryStore.continue(continueRequest(cntFile), storeOptions())
  for (const run of missingRuns(RUN_COUNT, going.opened.stored)) going.storeRun(store(run))
  going.close({ config: [], isComplete: true })
  expect(await going.finish()).toBeUndefined()
}

async function heldIn(file: string) {
  using content = await Hdf5Content.open(file)
  const names = content.names('/')
  return {
    names,
    completed: content.column(`/${names[0]}/overview/runs`, 'completed'),
    isNew: content.names(`/${names[0]}/parameters`).includes('y'),
  }
}

describe.each(['after', 'before'])(
  'a file with an unfinished trajectory, replaced by one of %s',
  (newName) => {
    let recording: Recording
    beforeAll(async () => {
      recording = await record(`recorded-${newName}`, newName)
    })

    test('is the old one or the new one after a kill at any operation, and goes on', async () => {
      const { operations, oldCount, openedCount } = recording
      const areNew: boolean[] = []
      for (let count = oldCount; count <= operations.length; count += 1) {
        const where = `killed after ${count - oldCount} of ${operations.length - oldCount} operations`
        const isNew = await expectOneWhole(recording, afterKill(operations.slice(0, count)), where)
        areNew.push(isNew)
        if (count >= openedCount) expect(isNew, where).toBe(true)
      }
      expect(new Set(areNew)).toEqual(new Set([false, true]))
      // Once it is the new one, it stays so.
      expect(areNew.lastIndexOf(false)).toBeLessThan(areNew.indexOf(true))
    }, 600_000)

    test('is the old one or the new one after a power cut, whatever was lost or torn', async () => {
      const { operations, oldCount, openedCount } = recording
      const seed = seedOf()
      const random = randomFrom(seed)
      for (let cut = 0; cut < POWER_CUTS; cut += 1) {
        const count = oldCount + Math.floor(random() * (operations.length - oldCount + 1))
        const where = `power cut ${cut} after ${count} of ${operations.length} operations (seed ${seed})`
        const files = afterPowerCut(operations.slice(0, count), random)
        const isNew = await expectOneWhole(recording, files, where)
        if (count >= openedCount) expect(isNew, where).toBe(true)
      }
    }, 600_000)

    test('is whole after whatever comes next at any of these moments, also when what was begun is removed', async () => {
      const { operations, oldCount } = recording
      const file = join(inFolder('killed'), 'file.h5')
      for (let count = oldCount; count <= operations.length; count += isLongForm ? 1 : 3) {
        const where = `killed after ${count - oldCount} of ${operations.length - oldCount} operations`
        for (const isRemoved of [false, true]) {
          putFiles(afterKill(operations.slice(0, count)))
          for (const { path, whereabouts } of cntFilesBeside(file)) {
            if (whereabouts.at !== 'pending' || !isRemoved) continue
            // Of one that was committed, the inode of the old file tells, which is another one here.
            if (readCnt(path).lastSequence === 0) rmSync(whereabouts.path)
          }
          for (const { path } of cntFilesBeside(file)) {
            // The one before may have completed its replacement.
            const now = cntFilesBeside(file).find((each) => each.path === path)
            if (now?.isSuperseded === false)
              await settleExperiment(readCnt(path), { breakLock: false, keepCnt: false })
          }
          const other = await TrajectoryStore.open(
            openRequest(file, { name: 'other', hexsha: '3333333333333333' }),
            storeOptions(),
          )
          for (let run = 0; run < RUN_COUNT; run += 1) other.storeRun(store(run))
          other.close({ config: [], isComplete: true })
          await other.finish()
          using content = await Hdf5Content.open(file)
          expect(content.names('/'), where).toHaveLength(2)
          const name = content.names('/').find((each) => each !== 'other')
          const isNew = content.names(`/${name}/parameters`).includes('y')
          const completed = content.column(`/${name}/overview/runs`, 'completed')
          if (!isNew) expect(completed, where).toEqual([1, 0, 0])
          expect(content.column('/other/overview/runs', 'completed'), where).toEqual([1, 1, 1])
        }
      }
    }, 600_000)
  },
)
