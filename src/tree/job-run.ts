/** The run as a job sees it: what it adds, and the tree, which is made when the job first asks for it. */
import { PypetError } from '../errors.ts'
import { type LeafOptions, LiveRun } from '../run/run.ts'
import type { GroupRecord, LeafRecord, LinkRecord } from '../run/run-record.ts'
import {
  type ItemName,
  type LoadStoredOptions,
  loadedValue,
  textOf,
  wantedItems,
} from '../run/stored-items.ts'
import { nearestName } from '../values/nearest-name.ts'
import { type OwnClass, ownClassOf } from '../values/own-class.ts'
import { parameterLocation } from '../values/path.ts'
import type { ParameterValue } from '../values/value.ts'
import { GroupNode, type LeafNode } from './nodes.ts'
import { METHODS_OF_TREE, type Run, type TreeMembers } from './run.ts'
import type { SentNodes } from './run-nodes.ts'
import { RunTree, type RunTreeOptions } from './run-tree.ts'

/** What all runs of a worker share. */
export interface JobTree {
  readonly source: () => SentNodes
  readonly options: () => RunTreeOptions
  readonly noClobber: boolean
}

/** Members that come from the tree of a run unchanged. */
const VALUES_OF_TREE = ['dpar', 'res', 'conf', 'exploredParameters'] as const satisfies (keyof TreeMembers)[]
export interface JobRun extends TreeMembers {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the members of the tree are defined below, all in the same way
export class JobRun extends LiveRun implements Run {
  readonly #jobTree: JobTree
  readonly #point: Readonly<Record<string, unknown>>
  readonly #derived: () => unknown
  #tree: RunTree | undefined
  /** Classes of instances that this run has added. */
  readonly #ownClasses = new Set<OwnClass>()
  /** Names of stored items, by the full name of the leaf. */
  readonly #released = new Map<string, readonly string[]>()

  /**
   * @param point explored values by name
   * @param derived values of explored derived parameters, like `par` for the others
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

  async loadItem<Value = unknown>(item: ItemName, options: LoadStoredOptions = {}): Promise<Value> {
    const wants = wantedItems(options)
    const { stored } = this
    const found = this.resolved(item)
    const fullName = stored.fullNameOf(found) ?? textOf(found)
    const node = this.#open().at(fullName)
    if (node === undefined || node.isRoot) throw stored.notStored(fullName)
    if (!(node instanceof GroupNode)) return (await this.#load(node as LeafNode, wants)) as Value
    const values: Record<string, unknown> = {}
    for (const leaf of node.iterLeaves()) {
      values[leaf.fullName.slice(fullName.length + 1)] = await this.#load(leaf, wants)
    }
    return values as Value
  }

  async loadItems(items: readonly ItemName[], options?: LoadStoredOptions): Promise<unknown[]> {
    return await Promise.all(items.map((item) => this.loadItem(item, options)))
  }

  async load<Value = unknown>(item: ItemName, options?: LoadStoredOptions): Promise<Value> {
    return await this.loadItem<Value>(item, options)
  }

  /** Loads from this run, from what was sent, or from the file if it was too large to send. Loads again each time. */
  async #load(leaf: LeafNode, wants: (item: string) => boolean): Promise<unknown> {
    if (leaf.branch === 'parameters') return leaf.get()
    const { fullName } = leaf
    const found = this.#jobTree.source().leaf(fullName) ?? (await this.stored.read(fullName))
    return loadedValue(found, wants, (name) => this.#open().ownClass(name))
  }

  protected override resolved(item: ItemName): ItemName {
    if (this.stored.fullNameOf(item) !== undefined) return item
    const name = textOf(item)
    const tree = this.#open()
    return tree.contains(name) ? tree.get(name) : name
  }

  override addDerivedParameter(name: string, value: ParameterValue, options: LeafOptions = {}): void {
    const own = ownClassOf(value)
    if (own !== undefined) {
      this.#ownClasses.add(own)
      this.#tree?.learnClass(own)
    }
    super.addDerivedParameter(name, value, options)
  }

  protected override current(leaf: LeafRecord): LeafRecord {
    return this.#tree?.recordOf(leaf) ?? leaf
  }

  protected override onReleased(location: string, items: readonly string[]): void {
    const released = [...(this.#released.get(location) ?? []), ...items]
    this.#released.set(location, released)
    this.#tree?.releaseLeaf(location, released)
  }

  protected override forget(location: string): void {
    this.#released.delete(location)
    super.forget(location)
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
      linkTo: (name: string, target: string) => this.linkTo(name, target),
      forget: (location: string) => this.forget(location),
      assertOpen: (where: string) => this.assertOpen(where),
    }
    const tree = new RunTree(source(), run, options())
    for (const own of this.#ownClasses) tree.learnClass(own)
    for (const leaf of this.added) tree.takeLeaf(leaf)
    for (const [location, items] of this.#released) tree.releaseLeaf(location, items)
    for (const link of this.links) tree.takeLink(link)
    this.#tree = tree
    return tree
  }

  static {
    for (const name of VALUES_OF_TREE) {
      Object.defineProperty(JobRun.prototype, name, {
        configurable: true,
        get(this: JobRun): unknown {
          return this.#open()[name]
        },
      })
    }
    for (const name of METHODS_OF_TREE) {
      Object.defineProperty(JobRun.prototype, name, {
        configurable: true,
        writable: true,
        value(this: JobRun, ...given: unknown[]): unknown {
          const tree = this.#open()
          return (tree[name] as (...given: unknown[]) => unknown).apply(tree, given)
        },
      })
    }
    // This proxy is asked last, if neither the run nor its classes have the name, so existing members cost nothing extra.
    Object.setPrototypeOf(LiveRun.prototype, new Proxy(Object.prototype, { get: refuseName, set: refuseSet }))
  }
}

/** Promises, JSON.stringify and inspection ask for these, not users. */
const ASKED_BY_PROGRAMS: ReadonlySet<string> = new Set(['then', 'toJSON', 'nodeType', 'asymmetricMatch'])

/** `traj.tau` must not become `undefined`, and then a NaN in days of results. */
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
  return 'Parameters are in traj.par, derived ones in traj.dpar, results in traj.res. Find a node with traj.get(name).'
}

function refuseSet(_target: object, name: string | symbol): boolean {
  throw new PypetError('PYPET_USAGE', `traj.${String(name)} cannot be assigned`, {
    where: `traj.${String(name)}`,
    hint: `Add a result: traj.addResult('${String(name)}', value). Set options before the runs begin.`,
  })
}

const VIEWS: Readonly<Record<string, string>> = {
  parameters: 'par',
  derived_parameters: 'dpar',
  results: 'res',
  config: 'conf',
}

/** Members for the run's own classes, not for jobs. */
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
  'linkTo',
  'current',
  'onReleased',
])

const MEMBERS = [JobRun, LiveRun]
  .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
  .concat(['idx', 'name', 'length', 'par', 'log', 'noClobber'])
  .filter((name) => !INTERNAL.has(name))
