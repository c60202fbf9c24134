/** Opening a stored trajectory for the runs that it has gained and not yet performed. */
import type { MemoryDelta } from '../continue/cnt-record.ts'
import { RunSet } from '../continue/run-set.ts'
import { HAS_GROUPS, IS_SETTLED } from './hdf5-layout.ts'
import type { Hdf5Reader } from './hdf5-reader.ts'
import { openHdf5Reader } from './hdf5-reader.ts'

/** What the file says of a trajectory, for who goes on writing it. */
export interface StoredTrajectory {
  readonly stored: RunSet
  readonly failed: readonly number[]
  readonly memory: MemoryDelta
}

/** @throws as `openHdf5Reader` */
export async function readStoredTrajectory(file: string, trajectory: string): Promise<StoredTrajectory> {
  using reader = await openHdf5Reader(file)
  const root = `/${trajectory}`
  const overview = `${root}/overview`
  const stored = new RunSet()
  reader.scanRows(`${overview}/runs`, ['completed'], (run, [completed]) => {
    if (completed === 1) stored.add(run)
  })
  const failed: number[] = []
  if (reader.kind(`${overview}/failed_runs`) === 'dataset') {
    reader.scanRows(`${overview}/failed_runs`, ['idx'], (_, [idx]) => failed.push(Number(idx)))
  }
  const groups: string[] = []
  for (const child of reader.children(root)) {
    if (child !== 'overview' && reader.kind(`${root}/${child}`) === 'group')
      collectGroups(reader, root, `/${child}`, groups)
  }
  const values: Record<string, number | boolean> = { [IS_SETTLED]: true }
  for (const name of reader.children(overview)) {
    if (!GROWING.has(name)) continue
    values[`rows of ${name}`] = reader.rowCount(`${overview}/${name}`)
  }
  const added: Record<string, string[]> = { [HAS_GROUPS]: groups }
  for (const branch of ['results', 'derived_parameters']) {
    const summary = `${overview}/${branch}_summary`
    if (reader.kind(summary) !== 'dataset') continue
    const digests: string[] = []
    reader.scanRows(summary, ['hexdigest'], (_, [digest]) => digests.push(String(digest)))
    added[`comments of ${branch}`] = digests
  }
  return { stored, failed, memory: { added, values } }
}

/** Tables that runs add rows to, by their names below `overview`. */
const GROWING: ReadonlySet<string> = new Set([
  'failed_runs',
  'results_overview',
  'results_summary',
  'derived_parameters_overview',
  'derived_parameters_summary',
])

/** Groups that runs share. Those of a run are its own, and leaves hold no groups of others. */
function collectGroups(reader: Hdf5Reader, root: string, path: string, into: string[]): void {
  into.push(path)
  for (const child of reader.children(root + path)) {
    if (RUN_NAME.test(child)) continue
    const below = `${path}/${child}`
    if (reader.kind(root + below) !== 'group') continue
    const isLeaf = reader.attribute(root + below, 'SRVC_LEAF')
    if (isLeaf === undefined) collectGroups(reader, root, below, into)
  }
}

const RUN_NAME = /^run_\d{8}$/
