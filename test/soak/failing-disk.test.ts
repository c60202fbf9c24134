/**
 * A disk that fails, at every operation of an experiment: once, or from then on. The experiment has a run that fails, grows by
 * points, and shares its file with another one that waits to go on. What was announced is in what is left, and on a disk
 * that works again both are completed.
 *
 * `npm run test:soak` lets each operation fail; `npm test` a sample.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { zip } from '../../src/exploration/cartesian.ts'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from '../../src/journal/disk.ts'
import { recoverFile } from '../../src/journal/recover.ts'
import { missingRuns } from '../../src/journal/run-set.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { contentOf, differences } from '../crash/file-content.ts'
import { isLongForm, randomFrom, seedOf } from '../crash/long-form.ts'
import { afterKill, RecordingDisks } from '../crash/recording-disks.ts'
import { goOn as goOnWith, perform as performScript, type Script, scalarOf } from '../crash/script.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import {
  arrived,
  continueRequest,
  failure,
  openRequest,
  result,
  runRecord,
  storeOptions,
} from '../storage/open-request.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const isLong = isLongForm || process.env.PYPET_SOAK_ROUNDS !== undefined
const SAMPLES = isLong ? Number.POSITIVE_INFINITY : 6

/** The other experiment of the file: it was killed half way. */
const OTHER: Script = { name: 'other', runCount: 8, groupSize: 2, failing: -1 }
const FIRST_COUNT = 10
const ADDED_COUNT = 5
const FAILING: ReadonlySet<number> = new Set([4, 12])
const GROUP_SIZE = 2
const ENDING = {
  config: flattenParameters({ environment: { runtime: 1.5 } }, 'config'),
  isComplete: true,
}
const xOf = (run: number) => run * 0.5

/** Real files, of which an operation fails: half of what it would write is written. */
class FailingDisks implements DiskSystem {
  operationCount = 0
  readonly #failingAt: number
  readonly #isForEver: boolean
  readonly #code: 'EIO' | 'ENOSPC'

  constructor(failingAt: number, isForEver: boolean, code: 'EIO' | 'ENOSPC') {
    this.#failingAt = failingAt
    this.#isForEver = isForEver
    this.#code = code
  }

  open(path: string, access: 'read' | 'write'): Disk {
    return this.#watch(FILES.open(path, access))
  }

  create(path: string): Disk {
    this.#count('create')
    return this.#watch(FILES.create(path))
  }

  exists = FILES.exists

  rename(from: string, to: string): void {
    this.#count('rename')
    FILES.rename(from, to)
  }

  remove(path: string): void {
    this.#count('remove')
    FILES.remove(path)
  }

  syncFolderOf(path: string): void {
    this.#count('sync of the folder')
    FILES.syncFolderOf(path)
  }

  #count(call: string): void {
    this.operationCount += 1
    const isFailing = this.#isForEver
      ? this.operationCount >= this.#failingAt
      : this.operationCount === this.#failingAt
    if (isFailing)
      throw Object.assign(new Error(`${this.#code}: as the test wants, ${call}`), { code: this.#code })
  }

  #watch(disk: Disk): Disk {
    const count = (call: string) => this.#count(call)
    return {
      descriptor: disk.descriptor as number,
      size: () => disk.size(),
      read: (target, position) => disk.read(target, position),
      write(source, position) {
        try {
          count('write')
        } catch (error) {
          disk.write(source.subarray(0, source.byteLength >> 1), position)
          throw error
        }
        disk.write(source, position)
      },
      truncate(size) {
        count('truncate')
        disk.truncate(size)
      },
      sync() {
        count('sync')
        disk.sync()
      },
      close: () => disk.close(),
    }
  }
}

type Announce = (runs: readonly number[]) => void

async function perform(
  file: string,
  system: DiskSystem,
  announce: Announce = () => undefined,
): Promise<void> {
  const x = Array.from({ length: FIRST_COUNT }, (_, run) => xOf(run))
  const store = await TrajectoryStore.open(openRequest(file, { x }), storeOptions({ system, pageRestMs: 0 }))
  await storeAll(store, announce)
}

async function goOn(cntFile: string): Promise<void> {
  const store = await TrajectoryStore.continue(continueRequest(cntFile), storeOptions({ pageRestMs: 0 }))
  await storeAll(store, () => undefined)
}

/** What is missing of the first runs, the points that follow from them, and their runs. */
async function storeAll(store: TrajectoryStore, announce: Announce): Promise<void> {
  const { stored, failed, postprocessedCount } = store.opened
  const isGrown = postprocessedCount >= 0
  const runCount = isGrown ? FIRST_COUNT + ADDED_COUNT : FIRST_COUNT
  storeRuns(store, [...missingRuns(runCount, stored, failed)], announce)
  if (!isGrown) {
    const [leaf] = arrived(
      runRecord(0, [{ ...result(0, 'mean', 2.5), location: 'results.rounds.mean' }]),
    ).leaves
    const added = Array.from({ length: ADDED_COUNT }, (_, index) => FIRST_COUNT + index)
    const commit = store.extend({
      added: zip({ x: added.map(xOf) }).spec,
      groups: [],
      leaves: leaf === undefined ? [] : [leaf],
      links: [],
      postprocessedCount: FIRST_COUNT,
    })
    announce([...commit.stored, ...commit.failed])
    storeRuns(store, added, announce)
  }
  const { stored: last, failed: lastFailed } = store.close(ENDING)
  announce([...last, ...lastFailed])
  await store.finish()
}

