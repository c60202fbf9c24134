/** Every storage mode, behind every executor: the same content, whole or interrupted. It runs as it is installed. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { continueRun, loadTrajectory, run } from '../../dist/index.js'
import { contentOf, differences } from '../crash/file-content.ts'
import {
  activeRuns,
  keepEvents,
  runJob,
  useExperimentFolder,
  type Workers,
  writerProcesses,
} from '../environment/experiments.ts'
import { jobFile, makeTestFolder } from '../executors/performed.ts'

const MODES = ['queue', 'lock'] as const
const WORKERS: readonly Workers[] = [
  { executor: 'inline', ncores: 1 },
  { executor: 'pool', ncores: 1 },
  { executor: 'pool', ncores: 2 },
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

describe.each(TABLE)('$wrapMode, $executor, $ncores cores', ({ wrapMode, executor, ncores }) => {
  const workers = { executor, ncores }

  test('an experiment ends in the same file, and gives what its jobs returned', async () => {
    const folder = useExperimentFolder()
    const summary = await runJob('stores-any', folder, workers, { options: { wrapMode }, collect: true })
    expect(summary).toMatchObject({ storedCount: 23, failedCount: 1, leftCount: 0 })
    expect((summary as { returned?: unknown }).returned).toHaveLength(23)
    expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
  })

  // The executor plays no part in it, so one is enough.
  test.runIf(ncores === 2)(
    'one that is interrupted and continued ends in the same file, whichever mode goes on',
    async () => {
      const folder = useExperimentFolder()
      const stop = new AbortController()
      const reporter = keepEvents(({ type }) => type === 'runs-stored' && stop.abort())
      const options = { wrapMode }
      const first = await runJob('stores-any', folder, workers, { options, reporter, signal: stop.signal })
      const other = MODES[(MODES.indexOf(wrapMode) + 1) % MODES.length] as string
      const second = await continueRun(first.cntFile as string, { options: { wrapMode: other } })
      expect(second).toMatchObject({ storedCount: 23, failedCount: 1, leftCount: 0 })
      expect(differences(comparable(await contentOf(folder.file)), expected)).toEqual([])
    },
  )
})

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
