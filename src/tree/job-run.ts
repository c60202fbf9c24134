/** The run as a job has it: what it adds, and the tree, which is made when it is first asked for. */
import { PypetError } from '../errors.ts'
import { nearestName } from '../trajectory/nearest-name.ts'
import { parameterLocation } from '../trajectory/path.ts'
import { LiveRun } from '../trajectory/run.ts'
import type { GroupRecord, LeafRecord, LinkRecord } from '../trajectory/run-record.ts'
import { type ItemName, type LoadStoredOptions, textOf, wantedItems } from '../trajectory/stored-items.ts'
import type { GetOptions, GroupNode, IterateOptions, LeafNode } from './group-node.ts'
import type { TreeNode } from './node.ts'
import type { NodeSource } from './node-source.ts'
import type { ParameterNode } from './parameter-node.ts'
import type { ResultNode } from './result-node.ts'
import type { Run } from './run.ts'
import { RunTree, type RunTreeOptions } from './run-tree.ts'
import { seenValue } from './seen-value.ts'

/** What all runs of a worker have in common. */
export interface JobTree {
  readonly source: () => NodeSource
  readonly options: () => RunTreeOptions
  readonly noClobber: boolean
}

export class JobRun extends LiveRun implements Run {
  readonly #jobTree: JobTree
  readonly #point: Readonly<Record<string, unknown>>
  readonly #derived: () => unknown
  #tree: RunTree | undefined

  /**
   * @param point explored values by name
   * @param derived values of the derived parameters that are explored, as `par` has those of the others
   */
  constructor(
    parts: ConstructorParameters<typeof LiveRun>[0] & {
      readonly tree: JobTree
      readonly point: Readonly<Record<string, unknown>>
      readonly derived: () => unknown
    },
  ) {
    super(parts)
    this.#jobTree = parts.tree
    this.#point = parts.point
    this.#derived = parts.derived
    this.noClobber = parts.tree.noClobber
  }

  get crun(): string {
    return this.name
  }

  get dpar(): Readonly<Record<string, unknown>> {
    return this.#open().dpar
  }

  get res(): Readonly<Record<string, unknown>> {
    return this.#open().res
  }

  // biome-ignore lint/suspicious/noExplicitAny: which names there are, of which types, is known at run time only
  get conf(): any {
    return this.#open().conf
  }

  get exploredParameters(): Readonly<Record<string, ParameterNode>> {
    return this.#open().exploredParameters
  }

  get(name: string, options: GetOptions = {}): TreeNode {
    return this.#open().get(name, options)
  }

  getParameter(name: string): ParameterNode {
    return this.#open().getParameter(name)
  }

  getResult(name: string): ResultNode {
    return this.#open().getResult(name)
  }

  getGroup(name: string): GroupNode {
    return this.#open().getGroup(name)
  }

  value<Value = unknown>(name: string): Value {
    return this.#open().value<Value>(name)
  }

  getDefault<Value>(name: string, preset: Value): Value {
    return this.#open().getDefault(name, preset)
  }

  contains(name: string, options: GetOptions = {}): boolean {
    return this.#open().contains(name, options)
  }

  getAll(name: string, options: GetOptions = {}): TreeNode[] {
    return this.#open().getAll(name, options)
  }

  iterNodes(options: IterateOptions = {}): Generator<TreeNode> {
    return this.#open().iterNodes(options)
  }

  iterLeaves(options: IterateOptions = {}): Generator<LeafNode> {
    return this.#open().iterLeaves(options)
  }

  toDict(options: Parameters<GroupNode['toDict']>[0] = {}): Record<string, unknown> {
    return this.#open().toDict(options)
  }

  override async loadItem<Value = unknown>(item: ItemName, options: LoadStoredOptions = {}): Promise<Value> {
    const { stored } = this
    const found = this.resolved(item)
    if (stored.has(found)) return await super.loadItem<Value>(found, options)
    if (typeof found === 'string') throw stored.notStored(found)
    const read = async (fullName: string) => {
      const items = await stored.readBefore(fullName)
      if (items.length === 0) throw stored.notStored(fullName)
      return items
    }
    return (await seenValue(found as TreeNode, wantedItems(options), read)) as Value
  }

  protected override resolved(item: ItemName): ItemName {
    if (this.stored.has(item)) return item
    const name = textOf(item)
    const tree = this.#open()
    return tree.contains(name) ? tree.get(name) : name
  }

