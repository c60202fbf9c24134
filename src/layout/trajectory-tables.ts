/** The groups and tables of a trajectory (docs/format.md, section 3), new and growing. Only returns operations. */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import {
  createFilledTable,
  createTable,
  defineTable,
  type Row,
  resizeTable,
  type TableDescription,
  writeRows,
} from '../hdf5/table.ts'
import { type OverviewTable, overviewGroup, overviewPath } from '../names.ts'
import type { StorageSettings } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'
import { pythonRepr } from '../values/python-repr.ts'
import { cutToUtf8Bytes, longestUtf8Bytes } from '../values/utf8.ts'
import { nodeAttributes } from './annotation-layout.ts'
import {
  BRANCH_OVERVIEW,
  EXPLORED_IN_RUN_TABLE,
  EXPLORED_PARAMETERS_OVERVIEW,
  INFO,
  infoRow,
  OVERVIEW_ROWS_MAX,
  overviewRow,
  RANGE_BYTES_MAX,
  RUNS,
  type RunRowFacts,
  runRow,
  SETTINGS,
  settingsRow,
  VALUE_BYTES_MAX,
} from './overview-tables.ts'
import { pytablesGroup } from './pytables-group.ts'
import { batches, grownRange, newRange, type StoredRange } from './range-layout.ts'
import type { ExploredShape, ParameterShape, TrajectoryShape } from './trajectory-shape.ts'

/** The trajectory and its mandatory tables. Its nodes and overviews follow. */
export function* newTrajectory(shape: TrajectoryShape, storage: StorageSettings): Generator<Hdf5Operation[]> {
  const root = rootOf(shape)
  yield [
    ...pytablesGroup(root, shape.name),
    ...nodeAttributes(root, shape),
    ...pytablesGroup(overviewGroup(root), 'overview'),
  ]
  yield [
    ...filledTable(shape, 'info', INFO, [infoRow(shape)]),
    ...filledTable(shape, 'hdf5_settings', SETTINGS, [settingsRow(storage)]),
    ...explorationsTable(shape),
  ]
  yield createTable(overviewPath(root, 'runs'), RUNS, 'runs', shape.runCount)
  yield* newRunRows(shape, 0)
}

/** The enabled overviews of what is known before the first run. */
export function overviewTables(
  shape: TrajectoryShape,
  overviews: StorageSettings['overviews'],
): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  for (const branch of ['config', 'parameters'] as const) {
    if (!overviews[branch]) continue
    const rows: Row[] = []
    for (const leaf of shape.leaves(branch)) {
      if (rows.length >= OVERVIEW_ROWS_MAX) break
      rows.push(parameterRow(leaf))
    }
    operations.push(...filledTable(shape, `${branch}_overview`, BRANCH_OVERVIEW, rows))
  }
  if (overviews.exploredParameters) operations.push(...exploredOverview(shape))
  return operations
}

/** What the file holds of a trajectory that gains runs. */
export interface StoredTables {
  readonly runCount: number
  /** The first run whose row is to be written. Earlier rows stay. */
  readonly firstNewRun: RunIndex
  readonly hasExplorations: boolean
  /** A table that is disabled, or was not written before its experiment ended, stays absent. */
  readonly hasExploredOverview: boolean
  /** Of the parameters explored in the file, by full name. */
  readonly ranges: ReadonlyMap<string, StoredRange>
}

export interface GrowthOptions {
  readonly complevel: number
  /** Whether a trajectory that starts to explore gets the overview. */
  readonly hasExploredOverview: boolean
  /** Width of a text column that may get more texts. Default: the size of the longest text. */
  readonly textBytesOf?: (explored: ExploredShape) => number | undefined
}

/** What a trajectory has gained since the state `before` in the file. */
export function* grownTrajectory(
  shape: TrajectoryShape,
  before: StoredTables,
  { complevel, hasExploredOverview, textBytesOf }: GrowthOptions,
): Generator<Hdf5Operation[]> {
  const hasGrown = before.runCount < shape.runCount
  if (hasGrown) {
    yield resizeTable(overviewPath(rootOf(shape), 'runs'), shape.runCount)
    yield* newRunRows(shape, before.firstNewRun)
    yield infoTable(shape)
  }
  for (const explored of shape.explored) {
    if (!explored.isStored) continue
    const path = pathIn(shape.name, explored.fullName)
    const stored = before.ranges.get(explored.fullName)
    // Most stores add no points, and reading a range again may take as long as writing it.
    if (stored !== undefined && stored.length >= shape.runCount) continue
    yield* stored === undefined
      ? newRange(path, explored.range(), complevel, textBytesOf?.(explored))
      : grownRange(path, explored.range(), stored, complevel)
  }
  if (!before.hasExplorations) {
    yield [...explorationsTable(shape), ...(hasExploredOverview ? exploredOverview(shape) : [])]
  } else if (hasGrown && before.hasExploredOverview) {
    const overview = overviewPath(rootOf(shape), 'explored_parameters_overview')
    yield writeRows(overview, EXPLORED_PARAMETERS_OVERVIEW, 0, exploredRows(shape))
  }
}

