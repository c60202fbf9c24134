/** Every storage mode, behind every executor: the same content, whole or interrupted. It runs as it is installed. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { continueRun, loadTrajectory, MemoryStorage, type RunCallOptions, run } from '../../dist/index.js'
import { contentOf, differences } from '../crash/file-content.ts'
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

test.each(TABLE)(
  '$wrapMode, $executor, $ncores cores: an experiment ends in the same file',
  async ({ wrapMode, ...workers }) => {
    const folder = useExperimentFolder()
    expect(await performIn(wrapMode, folder, workers)).toMatchObject({
      storedCount: 23,
      failedCount: 1,
      leftCount: 0,
    })
    expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
    expect(writerProcesses()).toEqual([])
  },
)

test.each([
  ['queue', 'lock'],
  ['lock', 'queue'],
  ['lock', 'lock'],
])(
  '%s, interrupted and continued as %s: the same file, and all that jobs returned',
  async (before, after) => {
    const folder = useExperimentFolder()
    const options = { wrapMode: before, ...STOPS_AT_17 }
    const first = await runJob('stores-any', folder, TWO_CORES, { options })
    expect(first.leftCount).toBeGreaterThan(0)
    const second = await continueRun(first.cntFile as string, {
      options: { wrapMode: after, onError: 'continue' },
      collect: true,
    })
    expect(second).toMatchObject({ storedCount: 23, failedCount: 1, leftCount: 0 })
    expect(second.returned?.every(({ run, value }) => (value as { x: number }).x === run)).toBe(true)
    expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
  },
)

test('none: an interrupted experiment goes on with what the memory has', async () => {
  const folder = useExperimentFolder()
  const storageService = new MemoryStorage()
  const first = await runJob('stores-any', folder, TWO_CORES, { storageService, options: STOPS_AT_17 })
  const before = storageService.runs.length
  expect(first).toMatchObject({ storedCount: before })
  expect(before).toBeLessThan(23)
  const second = await continueRun(first.cntFile as string, {
    storageService,
    options: { onError: 'continue' },
  })
  expect(second).toMatchObject({ storedCount: 23, previouslyStoredCount: before, failedCount: 1 })
  await storageService.writeHdf5(folder.file)
  expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
})

const TWO_CORES: Workers = { executor: 'pool', ncores: 2 }

/** Run 17 fails, and then at most four others are on their way. */
const STOPS_AT_17 = { onError: 'stop' }

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
