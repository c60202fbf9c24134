/** What a stored trajectory has gained since: runs, ranges, explored parameters. */
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { writeRows } from '../../hdf5/table.ts'
import { RUNS, runRow } from '../../layout/overview-tables.ts'
import type { StoredRange } from '../../layout/range-layout.ts'
import { grownTrajectory, type StoredTables } from '../../layout/trajectory-tables.ts'
import { failedRunRows, pathOf, treeShape, type Versions } from '../../layout/tree-layout.ts'
import { type OverviewTable, overviewPath, RANGE } from '../../names.ts'
import type { StorageSettings } from '../../protocol.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import { readStoredRange } from '../../reading/stored-range.ts'
import { Hdf5Source } from '../../reading/tree-source.ts'
import { type ParameterRange, rangeValue } from '../../run/parameter-range.ts'
import type { RunInformation } from '../../tree/run-information.ts'
import type { TrajectoryTree } from '../../tree/trajectory-tree.ts'
import { longestUtf8Bytes } from '../../values/utf8.ts'
import { isEqualValue } from '../../values/value-key.ts'
import { STORAGE_DEFAULTS } from './edit-file.ts'

/** What the file holds of an exploration, read before it is opened for writing. */
export interface StoredExploration extends StoredTables {
  /** Rows of `failed_runs`. Undefined if there is no such table. */
  readonly failedRowCount: number | undefined
  /** The single run of a trajectory without exploration, if it has been performed: it stays. */
  readonly firstRun: RunInformation | undefined
  /** How to write its overviews. */
  readonly storage: StorageSettings
}

export function readExploration(reader: Hdf5Reader, tree: TrajectoryTree): StoredExploration {
  const root = `/${tree.name}`
  const rowCount = (table: OverviewTable) => {
    const path = overviewPath(root, table)
    return reader.kind(path) === 'dataset' ? reader.rowCount(path) : undefined
  }
  const ranges = new Map<string, StoredRange>()
  for (const parameter of Object.values(tree.exploredParameters)) {
    const range = readStoredRange(reader, pathOf(tree, parameter.fullName))
    if (range !== undefined) ranges.set(parameter.fullName, range)
  }
  const hasExplorations = rowCount('explorations') !== undefined
  const first = hasExplorations ? undefined : new Hdf5Source(reader, tree.name).runs()[0]
  const firstRun = first?.completed === true ? first : undefined
  const runCount = rowCount('runs') ?? 0
  // The run of a trajectory without exploration becomes the first of several.
  const isFirstOpen = runCount === 1 && !hasExplorations && firstRun === undefined
  return {
    firstRun,
    runCount,
    firstNewRun: isFirstOpen ? 0 : runCount,
    failedRowCount: rowCount('failed_runs'),
    storage: {
      ...STORAGE_DEFAULTS,
      overviews: {
        ...STORAGE_DEFAULTS.overviews,
        exploredParameters: readSetting(reader, root, 'explored_parameters_overview') ?? true,
        // As in pypet: those that the file has.
        results: rowCount('results_overview') !== undefined,
        resultsSummary: rowCount('results_summary') !== undefined,
        derivedParameters: rowCount('derived_parameters_overview') !== undefined,
        derivedParametersSummary: rowCount('derived_parameters_summary') !== undefined,
      },
    },
    hasExplorations,
    hasExploredOverview: rowCount('explored_parameters_overview') !== undefined,
    ranges,
  }
}

/** A switch in the table `hdf5_settings`. Undefined if the file does not have it. */
export function readSetting(reader: Hdf5Reader, root: string, column: string): boolean | undefined {
  const table = overviewPath(root, 'hdf5_settings')
  let isOn: boolean | undefined
  if (reader.kind(table) !== 'dataset') return isOn
  reader.scanRows(table, [column], (_, [cell]) => {
    isOn = cell === true || cell === 1
  })
  return isOn
}

/**
 * Tables that must be rewritten: ranges with texts that are too long for their columns, and the list of explored
 * parameters if it has grown.
 */
export function outgrownTables(tree: TrajectoryTree, before: StoredExploration): string[] {
  const root = `/${tree.name}`
  const names = Object.keys(tree.exploredParameters)
  const isMore = before.hasExplorations && names.some((name) => !before.ranges.has(name))
  const lists = isMore
    ? [overviewPath(root, 'explorations'), overviewPath(root, 'explored_parameters_overview')]
    : []
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
  const shape = treeShape(tree, versions)
  yield* grownTrajectory(shape, before, {
    complevel,
    hasExploredOverview: before.storage.overviews.exploredParameters,
  })
  if (before.runCount >= tree.length) return
  yield failedRunRows(tree, before.runCount, before.failedRowCount)
  if (before.firstRun === undefined) return
  // It is now one of several runs, and its row names its point.
  const row = runRow(0, { ...before.firstRun, parameterSummary: shape.summary(0) })
  yield writeRows(overviewPath(`/${tree.name}`, 'runs'), RUNS, 0, [row])
}

/** Whether the performed run still has its point. */
export function keepsFirstRun(tree: TrajectoryTree, { firstRun }: StoredExploration): boolean {
  if (firstRun === undefined) return true
  return Object.values(tree.exploredParameters).every(({ range, stored }) => {
    const value = range === undefined ? stored : rangeValue(range, 0)
    return value !== undefined && stored !== undefined && isEqualValue(value, stored)
  })
}
