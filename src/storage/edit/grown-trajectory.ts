/** What a stored trajectory has gained since: runs, ranges, explored parameters. */
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { resizeTable, writeRows } from '../../hdf5/table.ts'
import { RUNS, runRow } from '../../layout/overview-tables.ts'
import { exploredRangeOperations, grownRange, type StoredRange } from '../../layout/range-layout.ts'
import {
  EXPLORED_OVERVIEW,
  exploredTables,
  failedRunRows,
  infoOperations,
  newRunRows,
  pathOf,
  summariser,
  type Versions,
} from '../../layout/tree-layout.ts'
import { overviewPath, RANGE } from '../../names.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import { readStoredRange } from '../../reading/stored-range.ts'
import { Hdf5Source } from '../../reading/tree-source.ts'
import { type ParameterRange, rangeValue } from '../../run/parameter-range.ts'
import type { ParameterNode } from '../../tree/nodes.ts'
import type { RunInformation } from '../../tree/run-information.ts'
import type { TrajectoryTree } from '../../tree/trajectory-tree.ts'
import type { StoredValue } from '../../values/stored-value.ts'
import { longestUtf8Bytes } from '../../values/utf8.ts'
import { isEqualValue } from '../../values/value-key.ts'

/** What the file holds of an exploration, read before it is opened for writing. */
export interface StoredExploration {
  readonly runCount: number
  /** Rows of `failed_runs`; undefined where there is no such table. */
  readonly failedRowCount: number | undefined
  readonly hasExplorations: boolean
  /** Where a table is switched off, or not yet written when its experiment was ended, it stays away. */
  readonly hasExploredOverview: boolean
  readonly ranges: ReadonlyMap<string, StoredRange>
  /** The one run of a trajectory that explores nothing, where it has been performed: it stays. */
  readonly firstRun: RunInformation | undefined
}

export function readExploration(reader: Hdf5Reader, tree: TrajectoryTree): StoredExploration {
  const overview = `/${tree.name}/overview`
  const ranges = new Map<string, StoredRange>()
  for (const parameter of Object.values(tree.exploredParameters)) {
    const range = readStoredRange(reader, pathOf(tree, parameter.fullName))
    if (range !== undefined) ranges.set(parameter.fullName, range)
  }
  const hasExplorations = reader.kind(`${overview}/explorations`) === 'dataset'
  const firstRun = hasExplorations ? undefined : new Hdf5Source(reader, tree.name).runs()[0]
  return {
    firstRun: firstRun?.completed === true ? firstRun : undefined,
    runCount: reader.kind(`${overview}/runs`) === 'dataset' ? reader.rowCount(`${overview}/runs`) : 0,
    failedRowCount:
      reader.kind(`${overview}/failed_runs`) === 'dataset'
        ? reader.rowCount(`${overview}/failed_runs`)
        : undefined,
    hasExplorations,
    hasExploredOverview: reader.kind(`${overview}/${EXPLORED_OVERVIEW}`) === 'dataset',
    ranges,
  }
}

/**
 * Tables that have to be written anew: ranges whose texts have become too long for their columns, and the list of what is
 * explored where that has become more.
 */
export function outgrownTables(tree: TrajectoryTree, before: StoredExploration): string[] {
  const overview = `/${tree.name}/overview`
  const names = Object.keys(tree.exploredParameters)
  const isMore = before.hasExplorations && names.some((name) => !before.ranges.has(name))
  const lists = isMore ? [`${overview}/explorations`, `${overview}/${EXPLORED_OVERVIEW}`] : []
  return [...lists, ...outgrownRanges(tree, before)]
}

function outgrownRanges(tree: TrajectoryTree, before: StoredExploration): string[] {
  return Object.values(tree.exploredParameters).flatMap((parameter) => {
    const stored = before.ranges.get(parameter.fullName)
    const range = parameter.range as ParameterRange
    if (stored === undefined || range.kind !== 'scalars' || range.dtype !== 'str') return []
    const needed = longestUtf8Bytes(range.values.slice(stored.length) as string[])
    return needed > stored.textBytes ? [`${pathOf(tree, parameter.fullName)}/${RANGE}`] : []
  })
}

export function* growthOperations(
  tree: TrajectoryTree,
  before: StoredExploration,
  complevel: number,
  versions: Versions,
): Generator<Hdf5Operation[]> {
  const runs = overviewPath(`/${tree.name}`, 'runs')
  const hasGrown = before.runCount < tree.length
  if (hasGrown) {
    yield resizeTable(runs, tree.length)
    const { runCount, hasExplorations, firstRun } = before
    if (firstRun !== undefined) yield explainedRow(tree, firstRun)
    const isFirstOpen = runCount === 1 && !hasExplorations && firstRun === undefined
    yield* newRunRows(tree, isFirstOpen ? 0 : runCount, false)
    yield failedRunRows(tree, before.runCount, before.failedRowCount)
    yield infoOperations(tree, versions)
  }
  for (const parameter of Object.values(tree.exploredParameters))
    yield rangeGrowth(tree, parameter, before, complevel)
  if (hasGrown || !before.hasExplorations) yield exploredTables(tree, before)
}

/** The row of a run that has become the first of several, with the point that it is now. */
function explainedRow(tree: TrajectoryTree, run: RunInformation): Hdf5Operation[] {
  const row = runRow(0, { ...run, parameterSummary: summariser(tree)(0) })
  return writeRows(overviewPath(`/${tree.name}`, 'runs'), RUNS, 0, [row])
}

/** Whether the run that has been performed is still at the point at which it was. */
export function keepsFirstRun(tree: TrajectoryTree, { firstRun }: StoredExploration): boolean {
  if (firstRun === undefined) return true
  return Object.values(tree.exploredParameters).every(({ range, stored }) => {
    const value = range === undefined ? stored : rangeValue(range, 0)
    return value !== undefined && stored !== undefined && isEqualValue(value, stored)
  })
}

function rangeGrowth(
  tree: TrajectoryTree,
  parameter: ParameterNode,
  before: StoredExploration,
  complevel: number,
): Hdf5Operation[] {
  // A parameter that is new to the file is written with its range.
  if (!parameter.isStored) return []
  const path = pathOf(tree, parameter.fullName)
  const range = parameter.range as ParameterRange
  const preset = parameter.stored as StoredValue
  const stored = before.ranges.get(parameter.fullName)
  if (stored === undefined) return exploredRangeOperations(path, preset, range, complevel)
  const length = range.kind === 'scalars' ? range.values.length : range.index.length
  return stored.length >= length ? [] : grownRange(path, preset, range, stored, complevel)
}
