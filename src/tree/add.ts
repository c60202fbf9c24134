/** Adds nodes to a tree: finds where a name belongs and checks that it is free (pypet `naturalnaming.py`). */
import { PypetError } from '../errors.ts'
import { runName } from '../names.ts'
import type { LeafOptions } from '../run/run.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import { isStoring } from '../values/own-class.ts'
import { assertLegalName, assertNoBranch, type RunIndex } from '../values/path.ts'
import { annotationsIn } from '../values/unit.ts'
import type { ParameterValue } from '../values/value.ts'
import { isNamedValues } from '../values/value-forms.ts'
import { GroupNode, type LeafNode, ParameterNode, ResultNode, type TreeNode } from './nodes.ts'
import type { Wildcards } from './wildcards.ts'

/** What this file uses of the trajectory. */
interface Tree extends GroupNode {
  readonly isRun: boolean
  readonly idx: RunIndex
  readonly wildcards: Wildcards
  readonly noClobber: boolean
  /** The preset for a parameter that is being added. */
  takePreset(fullName: string, value: ParameterValue): unknown
}

export function addGroup(tree: Tree, group: GroupNode, name: string, options: LeafOptions): GroupNode {
  const parts = partsIn(tree, group, undefined, name)
  const parent = groupAt(tree, parts.slice(0, -1), name)
  const last = parts.at(-1) as string
  const known = parent.child(last)
  if (known instanceof GroupNode && (tree.noClobber || options.comment === undefined)) return known
  assertFree(parent, last)
  const added = new GroupNode(last, parent)
  describe(added, options)
  parent.attach(added)
  return added
}

export function addParameter(
  tree: Tree,
  group: GroupNode,
  branch: 'parameters' | 'derived_parameters' | 'config',
  name: string,
  value: ParameterValue,
  options: LeafOptions,
): ParameterNode {
  if (tree.isRun && branch !== 'derived_parameters') {
    throw new PypetError('PYPET_PARAMETER_TYPE', `cannot add ${branch}.${name} during a run`, {
      where: name,
      hint: 'Parameters are the same for all runs. Add a derived parameter, or a result.',
    })
  }
  const [parent, last, known] = place(tree, group, branch, name)
  if (known !== undefined) return known as ParameterNode
  const parameter = new ParameterNode(last, parent)
  describe(parameter, options)
  parameter.set(tree.takePreset(parameter.fullName, value))
  parent.attach(parameter)
  return parameter
}

export function addResult(
  tree: Tree,
  group: GroupNode,
  branch: 'results' | undefined,
  name: string,
  value: unknown,
  options: LeafOptions,
): ResultNode {
  const [parent, last, known] = place(tree, group, branch, name)
  if (known !== undefined) return known as ResultNode
  const result = new ResultNode(last, parent)
  describe(result, options)
  if (isStoring(value)) {
    result.userClass = value.constructor.name
    result.setItems(value.store() as Readonly<Record<string, unknown>>)
  } else if (isNamedValues(value)) result.setItems(value)
  else if (value !== undefined) result.set(value)
  parent.attach(result)
  return result
}

export function addLeaf(
  tree: Tree,
  group: GroupNode,
  name: string,
  value: unknown,
  options: LeafOptions,
): LeafNode {
  const branch = group.isRoot ? name.split('.')[0] : group.branch
  if (branch === 'parameters' || branch === 'derived_parameters' || branch === 'config') {
    const rest = group.isRoot ? name.split('.').slice(1).join('.') : name
    const within = group.isRoot ? (tree.child(branch) as GroupNode) : group
    return addParameter(tree, within, branch, rest, value as ParameterValue, options)
  }
  return addResult(tree, group, undefined, name, value, options)
}

function describe(node: TreeNode, options: LeafOptions): void {
  assertKnownOptions(options, LEAF_OPTIONS, node.fullName)
  node.comment = options.comment ?? ''
  const annotations = annotationsIn(options, node.fullName)
  if (annotations !== undefined) node.annotate(annotations)
}

const LEAF_OPTIONS = ['comment', 'annotations', 'unit'] satisfies (keyof LeafOptions)[]

export function addLink(tree: Tree, group: GroupNode, name: string, target: TreeNode | string): void {
  const node = typeof target === 'string' ? tree.get(target) : target
  const parts = partsIn(tree, group, undefined, name)
  const parent = groupAt(tree, parts.slice(0, -1), name)
  const last = parts.at(-1) as string
  assertFree(parent, last)
  if (node.root !== tree.root) throw taken(last, 'its target is in another trajectory')
  parent.attachLink(last, node.fullName)
}

/** Where to add a node. The third element is an existing node, if it may be returned instead. */
function place(
  tree: Tree,
  group: GroupNode,
  branch: string | undefined,
  name: string,
): [parent: GroupNode, last: string, known: LeafNode | undefined] {
  const parts = partsIn(tree, group, branch, name)
  const parent = groupAt(tree, parts.slice(0, -1), name)
  const last = parts.at(-1) as string
  const known = parent.child(last)
  if (known !== undefined && tree.noClobber && !(known instanceof GroupNode)) {
    return [parent, last, known as LeafNode]
  }
  assertFree(parent, last)
  return [parent, last, undefined]
}

/** The full name in parts: below the branch, and in a run below the run's group unless the name says where. */
function partsIn(tree: Tree, group: GroupNode, branch: string | undefined, name: string): string[] {
  if (typeof name !== 'string') throw taken(String(name), 'a name must be a string')
  const within = group.isRoot ? (branch ?? '') : group.fullName
  const inRuns = tree.isRun && RUN_BRANCHES.has(within) && !name.split('.').includes('$')
  const prefix = inRuns ? `${within}.runs.${runName(tree.idx)}` : within
  const replaced = tree.wildcards.replace(name, tree.idx)
  const fullName = prefix === '' ? replaced : `${prefix}.${replaced}`
  assertLegalName(replaced, name)
  if (RESERVED.has(replaced)) throw taken(name, 'the word is reserved')
  assertLegalName(fullName, name)
  if (branch === 'parameters') assertNoBranch(fullName.slice('parameters.'.length), name)
  return fullName.split('.')
}

/** The group with these names. Missing groups are made. */
function groupAt(tree: Tree, parts: readonly string[], name: string): GroupNode {
  let group: GroupNode = tree
  for (const part of parts) {
    const child = group.child(part)
    if (child !== undefined && !(child instanceof GroupNode)) {
      throw taken(name, `${child.fullName} is a leaf and cannot hold other nodes`)
    }
    if (child === undefined && group.linkNames.includes(part)) throw taken(name, `${part} is a link`)
    if (child instanceof GroupNode) group = child
    else {
      const made: GroupNode = new GroupNode(part, group)
      group.attach(made)
      group = made
    }
  }
  return group
}

function assertFree(parent: GroupNode, name: string): void {
  if (parent.isRoot && name === 'overview') throw taken(name, 'the file keeps its tables there')
  if (parent.has(name)) throw taken(`${parent.fullName}.${name}`, 'it already exists')
}

export function taken(name: string, found: string): PypetError {
  return new PypetError('PYPET_NAME_TAKEN', `${name} cannot be added: ${found}`, {
    where: name,
    hint: 'Choose another name. With noClobber, you get the existing node.',
  })
}

const RUN_BRANCHES: ReadonlySet<string> = new Set(['results', 'derived_parameters'])
/** pypet's own words for places. They cannot be names. */
const RESERVED: ReadonlySet<string> = new Set(['crun', 'crunset', 'runs_'])
