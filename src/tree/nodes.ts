/**
 * The nodes of a trajectory, which refer to each other: parameters, results and groups (pypet `naturalnaming.py`, class
 * `NNGroupNode`), and the trajectory as its nodes see it.
 */
import { PypetError } from '../errors.ts'
import { runOfName } from '../names.ts'
import type { ParameterTree, ParameterValues } from '../run/parameter.ts'
import type { LeafOptions, ResultItems } from '../run/run.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { ClassReference, OwnClass } from '../values/own-class.ts'
import type { RunIndex } from '../values/path.ts'
import type { ParameterValue, StorableValue } from '../values/value.ts'
import type { Explorable } from './explored-columns.ts'
import { NodeIn } from './node.ts'
import type { SourceEntry } from './node-source.ts'
import { ParameterLeaf } from './parameter-leaf.ts'
import { ResultLeaf } from './result-leaf.ts'
import type { RunInformation } from './run-information.ts'
import { findAll, findNode, findTyped, type GetOptions, type NodeKind, notFound } from './search.ts'
import { type DictOptions, dictOf } from './to-dict.ts'
import type { Wildcards } from './wildcards.ts'

export type TreeNode = NodeIn<GroupNode, Root>

export class ParameterNode extends ParameterLeaf<GroupNode, Root> {}

export class ResultNode extends ResultLeaf<GroupNode, Root> {}

/** The two kinds of leaves in memory. */
export type LeafNode = ParameterNode | ResultNode

export interface IterateOptions {
  /** Visit all levels, not only the children. */
  readonly recursive?: boolean
  readonly maxDepth?: number
  /** Runs whose groups are visited, or a function that selects nodes. All nodes by default. */
  readonly predicate?: readonly number[] | ((node: TreeNode) => boolean)
}

export interface FromRunsOptions {
  /** Return values instead of nodes. On by default. */
  readonly fastAccess?: boolean
  /** Use indices as keys instead of names. */
  readonly useIndices?: boolean
  /** Nodes below `run_ALL` count for runs without their own. On by default. */
  readonly includeDefaultRun?: boolean
}

const GET_OPTIONS = ['shortcuts', 'maxDepth', 'withLinks'] satisfies (keyof GetOptions)[]
const ITERATE_OPTIONS = ['recursive', 'maxDepth', 'predicate'] satisfies (keyof IterateOptions)[]
const DICT_OPTIONS = ['fastAccess', 'shortNames', 'nested'] satisfies (keyof DictOptions)[]
const CHILDREN_SHOWN_MAX = 8

/** The full name of a group's child or link with this name. */
export function nameIn(group: GroupNode, name: string): string {
  return group.isRoot ? name : `${group.fullName}.${name}`
}

/** In the file, but not made yet. */
const LAZY = Symbol('lazy')

export class GroupNode extends NodeIn<GroupNode, Root> {
  readonly isLeaf: boolean = false
  readonly #children = new Map<string, TreeNode | typeof LAZY>()
  /** Full names of the targets of links. */
  readonly #links = new Map<string, string>()
  /** Links in the file, with their targets there. */
  readonly #storedLinks = new Map<string, string>()
  #isListed = false

  protected get kind(): string {
    return 'Group'
  }

