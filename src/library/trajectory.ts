/** A trajectory with the file it is stored in: what scripts use (pypet `Trajectory`). */
import { dirname, extname, join, resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import type { OptionName } from '../experiment/options.ts'
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
  /** All items but these. */
  readonly except?: string | readonly string[]
  /** Also in the place of what is in memory. */
  readonly overwrite?: boolean
}

type WrapMode = 'queue' | 'lock' | 'none' | 'QUEUE' | 'LOCK' | 'NONE'

/**
 * Options of an experiment that can be set on its trajectory, as the original document does: `traj.ncores = 4`. Each is an
 * option of the next run of the trajectory's environment, and can be set until that begins. Undefined, and not to be set,
 * without an environment.
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

/** The options of the environment whose trajectory it is. */
interface OptionAccess {
  get(option: OptionName): unknown
  /** @throws PypetError `PYPET_CONFIG_INVALID`; `PYPET_USAGE` when its run has begun */
  set(option: OptionName, value: unknown): void
}

// biome-ignore lint/correctness/noUnusedVariables: the interface is joined to the class by its parameters
export interface Trajectory<Tree = ParameterTree> extends OptionsOfEnvironment {}

/**
 * A trajectory that is stored in an HDF5 file, or will be. Until `store` it lives in memory. One that was loaded holds
 * its file open for reading until it is closed.
 *
 * @example
 * const traj = new Trajectory({ name: 'demo', filename: 'demo.h5', parameters: { x: 1 } })
 * traj.explore({ x: [1, 2, 3] })
 * traj.addResult('summary.mean', 2)
 * await traj.store()
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the accessors of these options are made all alike
export class Trajectory<Tree = ParameterTree> extends TrajectoryTree<Tree> {
  /** What is loaded, stored and changed on disk; for this library. */
  readonly file: TrajectoryFile
  /** A storage of one's own, which `Environment.run` uses in the place of an HDF5 file. */
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

  /** For the environment alone. */
  useOptions(options: OptionAccess): void {
    this.#options = options
  }

  get filename(): string {
    return this.file.path
  }

  /** Gives the file free. What is in memory stays. */
  close(): void {
    this.file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** What wrote it: `pypet-ts 0.1.0` or pypet's version; and with what. Undefined until it is loaded. */
  get version(): string | undefined {
    return this.#info?.version
  }

  get runtimeVersion(): string | undefined {
    return this.#info?.runtimeVersion
  }

  /**
   * Writes what the file does not have yet: the trajectory itself, nodes, points, links, items, comments and annotations.
   * All of it is durable when this resolves, or none. Values that the file holds already are replaced with `overwrite`
   * only: without it, one that has been changed in memory is refused by name.
   *
   * @throws PypetError `PYPET_TRAJECTORY_EXISTS` when another trajectory of this name is in the file;
   *   `PYPET_TRAJECTORY_STORED` for changed values, `PYPET_TRAJECTORY_CHANGED` where others have stored other points, or
   *   something else under a name;
   *   `PYPET_FILE_LOCKED`, `PYPET_CNT_EXISTS`, `PYPET_FILE_NOT_WRITABLE`, `PYPET_STORAGE_FAILED`
   */
  async store(options: StoreOptions = {}): Promise<this> {
    await storeNodes(this.file, options.onlyInit === true ? [] : [this as TreeNode], options)
    return this
  }

  /** Writes some nodes, with everything below them. @throws as `store`, and `PYPET_NODE_NOT_FOUND` */
  async storeItems(items: readonly (string | TreeNode)[], options: StoreOptions = {}): Promise<void> {
    const nodes = items.map((item) => (typeof item === 'string' ? this.get(item) : item))
    await storeNodes(this.file, nodes, options)
  }

  async storeItem(item: string | TreeNode, options: StoreOptions = {}): Promise<void> {
    await this.storeItems([item], options)
  }

  /**
   * Reads what the levels say, of a trajectory that is in the file.
   *
   * @throws PypetError `PYPET_TRAJECTORY_NOT_FOUND`, `PYPET_TRAJECTORY_NEWER` unless `force`, and as `openHdf5Reader`
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
      // Runs are nothing without their points.
      const needed = new Set(name === 'parameters' && !this.autoLoad ? info.explored : [])
      // What is not loaded now is there when it is asked for.
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
   * Imports the classes that `dynamicImports` names by their modules, once; `load` and the run of an experiment do so.
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

  /** The nodes of all branches, without data. */
  async loadSkeleton(): Promise<this> {
    return await this.load({ all: 'skeleton', parameters: 'data' })
  }

  /**
   * Reads leaves, or what is below groups, from the file.
   *
   * @throws PypetError `PYPET_DATA_NOT_STORED` when the file does not have one, `PYPET_USAGE` for both `only` and `except`
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
   * Deletes nodes from the file, with everything below them and the links to it. HDF5 as we have it cannot unlink: what is
   * deleted is noted in the table `overview/deleted_nodes`, is not found here any more, and takes its space until
   * `compact`; other programs see it until then.
   *
   * @param options `fromTrajectory`: from memory too; what was not loaded goes in any case
   * @throws PypetError `PYPET_DATA_NOT_STORED`; `PYPET_NODE_NOT_FOUND`, also for the name of a link, which `deleteLink` deletes;
   *   `PYPET_PARAMETER_LOCKED` for what is explored, `PYPET_USAGE` for the trajectory itself
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
   * Deletes links from the file; what they lead to stays. As `deleteItems`.
   *
   * @param links by name, as `group.link`
   * @param options `fromTrajectory`: from memory too
   * @throws PypetError `PYPET_NODE_NOT_FOUND` for what is not a link, `PYPET_DATA_NOT_STORED`
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
   * Copies the trajectory into another file, or under another name, and goes on there.
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

  /** Copies the file to `backup_<trajectory>.h5` beside it, or to the target. Gives the path. */
  async backup(target?: string): Promise<string> {
    const path =
      target === undefined
        ? join(dirname(this.filename), `backup_${this.name}${extname(this.filename)}`)
        : resolve(target)
    await backupFile(this.filename, path)
    return path
  }

  /** Rewrites the file without what was deleted. As `compactFile`. */
  async compact(): Promise<{ readonly bytesBefore: number; readonly bytesAfter: number }> {
    return await this.file.compact()
  }

  /** Before others write into the file: what was deleted there is in the way of what is added under its name. */
  async compactDeleted(): Promise<void> {
    await this.file.open()
    if (this.file.deleted().length > 0) await this.compact()
  }

  /**
   * Takes over the runs of another trajectory, behind its own, with everything that they hold, and what is outside of runs
   * as far as it is not there (pypet `f_merge`). In memory: `store` writes it. The other is read whole where it lies in a
   * file, and not changed; `mergeInto` merges files without reading them into memory.
   *
   * @returns what became of the other: runs, duplicates, conflicts, what was left out
   * @throws PypetError `PYPET_MERGE_IMPOSSIBLE`; then nothing has changed
   * @example
   * const report = await traj.merge(other, { removeDuplicates: true })
   * await traj.store()
   */
  async merge<Other>(other: TrajectoryTree<Other>, options: MergeOptions = {}): Promise<MergedInput> {
    return await mergeInMemory(this, other, options)
  }

  /** As `merge`, of several. Where one cannot be merged, those before it are. */
  async mergeMany<Other>(
    others: readonly TrajectoryTree<Other>[],
    options: MergeOptions = {},
  ): Promise<MergedInput[]> {
    const merged: MergedInput[] = []
    for (const other of others) merged.push(await this.merge(other, options))
    return merged
  }

  /** As that of the tree. While an experiment writes the file, the points are performed. */
  override expand(given: Explorable<Tree>): this {
    if (!this.file.isExtending) return super.expand(given)
    const columns = pointColumns(this, given)
    super.expand(given)
    this.file.notePoints(columns)
    return this
  }

  /**
   * As that of the tree.
   *
   * @throws PypetError as there, and `PYPET_TRAJECTORY_STORED` where nothing is explored and the run there is has been performed
   */
  override explore(given: Explorable<Tree>): this {
    if (Object.keys(this.exploredParameters).length > 0 || !this.keepsFirstRun()) return super.explore(given)
    throw new PypetError('PYPET_TRAJECTORY_STORED', `the run of ${this.name} has been performed already`, {
      where: 'explore',
      hint: 'Add points behind it, which keeps it with the defaults that it had: expand(points).',
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

  /** Leaves are read without their nodes: a value of each of many runs costs little more than the reading. */
  override valueAt(fullName: string, fastAccess: boolean): unknown {
    if (fastAccess && this.autoLoad && !isInMemory(this, fullName)) {
      const value = this.file.read((stored) => stored.quickNumber(fullName))
      if (value !== undefined) return value
    }
    return super.valueAt(fullName, fastAccess)
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
    throw new PypetError('PYPET_USAGE', 'only and except exclude each other', {
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
    `${option} is an option of an environment, and ${trajectory} belongs to none`,
    {
      where: option,
      hint: `Give it to the environment: new Environment({ trajectory, ${option}: ${JSON.stringify(value)} }).`,
    },
  )
}

/** Whether any of a name's last group or leaf has been made. */
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
