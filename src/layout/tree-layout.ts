/**
 * A tree in memory as operations on the file that is to hold it: what is new, and what has grown. Decides and does
 * nothing, as `hdf5-layout` does for runs.
 */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import {
  appendRows,
  createFilledTable,
  createTable,
  defineTable,
  type Row,
  writeRows,
} from '../hdf5/table.ts'
import { overviewPath, SRVC, timeText } from '../names.ts'
import type { StorageSettings } from '../protocol.ts'
import { type ParameterRange, rangeSize, rangeValue } from '../run/parameter-range.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import { GroupNode, nameIn, ParameterNode, type ResultNode, type TreeNode } from '../tree/nodes.ts'
import type { RunTimes } from '../tree/run-information.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { RunIndex } from '../values/path.ts'
import { pythonRepr } from '../values/python-repr.ts'
import { rawValue } from '../values/raw-value.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import { cutToUtf8Bytes, longestUtf8Bytes } from '../values/utf8.ts'
import { annotationOperations } from './annotation-layout.ts'
import { parameterLeaf, resultLeaf } from './leaf-layout.ts'
import {
  BRANCH_OVERVIEW,
  EXPLORED_PARAMETERS_OVERVIEW,
  FAILED_RUNS,
  failedRunRow,
  INFO,
  OVERVIEW_ROWS_MAX,
  overviewRow,
  RANGE_BYTES_MAX,
  RUNS,
  runRow,
  SETTINGS,
  settingsRow,
  VALUE_BYTES_MAX,
} from './overview-tables.ts'
import { exploredRangeOperations } from './range-layout.ts'
import { runRows } from './run-rows.ts'

/** Attributes of a file's root, for a file that is new. */
export function fileRoot(title: string): Hdf5Operation[] {
  return [
    { type: 'create-attribute', path: '/', name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path: '/', name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path: '/', name: 'TITLE', value: title },
    { type: 'create-attribute', path: '/', name: 'PYTABLES_FORMAT_VERSION', value: '2.1' },
  ]
}

export interface Versions {
  /** Of pypet-ts, and of Node.js, for the table `info`. */
  readonly version: string
  readonly runtimeVersion: string
}

/** The trajectory with its tables, without its nodes. */
export function* newTrajectory(
  tree: TrajectoryTree,
  storage: StorageSettings,
  versions: Versions,
): Generator<Hdf5Operation[]> {
  const root = `/${tree.name}`
  const overview = `${root}/overview`
  yield [
    ...pytablesGroup(root, tree.name),
    ...nodeAttributes(root, tree),
    ...pytablesGroup(overview, 'overview'),
  ]
  yield [
    ...createFilledTable(`${overview}/info`, INFO, 'info', [infoRow(tree, versions)]),
    ...createFilledTable(`${overview}/hdf5_settings`, SETTINGS, 'hdf5_settings', [settingsRow(storage)]),
  ]
  yield* newRunRows(tree, 0, true)
  yield failedRunRows(tree, 0, undefined)
  yield explorations(tree)
  yield overviews(tree)
}

/** Rows of `runs` from a run on, none of them completed but those that another trajectory has performed. */
export function* newRunRows(
  tree: TrajectoryTree,
  first: RunIndex,
  isNew: boolean,
): Generator<Hdf5Operation[]> {
  const path = overviewPath(`/${tree.name}`, 'runs')
  if (isNew) yield createTable(path, RUNS, 'runs', tree.length)
  const summary = summariser(tree)
  for (let start = first; start < tree.length; start += ROWS_PER_WRITE) {
    const rows: Row[] = []
    for (let run = start; run < Math.min(tree.length, start + ROWS_PER_WRITE); run += 1) {
      rows.push(
        runRow(run, {
          environmentHexsha: '',
          startTimestamp: 0,
          finishTimestamp: 0,
          completed: false,
          ...tree.mergedRun(run)?.information,
          parameterSummary: summary(run),
        }),
      )
    }
    yield writeRows(path, RUNS, start, rows)
  }
}

/** Rows of runs that a script has performed by hand. */
export function performedRows(
  tree: TrajectoryTree,
  performed: ReadonlyMap<RunIndex, RunTimes>,
): Hdf5Operation[] {
  const summary = summariser(tree)
  const facts = [...performed].map(([run, times]) => {
    return [
      run,
      { ...times, environmentHexsha: '', completed: true, parameterSummary: summary(run) },
    ] as const
  })
  return runRows(overviewPath(`/${tree.name}`, 'runs'), new Map(facts))
}

/**
 * Why runs of another trajectory have failed.
 *
 * @param rowCount of the table; undefined while there is none
 */
