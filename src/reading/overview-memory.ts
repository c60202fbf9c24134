/** The content of the overviews of a stored trajectory, as `RunOverviews` remembers it, for adding leaves. */
import type { MemoryDelta } from '../journal/cnt-record.ts'
import { commentHexdigest } from '../layout/overview-tables.ts'
import { commentDigest } from '../layout/run-overviews.ts'
import {
  MEMORY,
  type OverviewTable,
  overviewPath,
  RUN_BRANCHES,
  type RunBranch,
  runlessName,
  runName,
} from '../names.ts'
import type { RunIndex } from '../values/path.ts'
import { walkLeaves } from './leaf-walk.ts'
import type { Hdf5Reader } from './reader.ts'

/** Tables that gain rows with leaves, and with failed runs. */
const GROWING: readonly OverviewTable[] = [
  'failed_runs',
  'results_overview',
  'results_summary',
  'derived_parameters_overview',
  'derived_parameters_summary',
]

/** @param firstRun the first stored run. Without a summary, its comments count as known. */
export function readOverviewMemory(
  reader: Hdf5Reader,
  root: string,
  firstRun?: RunIndex,
): { readonly added: Record<string, string[]>; readonly values: Record<string, number | boolean> } {
  const values: Record<string, number> = {}
  for (const name of GROWING) {
    const table = overviewPath(root, name)
    if (reader.kind(table) === 'dataset') values[MEMORY.rowsOf(name)] = reader.rowCount(table)
  }
  const added: Record<string, string[]> = {}
  for (const branch of RUN_BRANCHES)
    added[MEMORY.commentsOf(branch)] = knownComments(reader, root, branch, firstRun)
  return { added, values } satisfies MemoryDelta
}

function knownComments(
  reader: Hdf5Reader,
  root: string,
  branch: RunBranch,
  firstRun: RunIndex | undefined,
): string[] {
  const summary = overviewPath(root, `${branch}_summary`)
  const digests: string[] = []
  if (reader.kind(summary) === 'dataset') {
    reader.scanRows(summary, ['location', 'name', 'hexdigest'], (_, [location, name, hexdigest]) => {
      digests.push(commentDigest(runlessName(`${location}.${name}`), String(hexdigest)))
    })
    return digests
  }
  if (firstRun === undefined || reader.kind(`${root}/${branch}`) !== 'group') return digests
  const group = `${branch}/runs/${runName(firstRun)}`
  walkLeaves(reader, `${root}/${group}`, ({ comment }, name) => {
    const fullName = `${group.replaceAll('/', '.')}.${name}`
    if (comment !== '') digests.push(commentDigest(runlessName(fullName), commentHexdigest(comment)))
  })
  return digests
}
