/** What the file of a stored trajectory says, whatever of it is in memory: which runs it has, and what made them. */
import { existsSync } from 'node:fs'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { RunIndex } from '../values/path.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { type RecordedJob, recordedJobs, recordedSeed } from './recorded-job.ts'

export interface KnownRuns {
  readonly completed: ReadonlySet<RunIndex>
  /** In the order of time. */
  readonly jobs: readonly RecordedJob[]
  /** As `recordedSeed`. */
  readonly seed: number | undefined
}

/** Nothing is known of what a storage service has. @throws PypetError as `loadTrajectory` */
export async function readKnownRuns(
  traj: Pick<TrajectoryTree, 'isStored' | 'name'> & { readonly filename: string },
): Promise<KnownRuns> {
  if (!traj.isStored || !existsSync(traj.filename)) return { completed: new Set(), jobs: [], seed: undefined }
  using stored = await loadTrajectory(traj.filename, { name: traj.name, all: 'nothing', other: 'skeleton' })
  const completed = stored.runNames.map((_, run) => run).filter((run) => stored.isCompleted(run))
  const tree = stored
  return { completed: new Set(completed), jobs: recordedJobs(tree), seed: recordedSeed(tree) }
}