/** Rewrites the table `info`, with the current version. */
export function infoTable(shape: TrajectoryShape): Hdf5Operation[] {
  return writeRows(overviewPath(rootOf(shape), 'info'), INFO, 0, [infoRow(shape)])
}

/** Rows of runs from `firstRun` on, none of them performed here. */
function* newRunRows(shape: TrajectoryShape, firstRun: RunIndex): Generator<Hdf5Operation[]> {
  const path = overviewPath(rootOf(shape), 'runs')
  for (const [first, end] of batches(firstRun, shape.runCount, RUNS.rowType.bytes)) {
    const rows: Row[] = []
    for (let run = first; run < end; run += 1)
      rows.push(runRow(run, { ...shape.facts(run), parameterSummary: shape.summary(run) }))
    yield writeRows(path, RUNS, first, rows)
  }
}

/** The rows of ended runs. Adjacent rows are written together: each write unpacks and packs a whole chunk. */
export function runRows(root: string, facts: ReadonlyMap<RunIndex, RunRowFacts>): Hdf5Operation[] {
  const path = overviewPath(root, 'runs')
  const runs = [...facts.keys()].sort((a, b) => a - b)
  const operations: Hdf5Operation[] = []
  for (let start = 0; start < runs.length; ) {
    const first = runs[start] as RunIndex
    let end = start + 1
    while (end < runs.length && runs[end] === first + (end - start)) end += 1
    const rows = runs.slice(start, end).map((run) => runRow(run, facts.get(run) as RunRowFacts))
    operations.push(...writeRows(path, RUNS, first, rows))
    start = end
  }
  return operations
}

/** The table in the group of a run: names and values of explored parameters. Absent if none is explored. */
export function exploredInRun(group: string, { explored }: TrajectoryShape, run: RunIndex): Hdf5Operation[] {
  if (explored.length === 0) return []
  const rows = explored.map((each): Row => [each.fullName, each.text(run, VALUE_BYTES_MAX)])
  return createFilledTable(`${group}/${EXPLORED_IN_RUN}`, EXPLORED_IN_RUN_TABLE, EXPLORED_IN_RUN, rows)
}

const EXPLORED_IN_RUN = 'explored_parameters'

/** The explored parameters, by name. */
function explorationsTable({ name, explored }: TrajectoryShape): Hdf5Operation[] {
  if (explored.length === 0) return []
  const names = explored.map(({ fullName }) => fullName)
  const table = defineTable([['explorations', `S${Math.floor(longestUtf8Bytes(names) * 1.5)}`]])
  const rows = names.map((fullName): Row => [fullName])
  return createFilledTable(overviewPath(`/${name}`, 'explorations'), table, '', rows)
}

function exploredOverview(shape: TrajectoryShape): Hdf5Operation[] {
  if (shape.explored.length === 0) return []
  return filledTable(shape, 'explored_parameters_overview', EXPLORED_PARAMETERS_OVERVIEW, exploredRows(shape))
}

function exploredRows({ explored, runCount }: TrajectoryShape): Row[] {
  return explored
    .slice(0, OVERVIEW_ROWS_MAX)
    .map((each): Row => [...parameterRow(each), runCount, rangeText(each, runCount)])
}

function parameterRow({ fullName, stored, comment }: ParameterShape): Row {
  return overviewRow(fullName, stored === undefined ? '' : pythonRepr(stored, VALUE_BYTES_MAX), comment)
}

/** The start of the range, cut to the column. */
function rangeText(explored: ExploredShape, runCount: number): string {
  let text = ''
  for (let run = 0; run < runCount && text.length <= RANGE_BYTES_MAX; run += 1) {
    text += `${run === 0 ? '' : ', '}${explored.text(run, RANGE_BYTES_MAX)}`
  }
  return cutToUtf8Bytes(text, RANGE_BYTES_MAX)
}

function filledTable(
  { name }: TrajectoryShape,
  table: OverviewTable,
  description: TableDescription,
  rows: readonly Row[],
): Hdf5Operation[] {
  return createFilledTable(overviewPath(`/${name}`, table), description, table, rows)
}

function rootOf({ name }: TrajectoryShape): string {
  return `/${name}`
}

/** The path of a node of a trajectory. The trajectory itself has no full name. */
export function pathIn(trajectory: string, fullName: string): string {
  return fullName === '' ? `/${trajectory}` : `/${trajectory}/${fullName.replaceAll('.', '/')}`
}
