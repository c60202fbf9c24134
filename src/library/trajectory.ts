/** A trajectory with its file, for scripts (pypet `Trajectory`). */
import { dirname, extname, join, resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import type { OptionName } from '../experiment/options.ts'
import { runName } from '../names.ts'
import { RunData } from '../results/run-data.ts'
import type { ParameterTree } from '../run/parameter.ts'
import { backupFile, copyTrajectory } from '../storage/edit/compact-file.ts'
import type { StorageService } from '../storage/service/storage-service.ts'
import type { Explorable } from '../tree/explored-columns.ts'
import { EVERY_ITEM } from '../tree/node-source.ts'
import { GroupNode, type TreeNode } from '../tree/nodes.ts'
import type { RunFailureText, RunInformation } from '../tree/run-information.ts'
import { notFound } from '../tree/search.ts'
import { TREE_OPTIONS, TrajectoryTree, type TrajectoryTreeOptions } from '../tree/trajectory-tree.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import { deleteLinks, deleteNodes } from './delete-nodes.ts'
import { LEVEL_NAMES, type LoadLevels, levelOf } from './load-levels.ts'
import { mergeInMemory } from './merge-in-memory.ts'
import type { MergedInput, MergeOptions } from './merge-others.ts'
import { pointColumns } from './point-columns.ts'
import { type StoreOptions, storeNodes } from './store-nodes.ts'
import { type FileOptions, TrajectoryFile } from './trajectory-file.ts'
import { readInfo, type TrajectoryInfo } from './trajectory-info.ts'
import { type TableOptions, type TrajectoryTable, trajectoryTable } from './trajectory-table.ts'

export interface TrajectoryOptions<Tree> extends TrajectoryTreeOptions<Tree>, FileOptions {}

const OPTIONS = [
  ...TREE_OPTIONS,
  'name',
  'addTime',
  'comment',
  'parameters',
  'filename',
  'complevel',
  'overwrite',
  'lockWaitMs',
] as const satisfies (keyof TrajectoryOptions<unknown>)[]

export interface LoadItemOptions {
  /** Only these items of a result. */
  readonly only?: string | readonly string[]
  /** All items except these. */
  readonly except?: string | readonly string[]
  /** Also replace items in memory. */
  readonly overwrite?: boolean
}

type WrapMode = 'queue' | 'lock' | 'none' | 'QUEUE' | 'LOCK' | 'NONE'

/**
 * Options of an experiment that can be set on its trajectory, as in pypet: `traj.ncores = 4`. Each is an
 * option of the next run of the trajectory's environment, and can be set until it starts. Without an environment, they
 * are undefined and cannot be set.
 */
interface OptionsOfEnvironment {
  get multiproc(): boolean | undefined
  set multiproc(value: boolean)
  get ncores(): number | undefined
  set ncores(value: number)
  get wrapMode(): WrapMode | undefined
  set wrapMode(value: WrapMode)
  get continuable(): boolean | undefined
  set continuable(value: boolean)
  get fileTitle(): string | undefined
  set fileTitle(value: string)
  get purgeDuplicateComments(): boolean | undefined
  set purgeDuplicateComments(value: boolean)
  get exploredParameterOverviewInRuns(): boolean | undefined
  set exploredParameterOverviewInRuns(value: boolean)
  get resultsPerRun(): number | undefined
  set resultsPerRun(value: number)
  get derivedParametersPerRun(): number | undefined
  set derivedParametersPerRun(value: number)
}

const OPTIONS_OF_ENVIRONMENT = [
  'multiproc',
  'ncores',
  'wrapMode',
  'continuable',
  'fileTitle',
  'purgeDuplicateComments',
  'exploredParameterOverviewInRuns',
  'resultsPerRun',
  'derivedParametersPerRun',
] as const satisfies (keyof OptionsOfEnvironment & OptionName)[]

/** The options of the trajectory's environment. */
interface OptionAccess {
  get(option: OptionName): unknown
  /** @throws PypetError `PYPET_CONFIG_INVALID`; `PYPET_USAGE` after its run has started */
  set(option: OptionName, value: unknown): void
}

// biome-ignore lint/correctness/noUnusedVariables: the interface is joined to the class by its parameters
export interface Trajectory<Tree = ParameterTree> extends OptionsOfEnvironment {}

/**
 * A trajectory that is, or will be, stored in an HDF5 file. Until `store`, it exists only in memory. A loaded trajectory
 * keeps its file open for reading until you close it.
 *
 * @example
 * const traj = new Trajectory({ name: 'demo', filename: 'demo.h5', parameters: { x: 1 } })
 * traj.explore({ x: [1, 2, 3] })
 * traj.addResult('summary.mean', 2)
 * await traj.store()
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the accessors of these options are all made in the same way
export class Trajectory<Tree = ParameterTree> extends TrajectoryTree<Tree> {
  /** Loads, stores and changes data on disk. Only for this library. */
  readonly file: TrajectoryFile
  /** Your own storage, which `Environment.run` uses instead of an HDF5 file. */
  storageService: StorageService | undefined
  #options: OptionAccess | undefined
  #loadDepthMax = Number.POSITIVE_INFINITY
  #info: TrajectoryInfo | undefined
  #hasImported = false

  constructor(options: TrajectoryOptions<Tree> = {}) {
    assertKnownOptions(options, OPTIONS, 'new Trajectory')
    super(options)
    this.file = new TrajectoryFile(this, options)
  }

  static {
    for (const option of OPTIONS_OF_ENVIRONMENT) {
      Object.defineProperty(Trajectory.prototype, option, {
        configurable: true,
        get(this: Trajectory): unknown {
          return this.#options?.get(option)
        },
        set(this: Trajectory, value: unknown) {
          if (this.#options === undefined) throw withoutEnvironment(this.name, option, value)
          this.#options.set(option, value)
        },
      })
    }
  }

  /** Only for the environment. */
  useOptions(options: OptionAccess): void {
    this.#options = options
  }

  get filename(): string {
    return this.file.path
  }

  /** Closes the file. Data in memory stays. */
  close(): void {
    this.file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The program that wrote it: `pypet-ts 0.1.0` or pypet's version, with its runtime. Undefined until it is loaded. */
  get version(): string | undefined {
    return this.#info?.version
  }

  get runtimeVersion(): string | undefined {
    return this.#info?.runtimeVersion
  }

  /**
   * Writes what the file does not have yet: the trajectory itself, nodes, points, links, items, comments and annotations.
   * When the promise resolves, all of it is durable; on an error, none of it. Values in the file are replaced only with
   * `overwrite`. Without it, a value that was changed in memory is refused by name.
   *
   * @throws PypetError `PYPET_TRAJECTORY_EXISTS` if another trajectory of this name is in the file;
   *   `PYPET_TRAJECTORY_STORED` for changed values, `PYPET_TRAJECTORY_CHANGED` if others have stored other points, or
   *   something else under a name;
   *   `PYPET_FILE_LOCKED`, `PYPET_CNT_EXISTS`, `PYPET_FILE_NOT_WRITABLE`, `PYPET_STORAGE_FAILED`
   */
  async store(options: StoreOptions = {}): Promise<this> {
    await storeNodes(this.file, options.onlyInit === true ? [] : [this as TreeNode], options)
    return this
  }

  /** Writes some nodes and everything below them. @throws like `store`, and `PYPET_NODE_NOT_FOUND` */
  async storeItems(items: readonly (string | TreeNode)[], options: StoreOptions = {}): Promise<void> {
    const nodes = items.map((item) => (typeof item === 'string' ? this.get(item) : item))
    await storeNodes(this.file, nodes, options)
  }

  async storeItem(item: string | TreeNode, options: StoreOptions = {}): Promise<void> {
    await this.storeItems([item], options)
  }

  /**
   * Loads a trajectory from its file, as far as the levels say.
   *
   * @throws PypetError `PYPET_TRAJECTORY_NOT_FOUND`, `PYPET_TRAJECTORY_NEWER` unless `force` is set, and like `openHdf5Reader`
   */
  async load(
    options: LoadLevels & { readonly maxDepth?: number; readonly force?: boolean } = {},
  ): Promise<this> {
    assertKnownOptions(options, [...LEVEL_NAMES, 'maxDepth', 'force'], 'load')
    await this.importClasses()
    const { file } = this
    await file.open()
    const info = readInfo(file.source.reader, this.name, options.force === true)
    this.#info = info
    this.timestamp = info.timestamp
    this.restore(info.comment, file.source.head('')?.annotations ?? [])
    this.#loadDepthMax = options.maxDepth ?? Number.POSITIVE_INFINITY
    this.restoreExploration(info.explored, info.length)
    file.storedLength = info.length
    this.relist()
    for (const name of this.childNames) {
      const level = levelOf(name, options)
      // Runs need their points.
      const needed = new Set(name === 'parameters' && !this.autoLoad ? info.explored : [])
      // With autoLoad, everything else is loaded on access.
      if (level === 'nothing' && !this.autoLoad && needed.size === 0) continue
      const branch = this.child(name)
      if (!(branch instanceof GroupNode)) continue
      if (!branch.isStored) {
        const head = file.source.head(name)
        if (head === undefined) continue
        branch.restore(head.comment, head.annotations)
      }
      const isWhole = level === 'data' || level === 'overwrite'
      for (const leaf of isWhole || needed.size > 0 ? branch.iterLeaves() : []) {
        if (isWhole || needed.has(leaf.fullName)) this.loadLeaf(leaf, EVERY_ITEM, level === 'overwrite')
      }
    }
    return this
  }

  /**
   * Imports the classes that `dynamicImports` names by module, once. Called by `load` and by the run of an experiment.
   *
   * @throws PypetError `PYPET_CLASS_UNKNOWN`
   */
  async importClasses(): Promise<void> {
    const modules = this.#hasImported ? [] : this.dynamicImports.filter((given) => typeof given === 'string')
    this.#hasImported = true
    if (modules.length === 0) return
    const { importOwnClasses } = await import('./import-classes.ts')
    for (const own of await importOwnClasses(modules)) this.learnClass(own)
  }

  protected override onMissingClass(name: string, fullName: string): void {
    const shown = `${fullName} is shown as it was stored`
    process.emitWarning(
      `${shown}: its class ${name} is not known. Give it: { dynamicImports: ['./my-classes.ts#${name}'] }.`,
      {
        code: 'PYPET_CLASS_UNKNOWN',
      },
    )
  }

  /**
   * Parameters, results and facts of the runs in the file, one row per run: from finished, interrupted and running
   * experiments alike, in either layout. The facts are `run`, `status` (`stored`, `failed` or `missing`), `attempts`, `start`,
   * `runtime` and `failure`; `results.status` names a result of the same name. Reads the columns that you ask for, and
   * those that the options name.
   *
   * @throws PypetError `PYPET_DATA_NOT_STORED` without a file; `PYPET_COLUMN_UNKNOWN`, `PYPET_EXPRESSION_INVALID`, `PYPET_USAGE`
   * @example
   * const best = traj.table({ columns: ['x', 'z'], where: 'status == "stored"', sort: '-z', limit: 10 })
   * best.columns.z // Float64Array
   * for (const { x, z } of best) console.log(x, z)
   */
  table(options: TableOptions = {}): TrajectoryTable {
    const table = this.file.read(({ reader }) => trajectoryTable(RunData.open(reader, this.name), options))
    if (table === undefined) throw this.file.notStored(this.name)
    return table
  }

  /** The nodes of all branches, without data. */
  async loadSkeleton(): Promise<this> {
    return await this.load({ all: 'skeleton', parameters: 'data' })
  }

  /**
   * Reads leaves, or everything below groups, from the file.
   *
   * @throws PypetError `PYPET_DATA_NOT_STORED` if the file does not have one, `PYPET_USAGE` for both `only` and `except`
   */
  async loadItems(items: readonly (string | TreeNode)[], options: LoadItemOptions = {}): Promise<void> {
    assertKnownOptions(options, LOAD_ITEM_OPTIONS, 'loadItems')
    const wants = itemFilter(options)
    await this.file.open()
    for (const item of items) {
      const name = typeof item === 'string' ? item : item.fullName
      const node = typeof item === 'string' ? this.#inFile(item) : item
      const leaves = node instanceof GroupNode ? [...node.iterLeaves()] : [node]
      for (const leaf of leaves) {
        const isRead = leaf !== undefined && this.loadLeaf(leaf, wants, options.overwrite === true)
        if (!isRead) throw this.file.notStored(name)
      }
    }
  }

  async loadItem(item: string | TreeNode, options: LoadItemOptions = {}): Promise<void> {
    await this.loadItems([item], options)
  }

  /**
   * Deletes nodes from the file, with everything below them and the links to it. This HDF5 build cannot unlink. Deleted
   * nodes are noted in the table `overview/deleted_nodes` and no longer found here. Until `compact`, they take space and
   * other programs still see them.
   *
   * @param options `fromTrajectory`: also delete from memory. Nodes that were not loaded are removed in any case
   * @throws PypetError `PYPET_DATA_NOT_STORED`; `PYPET_NODE_NOT_FOUND`, also for the name of a link (use `deleteLink`);
   *   `PYPET_PARAMETER_LOCKED` for explored parameters, `PYPET_USAGE` for the trajectory itself
   */
  async deleteItems(
    items: readonly (string | TreeNode)[],
    options: { readonly fromTrajectory?: boolean } = {},
  ): Promise<void> {
    assertKnownOptions(options, ['fromTrajectory'], 'deleteItems')
    const { fromTrajectory = false } = options
    await this.file.inTurn(() => deleteNodes(this.file, items, fromTrajectory))
  }

  async deleteItem(
    item: string | TreeNode,
    options: { readonly fromTrajectory?: boolean } = {},
  ): Promise<void> {
    await this.deleteItems([item], options)
  }

  /**
   * Deletes links from the file. Their targets stay. Otherwise like `deleteItems`.
   *
   * @param links by name, like `group.link`
   * @param options `fromTrajectory`: also delete from memory
   * @throws PypetError `PYPET_NODE_NOT_FOUND` if it is not a link, `PYPET_DATA_NOT_STORED`
   */
  async deleteLinks(
    links: readonly string[],
    options: { readonly fromTrajectory?: boolean } = {},
  ): Promise<void> {
    assertKnownOptions(options, ['fromTrajectory'], 'deleteLinks')
    const { fromTrajectory = false } = options
    await this.file.inTurn(() => deleteLinks(this.file, links, fromTrajectory))
  }

  async deleteLink(link: string, options: { readonly fromTrajectory?: boolean } = {}): Promise<void> {
    await this.deleteLinks([link], options)
  }

  /**
   * Copies the trajectory into another file, or under another name, and continues with the copy.
   *
   * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_STORAGE_FAILED`
   */
  async migrate(target: { readonly filename: string }): Promise<void> {
    const file = resolve(target.filename)
    const { name: trajectory, filename } = this
    if (this.isStored) await copyTrajectory({ file: filename, trajectory }, { file, trajectory })
    this.close()
    this.file.path = file
    if (this.isStored) await this.file.open()
  }

  /** Copies the file to `backup_<trajectory>.h5` next to it, or to the target. Returns the path. */
  async backup(target?: string): Promise<string> {
    const path =
      target === undefined
        ? join(dirname(this.filename), `backup_${this.name}${extname(this.filename)}`)
        : resolve(target)
    await backupFile(this.filename, path)
    return path
  }

  /** Rewrites the file without deleted nodes, like `compactFile`. */
  async compact(): Promise<{ readonly bytesBefore: number; readonly bytesAfter: number }> {
    return await this.file.compact()
  }

  /** Called before others write the file, because deleted names block new ones. */
  async compactDeleted(): Promise<void> {
    await this.file.open()
    if (this.file.deleted().length > 0) await this.compact()
  }

  /**
   * Appends the runs of another trajectory with all their content, and copies content outside runs that this one lacks
   * (pypet `f_merge`). It works in memory: call `store` to write it. A trajectory in a file is read as a whole and not
   * changed. `mergeInto` merges files without reading them into memory.
   *
   * @returns what happened to the other: runs, duplicates, conflicts, what was left out
   * @throws PypetError `PYPET_MERGE_IMPOSSIBLE`; then nothing changes
   * @example
   * const report = await traj.merge(other, { removeDuplicates: true })
   * await traj.store()
   */
  async merge<Other>(other: TrajectoryTree<Other>, options: MergeOptions = {}): Promise<MergedInput> {
    return await mergeInMemory(this, other, options)
  }

  /** Like `merge`, for several trajectories. If one cannot be merged, those before it stay merged. */
  async mergeMany<Other>(
    others: readonly TrajectoryTree<Other>[],
    options: MergeOptions = {},
  ): Promise<MergedInput[]> {
    const merged: MergedInput[] = []
    for (const other of others) merged.push(await this.merge(other, options))
    return merged
  }

  /** Like that of the tree. While an experiment writes the file, the new points run. */
  override expand(given: Explorable<Tree>): this {
    if (!this.file.isExtending) return super.expand(given)
    const columns = pointColumns(this, given)
    super.expand(given)
    this.file.notePoints(columns)
    return this
  }

  /**
   * Like that of the tree.
   *
   * @throws PypetError like there, and `PYPET_TRAJECTORY_STORED` if nothing is explored and the single run is stored
   */
  override explore(given: Explorable<Tree>): this {
    if (Object.keys(this.exploredParameters).length > 0 || !this.keepsFirstRun()) return super.explore(given)
    throw new PypetError('PYPET_TRAJECTORY_STORED', `the run of ${this.name} is already stored`, {
      where: 'explore',
      hint: 'Add points after it with expand(points). The run keeps the defaults it had.',
    })
  }

  protected override keepsFirstRun(): boolean {
    return this.file.keepsFirstRun()
  }

  protected override refresh(): void {
    this.file.refresh()
  }

  override failureOf(run: RunIndex): RunFailureText | undefined {
    return super.failureOf(run) ?? this.file.read((stored) => stored.failures())?.get(run)
  }

  protected override informationOf(run: RunIndex): RunInformation {
    return this.file.runs()?.[run] ?? super.informationOf(run)
  }

  override entriesOf(group: GroupNode) {
    return group.depth >= this.#loadDepthMax ? [] : super.entriesOf(group)
  }

  /** Reads leaves without making nodes, so one value of each of many runs costs little more than the reading. */
  override valueAt(fullName: string, fastAccess: boolean): unknown {
    if (fastAccess && this.autoLoad && !isInMemory(this, fullName)) {
      const value = this.file.read((stored) => stored.quickNumber(fullName))
      if (value !== undefined) return value
    }
    return super.valueAt(fullName, fastAccess)
  }

  override columnAt(template: string): ((run: RunIndex) => unknown) | undefined {
    const read = this.autoLoad ? this.file.read((stored) => stored.columnAt(template)) : undefined
    if (read === undefined) return undefined
    // Runs with nodes in memory are few.
    const group = this.at(template.slice(0, template.indexOf('.$')))
    const inMemory = new Set(group instanceof GroupNode ? group.inMemory.map(({ name }) => name) : [])
    return (run) => (inMemory.has(runName(run)) ? undefined : read(run))
  }

  #inFile(name: string): TreeNode | undefined {
    const found = this.contains(name) ? this.get(name) : undefined
    if (found !== undefined) return found
    throw notFound(this as GroupNode, name)
  }
}

const LOAD_ITEM_OPTIONS = ['only', 'except', 'overwrite'] satisfies (keyof LoadItemOptions)[]

function itemFilter({ only, except }: LoadItemOptions): (item: string) => boolean {
  if (only !== undefined && except !== undefined) {
    throw new PypetError('PYPET_USAGE', 'only and except cannot be used together', {
      where: 'only',
      hint: 'Give one of them.',
    })
  }
  const named = new Set([only ?? except ?? []].flat())
  if (only === undefined && except === undefined) return EVERY_ITEM
  if (only !== undefined) return (item) => named.has(item)
  return (item) => !named.has(item)
}

function withoutEnvironment(trajectory: string, option: OptionName, value: unknown): PypetError {
  return new PypetError(
    'PYPET_USAGE',
    `${option} is an option of an environment, but ${trajectory} has none`,
    {
      where: option,
      hint: `Give it to the environment: new Environment({ trajectory, ${option}: ${JSON.stringify(value)} }).`,
    },
  )
}

/** Whether the last group, or the leaf, of a name has been made. */
function isInMemory(root: GroupNode, fullName: string): boolean {
  let group = root
  for (const part of fullName.split('.')) {
    if (!group.isInMemory(part)) return false
    const child = group.child(part)
    if (!(child instanceof GroupNode)) return true
    group = child
  }
  return true
}