  /** Shows the content that is in memory. */
  protected shown(): string {
    const names = [...this.#children.keys(), ...this.#links.keys()]
    const more = names.length - CHILDREN_SHOWN_MAX
    return `${names.slice(0, CHILDREN_SHOWN_MAX).join(', ') || 'empty'}${more > 0 ? `, and ${more} more` : ''}`
  }

  /** Names of the nodes in this group, without links. */
  get childNames(): readonly string[] {
    this.#list()
    return [...this.#children.keys()]
  }

  get linkNames(): readonly string[] {
    this.#list()
    return [...this.#links.keys()]
  }

  get children(): readonly TreeNode[] {
    return this.childNames.map((name) => this.child(name)).filter((node) => node !== undefined)
  }

  get groups(): readonly GroupNode[] {
    return this.children.filter((node) => node instanceof GroupNode)
  }

  get leaves(): readonly LeafNode[] {
    return this.children.filter(isLeaf)
  }

  /** The links of this group: name → target node. */
  get links(): Readonly<Record<string, TreeNode>> {
    return Object.fromEntries(this.linkNames.map((name) => [name, this.linked(name) as TreeNode]))
  }

  /** The direct child with this name; undefined if there is none. */
  child(name: string): TreeNode | undefined {
    this.#list()
    const child = this.#children.get(name)
    if (child !== LAZY) return child
    const made = this.root.materialise(this, name)
    if (made === undefined) this.#children.delete(name)
    else this.#children.set(name, made)
    return made
  }

  /** The target of a link of this group. */
  linked(name: string): TreeNode | undefined {
    this.#list()
    const target = this.#links.get(name)
    return target === undefined ? undefined : this.root.at(target)
  }

  linkTarget(name: string): string | undefined {
    this.#list()
    return this.#links.get(name)
  }

  /**
   * Finds a node by name below this group, as in pypet: you may leave out parts of the name, and the nearest depth wins.
   * `$` stands for the current run of the trajectory, `run_5` and `r_5` for a run by its number.
   *
   * @throws PypetError `PYPET_NODE_NOT_FOUND` with the nearest name, `PYPET_NAME_AMBIGUOUS` with the candidates
   */
  get(name: string, options: GetOptions = {}): TreeNode {
    assertKnownOptions(options, GET_OPTIONS, 'get')
    const node = findNode(this, name, options)
    if (node !== undefined) return node
    throw notFound(this, name)
  }

  /**
   * Finds a parameter by name. On the trajectory, it searches below `parameters`, unless the name starts with another
   * branch. Nodes of other kinds are ignored.
   *
   * @throws like `get`, and `PYPET_NODE_NOT_FOUND` if only another kind of node has this name
   */
  getParameter(name: string): ParameterNode {
    return findTyped(this, name, PARAMETERS)
  }

  /** Finds a result by name, like `getParameter`. On the trajectory, it searches below `results`. */
  getResult(name: string): ResultNode {
    return findTyped(this, name, RESULTS)
  }

  /** Finds a group by name, like `getParameter`. If several branches have it, include the branch in the name. */
  getGroup(name: string): GroupNode {
    return findTyped(this, name, GROUPS)
  }

  /**
   * The value of a leaf: of a parameter at the current run, of a result with one item, or of the item that is the last part
   * of the name (`walk.end`). The caller chooses the type.
   *
   * @throws PypetError like `get`, `PYPET_NAME_AMBIGUOUS` for a result with several items
   */
  value<Value = unknown>(name: string): Value {
    const item = findNode(this, name, {}) === undefined ? this.#itemOf(name) : undefined
    if (item !== undefined) return item.result.get(item.name) as Value
    const node = this.get(name)
    if (node instanceof ParameterNode || node instanceof ResultNode) return node.get() as Value
    throw notFound(this, name, `${node.fullName} is a group`)
  }

  /** The result and its item, if the last part of the name is an item. */
  #itemOf(name: string): { readonly result: ResultNode; readonly name: string } | undefined {
    const dot = name.lastIndexOf('.')
    const result = dot < 0 ? undefined : findNode(this, name.slice(0, dot), {})
    const item = name.slice(dot + 1)
    return result instanceof ResultNode && result.has(item) ? { result, name: item } : undefined
  }

  /** The value, or the default if there is no such node. @throws `PYPET_NAME_AMBIGUOUS` */
  getDefault<Value>(name: string, preset: Value): Value {
    const isThere = findNode(this, name, {}) !== undefined || this.#itemOf(name) !== undefined
    return isThere ? this.value<Value>(name) : preset
  }

  /** Every node below this group whose full name ends in the given name, sorted by depth. */
  getAll(name: string, options: GetOptions = {}): TreeNode[] {
    assertKnownOptions(options, GET_OPTIONS, 'getAll')
    return findAll(this, name, options)
  }

  contains(name: string, options: GetOptions = {}): boolean {
    assertKnownOptions(options, GET_OPTIONS, 'contains')
    return findNode(this, name, options) !== undefined
  }

  /** All nodes below this one, breadth first. */
  *iterNodes(options: IterateOptions = {}): Generator<TreeNode> {
    assertKnownOptions(options, ITERATE_OPTIONS, 'iterNodes')
    const { recursive = true, maxDepth, predicate } = options
    const passes = predicateOf(predicate)
    let level: GroupNode[] = [this]
    for (let depth = 1; level.length > 0 && depth <= (maxDepth ?? Number.POSITIVE_INFINITY); depth += 1) {
      const next: GroupNode[] = []
      for (const group of level) {
        for (const node of group.children) {
          if (!passes(node)) continue
          yield node
          if (node instanceof GroupNode) next.push(node)
        }
      }
      if (!recursive) return
      level = next
    }
  }

  *iterLeaves(options: IterateOptions = {}): Generator<LeafNode> {
    for (const node of this.iterNodes(options)) {
      if (isLeaf(node)) yield node
    }
  }

  /**
   * Leaves by name.
   *
   * @param options `fastAccess`: values instead of nodes; `shortNames`: the last part of the full names; `nested`: groups
   *   as objects
   * @throws PypetError `PYPET_NAME_AMBIGUOUS` if two leaves have the same short name
   */
  toDict(options: DictOptions = {}): Record<string, unknown> {
    assertKnownOptions(options, DICT_OPTIONS, 'toDict')
    return dictOf(this, options)
  }

  /** Adds a group and missing groups above it. @throws PypetError `PYPET_NAME_ILLEGAL`, `PYPET_NAME_TAKEN` */
  addGroup(name: string, options: LeafOptions = {}): GroupNode {
    return this.root.addGroupIn(this, name, options)
  }

  /** Adds a parameter below `parameters`. @throws like `TrajectoryTree.addParameter` */
  addParameter(name: string, value: ParameterValue, options: LeafOptions = {}): ParameterNode {
    return this.root.addParameterIn(this, 'parameters', name, value, options)
  }

  addDerivedParameter(name: string, value: ParameterValue, options: LeafOptions = {}): ParameterNode {
    return this.root.addParameterIn(this, 'derived_parameters', name, value, options)
  }

  addConfig(name: string, value: ParameterValue, options: LeafOptions = {}): ParameterNode {
    return this.root.addParameterIn(this, 'config', name, value, options)
  }

  /**
   * Adds a result: one value, several named values, or an instance of your own class with `store()`.
   *
   * @throws PypetError `PYPET_NAME_ILLEGAL`, `PYPET_NAME_TAKEN`, `PYPET_VALUE_UNSUPPORTED`
   */
  addResult(
    name: string,
    value?: StorableValue | ResultItems | object,
    options: LeafOptions = {},
  ): ResultNode {
    return this.root.addResultIn(this, name, value, options)
  }

  /** Adds a leaf to this group: a parameter below `parameters` and similar branches, otherwise a result. */
  addLeaf(name: string, value?: StorableValue | ResultItems | object, options: LeafOptions = {}): LeafNode {
    return this.root.addLeafIn(this, name, value, options)
  }

  /**
   * Adds a link to another node. A link to a link gets the same target.
   *
   * @throws PypetError `PYPET_NAME_ILLEGAL`, `PYPET_NAME_TAKEN`, `PYPET_NODE_NOT_FOUND`
   */
  addLink(name: string, target: TreeNode | string): void {
    this.root.addLinkIn(this, name, target)
  }

  /** Removes a link from memory. A stored link stays in the file until `deleteLink`. */
  removeLink(name: string): boolean {
    this.#list()
    if (this.#links.has(name)) this.root.forgetLink(this, name)
    return this.#links.delete(name)
  }

  /**
   * Removes a node and the links to it from memory. Stored data stays in the file. With `autoLoad`, it is loaded again on
   * access.
   *
   * @throws PypetError `PYPET_NODE_NOT_FOUND`; `PYPET_GROUP_NOT_EMPTY` for a group with content, unless `recursive` is set
   */
  removeChild(name: string, options: { readonly recursive?: boolean } = {}): void {
    assertKnownOptions(options, ['recursive'], 'removeChild')
    const { recursive = false } = options
    const node = this.child(name)
    if (node === undefined) throw notFound(this, name)
    if (node instanceof GroupNode && !recursive && node.childNames.length > 0) {
      throw new PypetError('PYPET_GROUP_NOT_EMPTY', `${node.fullName} is not empty`, {
        where: node.fullName,
        hint: 'To remove its content too, give { recursive: true }.',
      })
    }
    this.root.assertChangeable(node, 'remove')
    this.root.forgetLinksTo(node)
    if (node.isStored && this.root.hasSource) this.#children.set(name, LAZY)
    else this.#children.delete(name)
  }

  /** Removes a node for good, after it was deleted from the file. */
  drop(name: string): void {
    this.#children.delete(name)
    this.#links.delete(name)
  }

  /** Only for the trajectory. */
  attach(node: TreeNode): void {
    this.#children.set(node.name, node)
  }

  attachLink(name: string, target: string): void {
    this.#links.set(name, target)
  }

  isLinkStored(name: string): boolean {
    return this.storedLinkTarget(name) !== undefined
  }

  /** The target of the link in the file; undefined if the file does not have the link. */
  storedLinkTarget(name: string): string | undefined {
    this.#list()
    return this.#storedLinks.get(name)
  }

  noteLinkStored(name: string): void {
    const target = this.#links.get(name)
    if (target !== undefined) this.#storedLinks.set(name, target)
  }

  /** Called after the link was deleted from the file. */
  noteLinkDeleted(name: string): void {
    this.#storedLinks.delete(name)
  }

  has(name: string): boolean {
    this.#list()
    return this.#children.has(name) || this.#links.has(name)
  }

  /** Whether a child is in memory, without asking the file. */
  isInMemory(name: string): boolean {
    const child = this.#children.get(name)
    return child !== undefined && child !== LAZY
  }

  /** Links of this group and below, for removing a target. */
  *allLinks(): Generator<readonly [group: GroupNode, name: string, target: string]> {
    for (const [name, target] of this.#links) yield [this, name, target]
    for (const child of this.#children.values()) if (child instanceof GroupNode) yield* child.allLinks()
  }

  /** Reads the names in the file again at the next access. */
  relist(): void {
    this.#isListed = false
  }

  /** Like `relist`, for this group and all groups below it in memory. */
  relistAll(): void {
    this.#isListed = false
    for (const child of this.inMemory) if (child instanceof GroupNode) child.relistAll()
  }

  /** Children in memory, without asking the file. */
  get inMemory(): readonly TreeNode[] {
    return [...this.#children.values()].filter((child) => child !== LAZY)
  }

  #list(): void {
    if (this.#isListed) return
    if (!this.isStored) return
    const entries = this.root.entriesOf(this)
    if (entries === undefined) return
    this.#isListed = true
    this.#forgetGone(new Set(entries.map(({ name }) => name)))
    for (const { name, target } of entries) {
      if (target !== undefined) {
        this.#storedLinks.set(name, target)
        if (!this.#children.has(name) && !this.#links.has(name)) this.#links.set(name, target)
      } else if (!this.#children.has(name)) this.#children.set(name, LAZY)
    }
  }

  /** Removes nodes that the file no longer has. */
  #forgetGone(there: ReadonlySet<string>): void {
    for (const [name, child] of this.#children) {
      if (there.has(name)) continue
      if (child === LAZY || this.root.isGone(child)) this.#children.delete(name)
    }
    for (const [name, target] of this.#storedLinks) {
      if (there.has(name)) continue
      this.#storedLinks.delete(name)
      if (this.#links.get(name) === target) this.#links.delete(name)
    }
  }
}

/** The trajectory as its nodes see it. `TrajectoryTree` documents each member. */
export interface Root<Tree = ParameterTree> extends GroupNode {
  // For users.

  timestamp: number
  shortcuts: boolean
  maxDepth: number
  noClobber: boolean
  autoLoad: boolean
  readonly wildcards: Wildcards
  readonly dynamicImports: readonly ClassReference[]
  readonly time: string
  readonly par: ParameterValues<Tree>
  readonly dpar: Readonly<Record<string, unknown>>
  readonly res: Readonly<Record<string, unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: like in `TrajectoryTree`
  readonly conf: any
  readonly crunValues: Readonly<Record<string, unknown>>
  readonly length: number
  idx: RunIndex
  crun: string | null
  setCrun(run: string | RunIndex | null): void
  restoreDefault(): void
  idxToRun(run: RunIndex): string
  idxToRun(run: string): RunIndex
  readonly runNames: string[]
  startRun(run: RunIndex): void
  finishRun(): void
  readonly isRun: boolean
  iterRuns(start?: number, stop?: number, step?: number): Generator<RunIndex>
  explore(given: Explorable<Tree>): this
  expand(given: Explorable<Tree>): this
  shrink(options?: { readonly force?: boolean }): this
  readonly exploredParameters: Readonly<Record<string, ParameterNode>>
  findIdx(names: string | readonly string[], predicate: (...values: never[]) => boolean): Generator<RunIndex>
  runInformation(run: string | RunIndex): RunInformation
  isCompleted(run?: string | RunIndex): boolean
  getFromRuns<Value = unknown>(name: string, options?: FromRunsOptions): Record<string, Value>
  presetParameter(name: string, value: unknown): void
  presetConfig(name: string, value: unknown): void
  assertPresetsUsed(): void
  at(fullName: string): TreeNode | undefined
  copy(): Root<Tree>

  // For nodes.

  assertChangeable(node: TreeNode, attempt: string): void
  readonly hasSource: boolean
  entriesOf(group: GroupNode): readonly SourceEntry[] | undefined
  materialise(parent: GroupNode, name: string): TreeNode | undefined
  isGone(node: TreeNode): boolean
  autoLoadLeaf(leaf: TreeNode): void
  addGroupIn(group: GroupNode, name: string, options: LeafOptions): GroupNode
  addParameterIn(
    group: GroupNode,
    branch: 'parameters' | 'derived_parameters' | 'config',
    name: string,
    value: ParameterValue,
    options: LeafOptions,
  ): ParameterNode
  addResultIn(group: GroupNode, name: string, value: unknown, options: LeafOptions): ResultNode
  addLeafIn(group: GroupNode, name: string, value: unknown, options: LeafOptions): LeafNode
  addLinkIn(group: GroupNode, name: string, target: TreeNode | string): void
  forgetLink(group: GroupNode, name: string): void
  forgetLinksTo(node: TreeNode): void
  learnClass(own: OwnClass): void
  ownClass(name: string): OwnClass | undefined
  readonly classNames: readonly string[]
  missClass(name: string, fullName: string): void
}

function predicateOf(predicate: IterateOptions['predicate']): (node: TreeNode) => boolean {
  if (predicate === undefined) return () => true
  if (typeof predicate === 'function') return predicate
  const runs = new Set(predicate)
  return (node) => {
    const run = runOfName(node.name)
    return run === undefined || runs.has(run)
  }
}

function isLeaf(node: TreeNode): node is LeafNode {
  return !(node instanceof GroupNode)
}

/** Derived parameters are in their own branch, which is searched second. */
const PARAMETERS: NodeKind<TreeNode, ParameterNode> = {
  noun: 'parameter',
  branch: 'parameters',
  otherBranch: 'derived_parameters',
  isOne: (node) => node instanceof ParameterNode,
}

/** Results may also be in the user's own groups. */
const RESULTS: NodeKind<TreeNode, ResultNode> = {
  noun: 'result',
  branch: 'results',
  isElsewhere: true,
  isOne: (node) => node instanceof ResultNode,
}

const GROUPS: NodeKind<TreeNode, GroupNode> = { noun: 'group', isOne: (node) => node instanceof GroupNode }
