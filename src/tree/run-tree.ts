/** The tree that a job sees: the content of the trajectory when the runs began, and what its own run has added. */
import { PypetError } from '../errors.ts'
import { isRunName } from '../names.ts'
import type { LeafOptions } from '../run/run.ts'
import type { GroupRecord, LeafRecord, LinkRecord } from '../run/run-record.ts'
import type { RunIndex } from '../values/path.ts'
import type { ParameterValue } from '../values/value.ts'
import { taken } from './add.ts'
import type { NodeSource, SourceEntry } from './node-source.ts'
import { GroupNode, type LeafNode, ParameterNode, ResultNode, type TreeNode } from './nodes.ts'
import { findNode } from './search.ts'
import { TrajectoryTree, type TrajectoryTreeOptions } from './trajectory-tree.ts'

/** The run that a tree belongs to. Nodes added through the tree are added to the run, by its rules. */
export interface TreeRun {
  readonly idx: RunIndex
  /** `run_00000012`. */
  readonly name: string
  /** Number of runs. */
  readonly length: number
  /** The run's value of a parameter of the experiment, by full name. */
  readonly readValue: (fullName: string) => unknown
  /** Full names of explored parameters. */
  readonly explored: readonly string[]
  readonly addResult: (name: string, value: never, options: LeafOptions) => void
  readonly addDerivedParameter: (name: string, value: ParameterValue, options: LeafOptions) => void
  /** Links to something that the run has added, by its full name. */
  readonly linkTo: (name: string, target: string) => void
  /** Called when something that the run added is removed again. */
  readonly forget: (location: string) => void
  /** @throws PypetError `PYPET_RUN_ENDED` */
  readonly assertOpen: (where: string) => void
}

export type RunTreeOptions = Pick<TrajectoryTreeOptions<never>, 'shortcuts' | 'maxDepth' | 'dynamicImports'>

export class RunTree extends TrajectoryTree {
  readonly #run: TreeRun

  constructor(source: NodeSource, run: TreeRun, options: RunTreeOptions) {
    super({ ...options, autoLoad: true })
    this.#run = run
    this.source = source
    this.isStored = true
    for (const branch of this.groups) {
      const head = source.head(branch.name)
      branch.restore(head?.comment ?? '', head?.annotations ?? [])
    }
    this.restoreExploration(run.explored, run.length)
    super.startRun(run.idx)
    this.#groupAt(['results', 'runs', run.name])
  }

  /** Adds a leaf of the run to the tree. @throws PypetError `PYPET_NAME_TAKEN` if a group has the name */
  takeLeaf({ location, kind, comment, annotations = [], userClass, items }: LeafRecord): void {
    const parts = location.split('.')
    const name = parts.pop() as string
    const parent = this.#groupAt(parts)
    if (parent.has(name)) throw taken(location, 'it already exists')
    const node = kind === 'result' ? new ResultNode(name, parent) : new ParameterNode(name, parent)
    node.restore(comment, annotations)
    node.isStored = false
    if (node instanceof ResultNode) node.adoptItems(items, userClass)
    else {
      node.restoreValue(items[0]?.value, undefined)
      node.userClass = userClass
      node.unlock()
    }
    parent.attach(node)
  }

  takeLink({ location, target }: LinkRecord): void {
    const parts = location.split('.')
    const name = parts.pop() as string
    this.#groupAt(parts).attachLink(name, target)
  }

  /**
   * The current state of a leaf that the run has added.
   *
   * @throws PypetError `PYPET_VALUE_UNSUPPORTED` if it was emptied
   */
  recordOf(leaf: LeafRecord): LeafRecord {
    const { annotations: _, userClass: _added, ...rest } = leaf
    const node = this.at(leaf.location) as LeafNode
    const { userClass } = node
    const annotations = node.storedAnnotations
    const items =
      node instanceof ResultNode
        ? node.storedItems
        : node.stored === undefined
          ? []
          : [{ name: 'data', value: node.stored }]
    if (items.length === 0 && leaf.parts === undefined) {
      throw new PypetError('PYPET_VALUE_UNSUPPORTED', `${leaf.location} cannot be stored: it is empty`, {
        where: leaf.location,
        hint: 'Give it a value, or remove it.',
      })
    }
    return {
      ...rest,
      comment: node.comment,
      ...(annotations.length > 0 && { annotations }),
      ...(userClass !== undefined && { userClass }),
      items,
    }
  }