  protected override current(leaf: LeafRecord): LeafRecord {
    return this.#tree?.recordOf(leaf) ?? leaf
  }

  protected override onReleased(location: string): void {
    this.#tree?.emptyLeaf(location)
  }

  override end(): readonly LeafRecord[] {
    const leaves = super.end()
    const tree = this.#tree
    return tree === undefined ? leaves : leaves.map((leaf) => tree.recordOf(leaf))
  }

  override get groups(): readonly GroupRecord[] {
    return this.#tree?.addedGroups ?? []
  }

  protected override onAdded(leaf: LeafRecord): void {
    try {
      this.#tree?.takeLeaf(leaf)
    } catch (error) {
      this.forget(leaf.location)
      throw error
    }
  }

  protected override onLinked(link: LinkRecord): void {
    this.#tree?.takeLink(link)
  }

  #open(): RunTree {
    if (this.#tree !== undefined) return this.#tree
    const { source, options } = this.#jobTree
    let derived: unknown
    const readValue = (fullName: string) => {
      const [branch, ...path] = fullName.split('.')
      if (branch !== 'parameters') derived ??= this.#derived()
      const values = branch === 'parameters' ? this.par : derived
      return path.reduce((inner, part) => (inner as Record<string, unknown>)[part], values)
    }
    const run = {
      idx: this.idx,
      name: this.name,
      length: this.length,
      readValue,
      explored: Object.keys(this.#point).map(parameterLocation),
      addResult: this.addResult.bind(this),
      addDerivedParameter: this.addDerivedParameter.bind(this),
      addLink: this.addLink.bind(this),
      forget: (location: string) => this.forget(location),
      assertOpen: (where: string) => this.assertOpen(where),
    }
    const tree = new RunTree(source(), run, options())
    for (const leaf of this.added) tree.takeLeaf(leaf)
    for (const link of this.links) tree.takeLink(link)
    this.#tree = tree
    return tree
  }

  static {
    // Found last, when neither the run nor its classes have a name: what is there costs nothing more.
    Object.setPrototypeOf(LiveRun.prototype, new Proxy(Object.prototype, { get: refuseName, set: refuseSet }))
  }
}

/** Asked by promises, JSON.stringify and inspection, not by users. */
const ASKED_BY_PROGRAMS: ReadonlySet<string> = new Set(['then', 'toJSON', 'nodeType', 'asymmetricMatch'])

/** `traj.tau` must not become `undefined` and then a NaN in nine days of results. */
function refuseName(target: object, name: string | symbol, run: JobRun): unknown {
  if (typeof name === 'symbol' || name in target) return Reflect.get(target, name, run)
  if (ASKED_BY_PROGRAMS.has(name) || !/^[A-Za-z][\w-]*$/.test(name)) return undefined
  throw new PypetError('PYPET_NODE_NOT_FOUND', `traj.${name}: a run has no property of that name`, {
    where: `traj.${name}`,
    hint: hintFor(run, name),
  })
}

function hintFor(run: JobRun, name: string): string {
  const [node] = run.getAll?.(name) ?? []
  const view = node === undefined ? undefined : VIEWS[node.branch]
  if (view !== undefined) return `Write traj.${view}.${name}, or traj.value('${name}').`
  const nearest = nearestName(name, MEMBERS)
  if (nearest !== undefined) return `Did you mean traj.${nearest}?`
  return 'Parameters are in traj.par, derived ones in traj.dpar, results in traj.res; traj.get(name) finds a node.'
}

function refuseSet(_target: object, name: string | symbol): boolean {
  throw new PypetError('PYPET_USAGE', `traj.${String(name)} cannot be assigned`, {
    where: `traj.${String(name)}`,
    hint: `Add a result: traj.addResult('${String(name)}', value). Options are set before the runs begin.`,
  })
}

const VIEWS: Readonly<Record<string, string>> = {
  parameters: 'par',
  derived_parameters: 'dpar',
  results: 'res',
  config: 'conf',
}

/** Of the run's own classes, not of jobs. */
const INTERNAL: ReadonlySet<string> = new Set([
  'constructor',
  'end',
  'onAdded',
  'onLinked',
  'forget',
  'assertOpen',
  'added',
  'stored',
  'storing',
  'resolved',
  'current',
  'onReleased',
])

const MEMBERS = [JobRun, LiveRun]
  .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
  .concat(['idx', 'name', 'length', 'par', 'log', 'noClobber'])
  .filter((name) => !INTERNAL.has(name))
