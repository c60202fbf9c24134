/** A trajectory with the file it is stored in: what scripts use (pypet `Trajectory`). */
import { dirname, extname, join, resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import { deletedNodes, deletionOperations } from '../layout/deleted-nodes.ts'
import type { ParameterTree } from '../run/parameter.ts'
import { backupFile, compactFile, copyTrajectory } from '../storage/edit/compact-file.ts'
import type { StoredExploration } from '../storage/edit/grown-trajectory.ts'
import type { LeftOut } from '../tree/merge-content.ts'
import { EVERY_ITEM } from '../tree/node-source.ts'
import { GroupNode, type LeafNode, nameIn, type TreeNode } from '../tree/nodes.ts'
import type { RunFailureText, RunInformation } from '../tree/run-information.ts'
import { findNode, notFound } from '../tree/search.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { assertKnownOptions } from '../values/known-options.ts'
import type { RunIndex } from '../values/path.ts'
import type { MergedOther, MergedWriting, StoreOptions } from './file-tree.ts'
import { LEVEL_NAMES, type LoadLevels, levelOf } from './load-levels.ts'
import { mergeInMemory } from './merge-in-memory.ts'
import type { MergedInput, MergeOptions } from './merge-others.ts'
import { OptionTree } from './run-options.ts'
import { readInfo, type TrajectoryInfo } from './trajectory-info.ts'

export interface LoadItemOptions {
  /** Only these items of a result. */
  readonly only?: string | readonly string[]
  /** All items but these. */
  readonly except?: string | readonly string[]
  /** Also in the place of what is in memory. */
  readonly overwrite?: boolean
}

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
export class Trajectory<Tree = ParameterTree> extends OptionTree<Tree> {
  #loadDepthMax = Number.POSITIVE_INFINITY
  #info: TrajectoryInfo | undefined

  get filename(): string {
    return this.file
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
    await this.storeNodes(options.onlyInit === true ? [] : [this as TreeNode], options)
    return this
  }

  /** Writes some nodes, with everything below them. @throws as `store`, and `PYPET_NODE_NOT_FOUND` */
  async storeItems(items: readonly (string | TreeNode)[], options: StoreOptions = {}): Promise<void> {
    await this.storeNodes(
      items.map((item) => this.#node(item)),
      options,
    )
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
    await this.open()
    const info = readInfo(this.openReader(), this.name, options.force === true)
    this.#info = info
    this.timestamp = info.timestamp
    this.restore(info.comment, this.hdf5?.head('')?.annotations ?? [])
    this.#loadDepthMax = options.maxDepth ?? Number.POSITIVE_INFINITY
    this.restoreExploration(info.explored, info.length)
    this.storedLength = info.length
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
        const head = this.hdf5?.head(name)
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

  #hasImported = false

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
    await this.open()
    for (const item of items) {
      const name = typeof item === 'string' ? item : item.fullName
      const node = typeof item === 'string' ? this.#inFile(item) : item
      const leaves = node instanceof GroupNode ? [...node.iterLeaves()] : [node]
      for (const leaf of leaves) {
        const isRead = leaf !== undefined && this.loadLeaf(leaf, wants, options.overwrite === true)
        if (!isRead) throw this.#notStored(name)
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
    await this.inTurn(() => this.#deleteItems(items, fromTrajectory))
  }

  async #deleteItems(items: readonly (string | TreeNode)[], fromTrajectory: boolean): Promise<void> {
    await this.open()
    const nodes = items.map((item) => {
      const node = typeof item === 'string' ? this.#toDelete(item) : item
      this.#assertDeletable(node)
      if (this.hdf5?.head(node.fullName) === undefined) throw this.#notStored(node.fullName)
      return node
    })
    // Links to them go with them. One that stays in memory is new to the file then, as its node is.
    const links = [...this.allLinks()].filter(([, , target]) =>
      nodes.some(({ fullName }) => `${target}.`.startsWith(`${fullName}.`)),
    )
    const stored = links.filter(([group, name]) => group.isLinkStored(name))
    await this.#noteDeleted([
      ...nodes.map(({ fullName }) => fullName),
      ...stored.map(([group, name]) => nameIn(group, name)),
    ])
    for (const [group, name] of stored) group.noteLinkDeleted(name)
    for (const node of nodes) {
      // The deepest first: a group that has nothing in memory any more goes, too.
      for (const below of [node, ...(node instanceof GroupNode ? node.iterNodes() : [])].reverse()) {
        below.isStored = false
        // Of what was in the file alone nothing is left.
        const isGone =
          below instanceof GroupNode ? below.childNames.length === 0 : (below as LeafNode).isEmpty
        if (isGone) below.parent?.drop(below.name)
      }
      if (!fromTrajectory) continue
      this.forgetLinksTo(node)
      node.parent?.drop(node.name)
    }
  }

  /** @throws PypetError `PYPET_USAGE` for the trajectory itself, `PYPET_PARAMETER_LOCKED` for what its runs are made of */
  #assertDeletable(node: TreeNode): void {
    if (node.isRoot) {
      throw new PypetError('PYPET_USAGE', `cannot delete ${this.name} itself`, {
        where: this.name,
        hint: "Delete what is in it, as deleteItems(['results', 'config']), or copy the others to a new file.",
      })
    }
    const explored = Object.keys(this.exploredParameters).find((name) =>
      `${name}.`.startsWith(`${node.fullName}.`),
    )
    if (explored === undefined) return
    throw new PypetError(
      'PYPET_PARAMETER_LOCKED',
      `cannot delete ${node.fullName}: ${explored} is explored`,
      {
        where: node.fullName,
        hint: 'The runs have its values. Load the trajectory with { asNew } to explore something else.',
      },
    )
  }

  async #noteDeleted(names: readonly string[]): Promise<void> {
    const operations = deletionOperations(this.openReader(), this.name, names)
    await this.edit((editor) => editor.apply(operations))
  }

  /** What a name says is deleted, and not what a link of that name leads to. */
  #toDelete(item: string): TreeNode {
    const node = this.get(item)
    const { group, name } = this.#placeOf(item)
    if (findNode(group, name, { withLinks: false }) !== undefined) return node
    throw new PypetError('PYPET_NODE_NOT_FOUND', `${item} is a link, which leads to ${node.fullName}`, {
      where: item,
      hint: `Delete the link: deleteLink('${item}'). Or delete what it leads to: deleteItem('${node.fullName}').`,
    })
  }

  /** The group that a name is in. */
  #placeOf(item: string): { readonly group: GroupNode; readonly name: string } {
    const dot = item.lastIndexOf('.')
    const group = dot < 0 ? this : this.get(item.slice(0, dot))
    return { group: group as GroupNode, name: item.slice(dot + 1) }
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
    await this.inTurn(async () => {
      await this.open()
      const places = links.map((link) => {
        const { group, name } = this.#placeOf(link)
        if (group.linkTarget(name) === undefined) throw this.#noLink(link)
        if (!group.isLinkStored(name)) throw this.#notStored(link)
        return { group, name }
      })
      await this.#noteDeleted(places.map(({ group, name }) => nameIn(group, name)))
      for (const { group, name } of places) {
        group.noteLinkDeleted(name)
        if (options.fromTrajectory === true) group.removeLink(name)
      }
    })
  }

  async deleteLink(link: string, options: { readonly fromTrajectory?: boolean } = {}): Promise<void> {
    await this.deleteLinks([link], options)
  }

  #noLink(name: string): PypetError {
    const isNode = this.contains(name)
    return new PypetError('PYPET_NODE_NOT_FOUND', `${name} of ${this.name} is not a link`, {
      where: name,
      hint: isNode ? `Delete the node: deleteItem('${name}').` : `There are: ${this.#linksShown()}.`,
    })
  }

  #linksShown(): string {
    const names = Array.from(this.allLinks(), ([group, name]) => nameIn(group, name))
    return names.slice(0, 8).join(', ') || 'none'
  }

  /**
   * Copies the trajectory into another file, or under another name, and goes on there.
   *
   * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_STORAGE_FAILED`
   */
  async migrate(target: { readonly filename: string }): Promise<void> {
    const file = resolve(target.filename)
    if (this.isStored) {
      await copyTrajectory({ file: this.file, trajectory: this.name }, { file, trajectory: this.name })
    }
    this.close()
    this.file = file
    if (this.isStored) await this.open()
  }

  /** Copies the file to `backup_<trajectory>.h5` beside it, or to the target. Gives the path. */
  async backup(target?: string): Promise<string> {
    const path =
      target === undefined
        ? join(dirname(this.file), `backup_${this.name}${extname(this.file)}`)
        : resolve(target)
    await backupFile(this.file, path)
    return path
  }

  /** Rewrites the file without what was deleted. As `compactFile`. */
  async compact(): Promise<{ readonly bytesBefore: number; readonly bytesAfter: number }> {
    return await this.inTurn(async () => {
      this.close()
      const result = await compactFile(this.file)
      if (this.isStored) await this.open()
      return result
    })
  }

  /** Before others write into the file: what was deleted there is in the way of what is added under its name. */
  async compactDeleted(): Promise<void> {
    await this.open()
    if (deletedNodes(this.openReader(), `/${this.name}`).length > 0) await this.compact()
  }

  [Symbol.dispose](): void {
    this.close()
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
    return await mergeInMemory(this.asTree, other as unknown as TrajectoryTree, options)
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

  /** What the file has of the exploration, before a merge changes it in memory. For `mergeFiles`, as the next one. */
  async beforeMerge(): Promise<StoredExploration> {
    return await this.readBefore()
  }

  async storeMerged(
    before: StoredExploration,
    others: readonly MergedOther[],
    options: MergedWriting,
  ): Promise<LeftOut[][] | undefined> {
    return await this.writeMerged(before, others, options)
  }

  override failureOf(run: RunIndex): RunFailureText | undefined {
    return super.failureOf(run) ?? this.readStored((stored) => stored.failures())?.get(run)
  }

  protected override informationOf(run: RunIndex): RunInformation {
    const runs = this.hdf5?.knownRuns ?? this.readStored((stored) => stored.runs())
    return runs?.[run] ?? super.informationOf(run)
  }

  override entriesOf(group: GroupNode) {
    return group.depth >= this.#loadDepthMax ? [] : super.entriesOf(group)
  }

  /** Leaves are read without their nodes: a value of each of many runs costs little more than the reading. */
  override valueAt(fullName: string, fastAccess: boolean): unknown {
    if (fastAccess && this.autoLoad && !isInMemory(this, fullName)) {
      const value = this.readStored((stored) => stored.quickNumber(fullName))
      if (value !== undefined) return value
    }
    return super.valueAt(fullName, fastAccess)
  }

  #node(item: string | TreeNode): TreeNode {
    return typeof item === 'string' ? this.get(item) : item
  }

  #inFile(name: string): TreeNode | undefined {
    const found = this.contains(name) ? this.get(name) : undefined
    if (found !== undefined) return found
    throw notFound(this as GroupNode, name)
  }

  #notStored(name: string): PypetError {
    return new PypetError('PYPET_DATA_NOT_STORED', `${this.file} does not hold ${name} of ${this.name}`, {
      where: name,
      hint: 'Store it first; or it has been deleted.',
    })
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
