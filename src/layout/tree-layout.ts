/**
 * A tree in memory as its layout sees it (`trajectory-shape`), and its nodes as operations. Only returns operations, as
 * `trajectory-layout` does for runs.
 */
import { PypetError } from '../errors.ts'
import { parameterSummary } from '../exploration/parameter-summary.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { addRows, type Row } from '../hdf5/table.ts'
import { overviewPath } from '../names.ts'
import { type ParameterRange, rangeSize, rangeValue } from '../run/parameter-range.ts'
import type { RawGroup, RawLeaf } from '../run/run-frame.ts'
import { GroupNode, nameIn, ParameterNode, type ResultNode, type TreeNode } from '../tree/nodes.ts'
import type { RunTimes } from '../tree/run-information.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { RunIndex } from '../values/path.ts'
import { pythonRepr } from '../values/python-repr.ts'
import { rawElements, rawValue } from '../values/raw-value.ts'
import {
  isBasicDtype,
  type StoredField,
  type StoredScalar,
  type StoredValue,
} from '../values/stored-value.ts'
import { longestUtf8Bytes } from '../values/utf8.ts'
import { nodeAttributes } from './annotation-layout.ts'
import { leafOperations } from './leaf-layout.ts'
import { FAILED_RUNS, failedRunRow } from './overview-tables.ts'
import { treeGroup } from './pytables-group.ts'
import { newRange, type RangeShape } from './range-layout.ts'
import type { ExploredShape, ParameterShape, TrajectoryShape } from './trajectory-shape.ts'
import { pathIn, runRows } from './trajectory-tables.ts'

export interface Versions {
  /** Of pypet-ts, and of Node.js, for the table `info`. */
  readonly version: string
  readonly runtimeVersion: string
}

export function treeShape(tree: TrajectoryTree, { version, runtimeVersion }: Versions): TrajectoryShape {
  const explored = Object.values(tree.exploredParameters).map(exploredShape)
  return {
    name: tree.name,
    comment: tree.comment,
    annotations: rawFields(tree.storedAnnotations),
    timestamp: tree.timestamp,
    version,
    runtimeVersion,
    runCount: tree.length,
    explored,
    leaves: (branch) => parameterShapes(tree.child(branch)),
    summary: parameterSummary(explored),
    facts: (run) => ({
      environmentHexsha: '',
      startTimestamp: 0,
      finishTimestamp: 0,
      completed: false,
      // Another trajectory may have performed the run.
      ...tree.mergedRun(run)?.information,
    }),
  }
}

function* parameterShapes(group: ReturnType<TrajectoryTree['child']>): Generator<ParameterShape> {
  if (!(group instanceof GroupNode)) return
  for (const leaf of group.iterLeaves()) if (leaf instanceof ParameterNode) yield leaf
}

function exploredShape(parameter: ParameterNode): ExploredShape {
  const { fullName, stored, comment, isStored } = parameter
  const range = parameter.range as ParameterRange
  return {
    fullName,
    stored,
    comment,
    isStored,
    text: (run, lengthMax) => pythonRepr(rangeValue(range, run) as StoredValue, lengthMax),
    range: () => rangeShape(range, stored as StoredValue),
  }
}

function rangeShape(range: ParameterRange, preset: StoredValue): RangeShape {
  const length = rangeSize(range)
  if (range.kind === 'objects') {
    // An unreadable value is in the file it came from.
    const values = range.values.map((value) => (value.form === 'unread' ? undefined : rawValue(value)))
    return { kind: 'numbers', length, preset, values, numbers: (first, end) => range.index.slice(first, end) }
  }
  const { dtype, values } = range
  if (!isBasicDtype(dtype)) {
    const elements = (first: RunIndex, end: RunIndex) =>
      rawElements({ form: 'list', dtype, values: values.slice(first, end) })
    return { kind: 'elements', length, elements }
  }
  const cells = (first: RunIndex, end: RunIndex) => cellsOf(dtype, values.slice(first, end))
  const textBytesMax = dtype === 'str' ? longestUtf8Bytes(values as string[]) : 0
  return { kind: 'cells', length, dtype, textBytesMax, cells }
}

function cellsOf(dtype: string, values: readonly StoredScalar['value'][]): (number | bigint | string)[] {
  return dtype === 'bool' ? values.map(Number) : (values as (number | bigint | string)[])
}

/** Rows of runs that a script has performed itself. */
export function performedRows(
  shape: TrajectoryShape,
  performed: ReadonlyMap<RunIndex, RunTimes>,
): Hdf5Operation[] {
  const facts = Array.from(performed, ([run, times]) => {
    const parameterSummary = shape.summary(run)
    return [run, { ...times, environmentHexsha: '', completed: true, parameterSummary }] as const
  })
  return runRows(`/${shape.name}`, new Map(facts))
}

/**
 * Why runs of another trajectory have failed.
 *
 * @param rowCount of the table. Undefined if there is none.
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
  const table = overviewPath(`/${tree.name}`, 'failed_runs')
  return addRows(table, FAILED_RUNS, { title: 'failed_runs', rowCount }, rows)
}

export interface StoreNodesOptions {
  readonly complevel: number
  /** Number of levels below the root to store. */
  readonly maxDepth: number
  /** Groups and comments only, no data. */
  readonly skeletonOnly: boolean
  /** Called for each new leaf. */
  readonly onLeaf?: (leaf: RawLeaf) => void
}

/** A node that is not in the file yet, with its missing parents. Its children follow separately. */
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
    yield { node, operations: [...treeGroup(path, node.fullName), ...nodeAttributes(path, rawGroup(node))] }
  } else yield { node, operations: newLeaf(path, node, options) }
}

function newLeaf(
  path: string,
  leaf: TreeNode,
  { complevel, skeletonOnly, onLeaf }: StoreNodesOptions,
): Hdf5Operation[] {
  const raw = rawLeaf(leaf)
  onLeaf?.(raw)
  const items = skeletonOnly && raw.kind === 'result' ? [] : raw.items
  const operations = leafOperations(path, { ...raw, items }, { comment: raw.comment, complevel })
  if (!(leaf instanceof ParameterNode) || leaf.range === undefined) return operations
  return [...operations, ...[...newRange(path, exploredShape(leaf).range(), complevel)].flat()]
}

export function rawGroup({ fullName: location, comment, storedAnnotations }: TreeNode): RawGroup {
  return { location, comment, annotations: rawFields(storedAnnotations) }
}

/** A leaf as data, without its range. @throws PypetError `PYPET_DATA_NOT_LOADED` */
export function rawLeaf(leaf: TreeNode): RawLeaf {
  const { userClass } = leaf as ParameterNode | ResultNode
  return {
    ...rawGroup(leaf),
    kind: leaf instanceof ParameterNode ? 'parameter' : 'result',
    ...(userClass !== undefined && { userClass }),
    items: leaf instanceof ParameterNode ? [dataOf(leaf)] : rawFields((leaf as ResultNode).storedItems),
  }
}

function dataOf({ fullName, stored }: ParameterNode): RawLeaf['items'][number] {
  if (stored !== undefined) return { name: 'data', value: rawValue(stored) }
  throw new PypetError('PYPET_DATA_NOT_LOADED', `${fullName} has no value to store`, {
    where: fullName,
    hint: 'Set one with set(value), or load it.',
  })
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
  // An unreadable value is in the file it came from, and cannot be rewritten.
  return fields
    .filter(({ value }) => value.form !== 'unread')
    .map(({ name, value }) => ({ name, value: rawValue(value) }))
}

export function pathOf(tree: TrajectoryTree, fullName: string): string {
  return pathIn(tree.name, fullName)
}
