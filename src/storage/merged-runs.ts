/** Runs of another file, as operations: their groups under new numbers, their rows. */

import { type RunIndex, runName, runSetName } from '../trajectory/path.ts'
import type { GroupNode } from '../tree/group-node.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { copyOperations } from './hdf5-copy.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import type { Hdf5Reader } from './hdf5-reader.ts'
import { writeRows } from './hdf5-table.ts'
import { RUNS, runRow } from './overview-tables.ts'

/** Where the wildcards have put groups of runs: full names with `$` for the run, without the run's own part. */
export function runPlaces(other: TrajectoryTree): string[] {
  const places: string[] = []
  for (const branch of ['results', 'derived_parameters']) {
    const group = other.child(branch)
    if (group !== undefined && !group.isLeaf) collectPlaces(group as GroupNode, places)
  }
  return places
}

function collectPlaces(group: GroupNode, places: string[]): void {
  if (group.childNames.some((name) => RUN_NAME.test(name))) places.push(group.fullName)
  for (const name of group.childNames) {
    if (RUN_NAME.test(name)) continue
    const child = group.child(name)
    if (child !== undefined && !child.isLeaf) collectPlaces(child as GroupNode, places)
  }
}

const RUN_NAME = /^run_\d{8}$/

/** The groups of one run, wherever they are. */
export function* runCopy(
  source: { readonly reader: Hdf5Reader; readonly trajectory: string; readonly run: RunIndex },
  target: { readonly trajectory: string; readonly run: RunIndex },
  places: readonly string[],
  onUncopied: (path: string, reason: string) => void,
): Generator<Hdf5Operation[]> {
  const from = runName(source.run)
  const to = runName(target.run)
  const fromSet = runSetName(source.run)
  const toSet = runSetName(target.run)
  const renamed = (name: string) => (name === from ? to : name === fromSet ? toSet : name)
  for (const place of places) {
    const group = place.replaceAll('.', '/')
    const path = `/${source.trajectory}/${group}/${from}`
    if (source.reader.kind(path) === undefined) continue
    yield* copyOperations(source.reader, path, `/${target.trajectory}/${group}/${to}`, {
      nameChild: renamed,
      retarget: (link) =>
        link
          .split('/')
          .map((part, index) => (index === 1 ? target.trajectory : renamed(part)))
          .join('/'),
      onUncopied,
    })
  }
}

/** The rows of the runs, with the times they had. */
export function mergedRows(
  tree: TrajectoryTree,
  other: TrajectoryTree,
  runs: readonly RunIndex[],
  summary: (run: RunIndex) => string,
): Hdf5Operation[] {
  const first = tree.length - runs.length
  const rows = runs.map((run, index) => {
    const { startTimestamp, finishTimestamp, completed, environmentHexsha } = other.runInformation(run)
    return runRow(first + index, {
      parameterSummary: summary(first + index),
      environmentHexsha,
      startTimestamp,
      finishTimestamp,
      completed,
    })
  })
  return writeRows(`/${tree.name}/overview/runs`, RUNS, first, rows)
}
