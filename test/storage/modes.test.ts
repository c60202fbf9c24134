/** Every storage mode, behind every executor: the same content, whole or interrupted. It runs as it is installed. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { continueRun, loadTrajectory, MemoryStorage, type RunCallOptions, run } from '../../dist/index.js'
import { contentOf, differences } from '../crash/file-content.ts'
import { isLongForm } from '../crash/long-form.ts'
import {
  activeRuns,
  type ExperimentFolder,
  keepEvents,
  runJob,
  useExperimentFolder,
  type Workers,
  writerProcesses,
} from '../environment/experiments.ts'
import { jobFile, makeTestFolder } from '../executors/performed.ts'

const MODES = ['queue', 'lock', 'none'] as const
const WORKERS: readonly Workers[] = [
  { executor: 'inline', ncores: 1 },
  { executor: 'pool', ncores: 1 },
  { executor: 'pool', ncores: 2 },
  { executor: 'process', ncores: 1 },
  { executor: 'process', ncores: 2 },
]
const TABLE = MODES.flatMap((wrapMode) => WORKERS.map((workers) => ({ wrapMode, ...workers })))

let expected: Record<string, string>

beforeAll(async () => {
  const folder = makeTestFolder()
  const filename = join(folder.path, 'file.h5')
  await run(jobFile('stores-any'), {
    options: { filename, name: 'trajectory', logFolder: join(folder.path, 'logs') },
  })
  expected = comparable(await contentOf(filename))
  folder.remove()
})

/** Performs the fixture in a mode; in `none` the memory writes the file that is compared. */
async function performIn(
  wrapMode: (typeof MODES)[number],
  folder: ExperimentFolder,
  workers: Workers,
  call: RunCallOptions = {},
) {
  if (wrapMode !== 'none')
    return await runJob('stores-any', folder, workers, { ...call, options: { wrapMode } })
  const memory = new MemoryStorage()
  const summary = await runJob('stores-any', folder, workers, { ...call, storageService: memory })
  expect(existsSync(folder.file)).toBe(false)
  await memory.writeHdf5(folder.file)
  return summary
}

// A process a run is slow to test: one core tells nothing here that two do not.
const SHORT_TABLE = TABLE.filter(
  ({ executor, ncores }) => executor !== 'process' || ncores === 2 || isLongForm,
)

test.each(SHORT_TABLE)(
  '$wrapMode, $executor, $ncores cores: an experiment ends in the same file',
  async ({ wrapMode, ...workers }) => {
    const folder = useExperimentFolder()
    expect(await performIn(wrapMode, folder, workers)).toMatchObject({
      storedCount: 9,
      failedCount: 1,
      leftCount: 0,
    })
    expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
    expect(writerProcesses()).toEqual([])
  },
)

/** An experiment that stops at run 3 with runs left, and what it leaves. */
async function interruptedIn(wrapMode: (typeof MODES)[number], folder: ExperimentFolder, workers: Workers) {
  const hold = join(folder.temporary, 'hold')
  writeFileSync(hold, '')
  const reporter = keepEvents((event) => event.type === 'run-failed' && rmSync(hold))
  const memory = wrapMode === 'none' ? new MemoryStorage() : undefined
  const first = await runJob('stores-any', folder, workers, {
    reporter,
    ...(memory !== undefined && { storageService: memory }),
    options: { onError: 'stop', ...(memory === undefined && { wrapMode }) },
  })
  expect(first.leftCount).toBeGreaterThan(0)
  // How many of runs 0 to 2 depends on the ranges of the workers: one of them may reach run 3 first.
  expect(first.storedCount).toBeGreaterThan(0)
  return { cntFile: first.cntFile as string, storedCount: first.storedCount, memory }
}

const ALL_RETURNED = [0, 1, 2, 4, 5, 6, 7, 8, 9].map((x) => ({
  run: x,
  value: { x, squares: new Map([[x, x * x]]) },
}))

test.each(SHORT_TABLE)(
  '$wrapMode, $executor, $ncores cores, interrupted and continued: the same file, and all that jobs returned',
  async ({ wrapMode, ...workers }) => {
    const folder = useExperimentFolder()
    const { cntFile, storedCount, memory } = await interruptedIn(wrapMode, folder, workers)
    const second = await continueRun(cntFile, {
      ...(memory !== undefined && { storageService: memory }),
      options: { onError: 'continue' },
      collect: true,
    })
    expect(second).toMatchObject({ storedCount: 9, previouslyStoredCount: storedCount, failedCount: 1 })
    expect(second.returned).toEqual(ALL_RETURNED)
    await memory?.writeHdf5(folder.file)
    expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
  },
)

test.each([
  ['queue', 'lock'],
  ['lock', 'queue'],
] as const)('interrupted in %s and continued in %s: the same file', async (before, after) => {
  const folder = useExperimentFolder()
  const { cntFile } = await interruptedIn(before, folder, TWO_CORES)
  const { events, ...reporter } = keepEvents()
  await continueRun(cntFile, { options: { wrapMode: after, onError: 'continue' }, reporter })
  const hasWaited = events.some((event) => event.type === 'log' && event.message.includes('the lock'))
  expect(hasWaited).toBe(after === 'lock')
  expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
})

const TWO_CORES: Workers = { executor: 'pool', ncores: 2 }

test.each(['queue', 'lock'] as const)('%s: the file is read while runs are performed', async (wrapMode) => {
  const folder = useExperimentFolder()
  const options = { wrapMode }
  const stored: number[] = []
  const reporter = keepEvents((event) => event.type === 'runs-stored' && stored.push(...event.runs))
  const running = runJob(
    'waits',
    folder,
    { executor: 'pool', ncores: 2 },
    { options, reporter, set: { folder: folder.path } },
  )
  await activeRuns(folder, 2)
  expect(writerProcesses()).toHaveLength(wrapMode === 'queue' ? 1 : 0)
  const traj = await loadTrajectory(folder.file, { name: 'trajectory' })
  expect(traj.length).toBe(20)
  traj.close()
  writeFileSync(join(folder.path, 'go'), '')
  await running
  expect(stored).toHaveLength(20)
  expect(existsSync(join(folder.path, 'trajectory.cnt'))).toBe(false)
})

/** Without what says how the experiment was performed. */
function comparable(content: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(content).map(([path, text]) => [
    path.replace(/environment_[0-9a-f]{7}_[^/]*/, 'environment'),
    text.replace(/environment_[0-9a-f]{7}_\w*/g, 'environment'),
  ])
  return Object.fromEntries(entries.filter(([path]) => !HOW.test(String(path))))
}

const HOW =
  /\/config\/environment\/environment\/(ncores|multiproc|executor|wrap_mode|queue_maxsize)|\/overview\/config_overview/