function storeRuns(store: TrajectoryStore, runs: readonly number[], announce: Announce): void {
  for (const [index, run] of runs.entries()) {
    if (FAILING.has(run)) store.failRun(failure(run))
    else
      store.storeRun(
        arrived(runRecord(run, [result(run, 'z', scalarOf(run)), result(run, 'sub.name', `run ${run}`)])),
      )
    if (index % GROUP_SIZE !== GROUP_SIZE - 1) continue
    const { stored, failed } = store.commit()
    announce([...stored, ...failed])
  }
}

/** A folder with the file of the other experiment, as it was killed. */
let begun: ReadonlyMap<string, Uint8Array>
let expected: Readonly<Record<string, string>>
let operationCount = 0

let folderCount = 0

/** A name of its own each time: the HDF5 library goes on knowing files that were never closed. */
function fresh(name: string): string {
  folderCount += 1
  return `${name}-${folderCount}`
}

function beginIn(folder: string): string {
  mkdirSync(inFolder(folder))
  for (const [name, bytes] of begun) writeFileSync(join(inFolder(folder), name), bytes)
  return join(inFolder(folder), 'file.h5')
}

beforeAll(async () => {
  // A store that has failed lets go of its lock when its process ends, which here is none of its own.
  process.setMaxListeners(0)
  mkdirSync(inFolder('other'))
  const disks = new RecordingDisks()
  await performScript(join(inFolder('other'), 'file.h5'), OTHER, disks)
  begun = afterKill(disks.operations.slice(0, Math.floor(disks.operations.length * 0.6)))
  const unbroken = beginIn('unbroken')
  const counting = new FailingDisks(Number.POSITIVE_INFINITY, false, 'EIO')
  await perform(unbroken, counting)
  operationCount = counting.operationCount
  await goOnWith(join(inFolder('unbroken'), 'other.cnt'), OTHER, FILES)
  expected = await contentOf(unbroken, { withTimes: true })
})

describe.each([
  ['once, by EIO', false, 'EIO'],
  ['from then on, by EIO', true, 'EIO'],
  ['from then on, by ENOSPC', true, 'ENOSPC'],
] as const)('an experiment whose disk fails %s,', (_, isForEver, code) => {
  test('loses nothing that was announced, and is completed on a disk that works', async () => {
    const seed = seedOf()
    const random = randomFrom(seed)
    const step = Math.max(1, operationCount / SAMPLES)
    for (let at = 1 + random() * (step - 1); at <= operationCount; at += step) {
      const failingAt = Math.floor(at)
      const where = `at operation ${failingAt} of ${operationCount} (seed ${seed})`
      const failing = fresh('failing')
      const file = beginIn(failing)
      const announced: number[] = []
      let error: unknown
      try {
        await perform(file, new FailingDisks(failingAt, isForEver, code), (runs) => announced.push(...runs))
      } catch (thrown) {
        error = thrown
      }
      if (error !== undefined) expect(String(error), where).toContain(code)
      await expectCompletable(failing, announced, { where, isAnnouncedWhole: error === undefined })
    }
  }, 1_200_000)
})

/** What has failed would end its process; its files are left to another one. */
async function expectCompletable(
  failing: string,
  announced: readonly number[],
  { where, isAnnouncedWhole }: { readonly where: string; readonly isAnnouncedWhole: boolean },
): Promise<void> {
  const left = inFolder(fresh('left'))
  mkdirSync(left)
  for (const name of readdirSync(inFolder(failing)).filter((name) => !name.endsWith('.lock')))
    copyFileSync(join(inFolder(failing), name), join(left, name))
  const file = join(left, 'file.h5')
  const cntFile = join(left, 'made.cnt')
  if (existsSync(cntFile)) {
    const state = readCnt(cntFile)
    const { stored, failed } = state
    expect(
      announced.filter((run) => !stored.has(run) && !failed.has(run)),
      where,
    ).toEqual([])
    if (isAnnouncedWhole) expect(stored.count + failed.size, where).toBe(FIRST_COUNT + ADDED_COUNT)
    recoverFile(state)
    await expectStored(file, announced, where)
    await goOn(cntFile)
  } else {
    // With failed runs its .cnt file stays, so nothing had been begun.
    expect(announced, where).toEqual([])
    await perform(file, FILES)
  }
  if (existsSync(join(left, 'other.cnt'))) await goOnWith(join(left, 'other.cnt'), OTHER, FILES)
  expect(differences(await contentOf(file, { withTimes: true }), expected), where).toEqual([])
  expect(readdirSync(left).sort(), where).toEqual(['file.h5', 'made.cnt'])
}

async function expectStored(file: string, runs: readonly number[], where: string): Promise<void> {
  if (runs.length === 0) return
  using content = await Hdf5Content.open(file)
  const completed = content.column('/made/overview/runs', 'completed')
  for (const run of runs) {
    expect(completed[run], `run ${run} ${where}`).toBe(FAILING.has(run) ? 0 : 1)
    if (!FAILING.has(run))
      expect(content.dataset(`/made/results/runs/run_${String(run).padStart(8, '0')}/z/z`).value).toBe(
        scalarOf(run),
      )
  }
}