  /** Frees items that are stored. */
  releaseLeaf(location: string, items: readonly string[]): void {
    const node = this.at(location) as LeafNode
    if (node instanceof ResultNode) node.release(items)
    else (node as ParameterNode).restoreValue(undefined, undefined)
  }

  /** Groups of the run with a comment or annotations, and empty groups. */
  get addedGroups(): GroupRecord[] {
    return [...newGroups(this)].flatMap((group) => {
      const { fullName: location, comment, storedAnnotations: annotations } = group
      const isEmpty = group.inMemory.length + group.linkNames.length === 0
      const isDescribed = comment !== '' || annotations.length > 0
      return isDescribed || (isEmpty && group.name !== this.#run.name)
        ? [{ location, comment, annotations }]
        : []
    })
  }

  override assertChangeable(node: TreeNode, attempt: string): void {
    // Called while the tree is still being made.
    if (!(#run in this)) return
    const { fullName } = node
    if (!this.#isOwn(fullName) || node.isStored) throw this.#locked(attempt, fullName)
    this.#run.assertOpen(fullName)
  }

  override forgetLink(group: GroupNode, name: string): void {
    const location = `${group.fullName}.${name}`
    if (!this.#isOwn(location)) throw this.#locked('remove', location)
    this.#run.assertOpen(location)
    this.#run.forget(location)
  }

  override forgetLinksTo(node: TreeNode): void {
    super.forgetLinksTo(node)
    const below = node instanceof GroupNode ? [...node.iterLeaves()] : []
    for (const { fullName } of [node, ...below]) this.#run.forget(fullName)
  }

  override entriesOf(group: GroupNode): readonly SourceEntry[] | undefined {
    const entries = super.entriesOf(group)
    const isForeign = ({ name }: SourceEntry) => isRunName(name) && name !== this.#run.name
    return entries?.some(isForeign) ? entries.filter((entry) => !isForeign(entry)) : entries
  }

  override materialise(parent: GroupNode, name: string): TreeNode | undefined {
    const node = super.materialise(parent, name)
    if (!(node instanceof ParameterNode)) return node
    const { branch, fullName } = node
    const isExplored = this.#run.explored.includes(fullName)
    if (branch === 'parameters' || isExplored) {
      node.showRun({ get: () => this.#run.readValue(fullName), isExplored })
    }
    return node
  }

  override addGroupIn(group: GroupNode, name: string, options: LeafOptions): GroupNode {
    this.#run.assertOpen(name)
    const added = super.addGroupIn(group, name, options)
    if (added.isStored || this.#isOwn(added.fullName)) return added
    added.parent?.drop(added.name)
    throw this.#locked('add', added.fullName)
  }

  override addParameterIn(
    group: GroupNode,
    branch: 'parameters' | 'derived_parameters' | 'config',
    name: string,
    value: ParameterValue,
    options: LeafOptions,
  ): ParameterNode {
    if (branch !== 'derived_parameters') return super.addParameterIn(group, branch, name, value, options)
    const given = this.#nameIn(group, branch, name)
    this.#run.addDerivedParameter(given, value, options)
    return this.at(this.#fullName(branch, given)) as ParameterNode
  }

  override addResultIn(group: GroupNode, name: string, value: unknown, options: LeafOptions): ResultNode {
    const given = this.#nameIn(group, 'results', name)
    this.#run.addResult(given, value as never, options)
    return this.at(this.#fullName('results', given)) as ResultNode
  }

  override addLeafIn(group: GroupNode, name: string, value: unknown, options: LeafOptions): LeafNode {
    const [first, ...rest] = name.split('.') as [string, ...string[]]
    const branch = group.isRoot ? first : group.branch
    const within = group.isRoot ? rest.join('.') : name
    const place = group.isRoot ? (this.at(branch) as GroupNode) : group
    if (branch === 'results') return this.addResultIn(place, within, value, options)
    return this.addParameterIn(
      place,
      branch as 'derived_parameters',
      within,
      value as ParameterValue,
      options,
    )
  }

  override addLinkIn(group: GroupNode, name: string, target: TreeNode | string): void {
    const { fullName } = typeof target === 'string' ? this.get(target) : target
    this.#run.linkTo(this.#nameIn(group, 'results', name), fullName)
  }

  override explore(_given: unknown): never {
    throw this.#locked('explore', 'the trajectory')
  }

  override expand(_given: unknown): never {
    throw this.#locked('expand', 'the trajectory')
  }

  override shrink(): never {
    throw this.#locked('shrink', 'the trajectory')
  }

  #isOwn(fullName: string): boolean {
    return fullName.split('.').includes(this.#run.name)
  }

  /** A name in a group, in the form in which the run takes it. */
  #nameIn(group: GroupNode, branch: string, name: string): string {
    if (group.isRoot || group.fullName === branch) return name
    const [groupBranch, ...below] = group.fullName.split('.')
    const fullName = `${group.fullName}.${name}`
    if (groupBranch !== branch) throw taken(fullName, `it belongs to ${branch}`)
    if (!this.#isOwn(group.fullName)) throw this.#locked('add', fullName)
    const isPlain = !name.split('.').includes('$')
    return isPlain ? this.#asAdded([...below, name]) : [...below.map(this.#wildcard), name].join('.')
  }

  /** The name below a branch, as it was given when the node was added. */
  #asAdded([first, second, ...below]: readonly string[]): string {
    if (first === 'runs' && second === this.#run.name) return below.join('.')
    return [first, second, ...below]
      .filter((part) => part !== undefined)
      .map(this.#wildcard)
      .join('.')
  }

  readonly #wildcard = (part: string): string => (part === this.#run.name ? '$' : part)

  #fullName(branch: string, given: string): string {
    const parts = given.split('.')
    const prefix = parts.includes('$') ? branch : `${branch}.runs.${this.#run.name}`
    return `${prefix}.${this.wildcards.replace(given, this.#run.idx)}`
  }

  /** The group with these names. Missing groups are made. */
  #groupAt(parts: readonly string[]): GroupNode {
    let group: GroupNode = this
    for (const part of parts) {
      const child = group.child(part)
      if (child instanceof GroupNode) {
        group = child
        continue
      }
      if (group.has(part)) throw taken(`${group.fullName}.${part}`, 'it already exists and is not a group')
      const made: GroupNode = new GroupNode(part, group)
      group.attach(made)
      group = made
    }
    return group
  }

  #locked(attempt: string, what: string): PypetError {
    return new PypetError('PYPET_PARAMETER_LOCKED', `cannot ${attempt} ${what} during a run`, {
      where: what,
      hint: 'A run can change only what it has added itself. Add a result or a derived parameter.',
    })
  }
}

function* newGroups(group: GroupNode): Generator<GroupNode> {
  for (const child of group.inMemory) {
    if (!(child instanceof GroupNode)) continue
    if (!child.isStored) yield child
    yield* newGroups(child)
  }
}

/**
 * Finds parameters by shortcuts, for `traj.par`, whose groups have values instead of nodes. The places are the same in
 * all runs.
 *
 * @returns the full name for a name in a group of parameters; undefined if there is none.
 *   Throws `PYPET_NAME_AMBIGUOUS`
 */
export function parameterFinder(
  source: () => NodeSource,
  options: () => RunTreeOptions,
): (group: string, name: string) => string | undefined {
  let tree: TrajectoryTree | undefined
  return (group, name) => {
    tree ??= new SourceTree(source(), options())
    const start = tree.at(group)
    return start instanceof GroupNode ? findNode(start, name, {})?.fullName : undefined
  }
}

/** A source as a tree, without a current run. */
class SourceTree extends TrajectoryTree {
  constructor(source: NodeSource, options: RunTreeOptions) {
    super({ ...options, autoLoad: true })
    this.source = source
    this.isStored = true
    for (const branch of this.groups) branch.isStored = true
  }
}