export function failedRunRows(
  tree: TrajectoryTree,
  first: RunIndex,
  rowCount: number | undefined,
): Hdf5Operation[] {
  const rows: Row[] = []
  for (let run = first; run < tree.length; run += 1) {
    const error = tree.mergedRun(run)?.failure
    if (error !== undefined) rows.push(failedRunRow({ run, error }))
  }
  const path = overviewPath(`/${tree.name}`, 'failed_runs')
  if (rows.length === 0) return []
  return rowCount === undefined
    ? createFilledTable(path, FAILED_RUNS, 'failed_runs', rows)
    : appendRows(path, FAILED_RUNS, rowCount, rows)
}

const ROWS_PER_WRITE = 4096

/** pypet's `parameter_summary`: `x: 1.0,   y: 6.0`. */
export function summariser(tree: TrajectoryTree): (run: RunIndex) => string {
  const explored = Object.values(tree.exploredParameters).sort(
    (a, b) => compare(a.name, b.name) || compare(a.fullName, b.fullName),
  )
  const labels = explored.map(({ name, fullName }, index) =>
    explored[index - 1]?.name === name ? fullName : name,
  )
  return (run) => {
    const entries = explored.map((parameter, index) => {
      const value = rangeValue(parameter.range as ParameterRange, run) as StoredValue
      return `${labels[index]}: ${pythonRepr(value, SUMMARY_BYTES_MAX)}`
    })
    return cutToUtf8Bytes(entries.join(',   '), SUMMARY_BYTES_MAX)
  }
}

const SUMMARY_BYTES_MAX = 512

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function infoRow(tree: TrajectoryTree, { version, runtimeVersion }: Versions): Row {
  const { name, timestamp, length, comment } = tree
  return [name, timeText(timestamp), length, timestamp, comment, runtimeVersion, version]
}

/** The table `info` anew, for a trajectory that has grown. It is now of the version that writes it. */
export function infoOperations(tree: TrajectoryTree, versions: Versions): Hdf5Operation[] {
  return writeRows(overviewPath(`/${tree.name}`, 'info'), INFO, 0, [infoRow(tree, versions)])
}

/** Which parameters are explored, and their overview, as they are now. */
export function exploredTables(
  tree: TrajectoryTree,
  stored: { readonly hasExplorations: boolean; readonly hasExploredOverview: boolean },
): Hdf5Operation[] {
  if (!stored.hasExplorations) return [...explorations(tree), ...exploredOverview(tree)]
  if (!stored.hasExploredOverview) return []
  return writeRows(
    `/${tree.name}/overview/${EXPLORED_OVERVIEW}`,
    EXPLORED_PARAMETERS_OVERVIEW,
    0,
    exploredRows(tree),
  )
}

function explorations(tree: TrajectoryTree): Hdf5Operation[] {
  const names = Object.keys(tree.exploredParameters)
  if (names.length === 0) return []
  const table = defineTable([['explorations', `S${Math.floor(longestUtf8Bytes(names) * 1.5)}`]])
  return createFilledTable(
    overviewPath(`/${tree.name}`, 'explorations'),
    table,
    '',
    names.map((name) => [name]),
  )
}

function overviews(tree: TrajectoryTree): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  for (const branch of ['config', 'parameters']) {
    const group = tree.child(branch)
    if (!(group instanceof GroupNode)) continue
    const rows: Row[] = []
    for (const leaf of group.iterLeaves()) {
      if (rows.length >= OVERVIEW_ROWS_MAX) break
      if (leaf instanceof ParameterNode) rows.push(parameterRow(leaf))
    }
    const name = `${branch}_overview`
    operations.push(...createFilledTable(`/${tree.name}/overview/${name}`, BRANCH_OVERVIEW, name, rows))
  }
  return [...operations, ...exploredOverview(tree)]
}

export const EXPLORED_OVERVIEW = 'explored_parameters_overview'

function exploredOverview(tree: TrajectoryTree): Hdf5Operation[] {
  const rows = exploredRows(tree)
  if (rows.length === 0) return []
  const path = `/${tree.name}/overview/${EXPLORED_OVERVIEW}`
  return createFilledTable(path, EXPLORED_PARAMETERS_OVERVIEW, EXPLORED_OVERVIEW, rows)
}

function exploredRows(tree: TrajectoryTree): Row[] {
  return Object.values(tree.exploredParameters)
    .slice(0, OVERVIEW_ROWS_MAX)
    .map((parameter): Row => [...parameterRow(parameter), tree.length, rangeText(parameter)])
}

function parameterRow(parameter: ParameterNode): Row {
  const value = parameter.stored
  return overviewRow(
    parameter.fullName,
    value === undefined ? '' : pythonRepr(value, VALUE_BYTES_MAX),
    parameter.comment,
  )
}

function rangeText(parameter: ParameterNode): string {
  const range = parameter.range as ParameterRange
  let text = ''
  for (let run = 0; run < rangeSize(range) && text.length <= RANGE_BYTES_MAX; run += 1) {
    const shown = pythonRepr(rangeValue(range, run) as StoredValue, RANGE_BYTES_MAX)
    text += run === 0 ? shown : `, ${shown}`
  }
  return cutToUtf8Bytes(text, RANGE_BYTES_MAX)
}

export interface StoreNodesOptions {
  readonly complevel: number
  /** Levels below the root that are stored. */
  readonly maxDepth: number
  /** Groups and comments only, no data. */
  readonly skeletonOnly: boolean
}

/** A node that is not in the file yet, with those above it that are not; what is below it follows by itself. */
export function* newNodes(
  tree: TrajectoryTree,
  node: TreeNode,
  options: StoreNodesOptions,
): Generator<{ readonly node: TreeNode; readonly operations: Hdf5Operation[] }> {
  if (node.depth > options.maxDepth) return
  if (node.parent !== undefined && !node.parent.isRoot && !node.parent.isStored) {
    yield* newNodeItself(tree, node.parent, options)
  }
  if (!node.isRoot) yield* newNodeItself(tree, node, options)
  if (!(node instanceof GroupNode)) return
  for (const name of node.childNames) {
    if (node.isInMemory(name)) yield* newNodes(tree, node.child(name) as TreeNode, options)
  }
}

function* newNodeItself(
  tree: TrajectoryTree,
  node: TreeNode,
  options: StoreNodesOptions,
): Generator<{ readonly node: TreeNode; readonly operations: Hdf5Operation[] }> {
  if (node.isStored || node.isRoot) return
  if (node.parent !== undefined && !node.parent.isRoot && !node.parent.isStored) {
    yield* newNodeItself(tree, node.parent, options)
  }
  const path = pathOf(tree, node.fullName)
  if (node instanceof GroupNode) {
    yield { node, operations: [{ type: 'create-group', path }, ...nodeAttributes(path, node)] }
  } else yield { node, operations: leafOperations(path, node, options) }
}

function leafOperations(path: string, leaf: TreeNode, options: StoreNodesOptions): Hdf5Operation[] {
  const writing = { comment: leaf.comment, complevel: options.complevel }
  if (leaf instanceof ParameterNode) {
    const { stored, range } = leaf
    if (stored === undefined) throw new Error(`${leaf.fullName} has no value to store`)
    const { userClass } = leaf
    const described = {
      annotations: rawFields(leaf.storedAnnotations),
      ...(userClass !== undefined && { userClass }),
    }
    return [
      ...parameterLeaf(path, rawValue(stored), described, writing),
      ...(range === undefined ? [] : exploredRangeOperations(path, stored, range, options.complevel)),
    ]
  }
  const result = leaf as ResultNode
  const raw: RawLeaf = {
    location: result.fullName,
    kind: 'result',
    comment: result.comment,
    annotations: rawFields(result.storedAnnotations),
    ...(result.userClass !== undefined && { userClass: result.userClass }),
    items: options.skeletonOnly ? [] : rawFields(result.storedItems),
  }
  return resultLeaf(path, raw, writing)
}

/** Links that are not in the file yet. */
export function newLinks(
  tree: TrajectoryTree,
): { readonly group: GroupNode; readonly name: string; readonly operation: Hdf5Operation }[] {
  return [...tree.allLinks()].flatMap(([group, name, target]) => {
    if (group.storedLinkTarget(name) === target || (!group.isRoot && !group.isStored)) return []
    const fullName = nameIn(group, name)
    const path = pathOf(tree, fullName)
    return [
      { group, name, operation: { type: 'create-soft-link', path, target: pathOf(tree, target) } as const },
    ]
  })
}

export function rawFields(fields: readonly StoredField[]) {
  // What cannot be read is in the file that it came from, and cannot be written anew.
  return fields
    .filter(({ value }) => value.form !== 'unread')
    .map(({ name, value }) => ({ name, value: rawValue(value) }))
}

export function pathOf(tree: TrajectoryTree, fullName: string): string {
  return fullName === '' ? `/${tree.name}` : `/${tree.name}/${fullName.replaceAll('.', '/')}`
}

function nodeAttributes(path: string, node: TreeNode): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  if (node.comment !== '') {
    operations.push({ type: 'create-attribute', path, name: SRVC.comment, value: node.comment })
  }
  return [...operations, ...annotationOperations(path, rawFields(node.storedAnnotations))]
}

function pytablesGroup(path: string, title: string): Hdf5Operation[] {
  return [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path, name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path, name: 'TITLE', value: title },
  ]
}
