/** A tree and its file: opening, storing, and what has to be rewritten for it. */

import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { addsNothing } from '../environment/postprocessing.ts'
import { PypetError } from '../errors.ts'
import type { ExplorationSpec } from '../exploration/exploration.ts'
import type { Extension } from '../protocol.ts'
import { cannotCopy, compactFile } from '../storage/compact-file.ts'
import { editHdf5File, type FileEditor, STORAGE_DEFAULTS } from '../storage/edit-file.ts'
import {
  growthOperations,
  outgrownTables,
  readExploration,
  type StoredExploration,
} from '../storage/grown-trajectory.ts'
import { loadH5wasm } from '../storage/h5wasm.ts'
import { Hdf5File } from '../storage/hdf5-file.ts'
import { type Hdf5Reader, openHdf5Reader, openHdf5ReaderNow } from '../storage/hdf5-reader.ts'
import { deletedNodes, Hdf5Source } from '../storage/hdf5-source.ts'
import { mergedRows, runCopy, runPlaces } from '../storage/merged-runs.ts'
import {
  fileRoot,
  groupsTo,
  newLinks,
  newNodes,
  newTrajectory,
  pathOf,
  summariser,
} from '../storage/tree-layout.ts'
import { nearestName } from '../trajectory/nearest-name.ts'
import type { ParameterTree } from '../trajectory/parameter.ts'
import { GroupNode } from '../tree/group-node.ts'
import type { MergePlan } from '../tree/merge-plan.ts'
import type { TreeNode } from '../tree/node.ts'
import { TrajectoryTree, type TrajectoryTreeOptions } from '../tree/trajectory-tree.ts'
import { scalarColumns } from './scalar-columns.ts'
import { type TreeExtension, treeExtension } from './tree-extension.ts'
import { LIBRARY_VERSIONS } from './versions.ts'

export interface TrajectoryOptions<Tree> extends TrajectoryTreeOptions<Tree> {
  /** The HDF5 file; `<name>.h5` in the current folder unless given. It may hold other trajectories. */
  readonly filename?: string
  /** Deflate level of arrays, 0 for none. */
  readonly complevel?: number
}

export interface StoreOptions {
  /** The trajectory and its tables, without nodes. */
  readonly onlyInit?: boolean
  /** Levels below the root that are stored. */
  readonly maxDepth?: number
  /** Groups and comments of results, without their data. */
  readonly skeletonOnly?: boolean
  /** Leaves that the file has already are written anew; otherwise they stay as they are there. */
  readonly overwrite?: boolean
}

export abstract class FileTree<Tree = ParameterTree> extends TrajectoryTree<Tree> {
  protected file: string
  protected readonly complevel: number
  protected reader: Hdf5Reader | undefined
  protected hdf5: Hdf5Source | undefined

  constructor(options: TrajectoryOptions<Tree> = {}) {
    super(options)
    this.file = resolve(options.filename ?? `${this.name}.h5`)
    this.complevel = options.complevel ?? 0
  }

  /** Gives the file free. What is in memory stays. */
  close(): void {
    this.reader?.close()
    this.reader = undefined
    this.hdf5 = undefined
    this.source = undefined
  }

  /**
   * From now on an experiment writes the file: what is stored goes through it, and what is read is as of its last commit.
   */
  async beginExtending(
    extend: (extension: Extension) => Promise<void>,
    { isQuiet, hasFile }: { readonly isQuiet: boolean; readonly hasFile: boolean },
  ): Promise<void> {
    this.#extend = extend
    this.#isQuiet = isQuiet
    this.#hasFile = hasFile
    if (hasFile) await loadH5wasm()
    await this.#readAnew()
  }

  /** While others write as well, the file is read under its lock. */
  async #readAnew(): Promise<void> {
    // A storage service of the user's own has the runs: nothing can be read here.
    if (!this.#hasFile) return
    if (this.#isQuiet) this.#readLazily()
    else await this.reopen()
  }

  /** What the file holds; undefined while there is none. */
  protected stored(): Hdf5Source | undefined {
    if (this.hdf5 === undefined && this.#extend !== undefined && this.#hasFile) {
      this.reader = openHdf5ReaderNow(this.file)
      this.hdf5 = new Hdf5Source(this.reader, this.name)
    }
    return this.hdf5
  }

  /** Most rounds of a search need only what the jobs returned: the file is opened when it is first asked. */
  #readLazily(): void {
    this.close()
    const reader = () => this.stored() as Hdf5Source
    this.source = {
      entries: (fullName) => reader().entries(fullName),
      head: (fullName) => reader().head(fullName),
      items: (fullName, className, wants) => reader().items(fullName, className, wants),
      parameter: (fullName, className) => reader().parameter(fullName, className),
    }
    // What runs add to; the others are as they were.
    for (const branch of ['results', 'derived_parameters']) {
      const group = this.inMemory.find(({ name }) => name === branch)
      if (group instanceof GroupNode) group.relistAll()
    }
  }

  /** An experiment has written everything that is in memory. */
  noteStored(): void {
    for (const node of inMemoryNodes(this)) node.isStored = true
    for (const [group, name] of this.allLinks()) group.noteLinkStored(name)
    this.isStored = true
  }

  /** Looks into the file anew, and keeps it open for reading: an experiment has written it. */
  async reopen(): Promise<void> {
    this.close()
    await this.open()
    this.relistAll()
  }

  /** Where it will be stored; of what is stored already, that is decided. */
  moveTo(file: string): void {
    if (this.isStored && this.file !== file) {
      throw new PypetError(
        'PYPET_TRAJECTORY_STORED',
        `${this.name} is stored in ${this.file}, not in ${file}`,
        {
          where: file,
          hint: 'Leave the filename out, or copy the trajectory there: await traj.migrate({ filename }).',
        },
      )
    }
    this.file = file
  }

  endExtending(): void {
    this.#extend = undefined
    this.close()
  }

  /** Everything that the file does not have, while an experiment writes it. */
  takeExtension(nodes: readonly TreeNode[] = [this as TreeNode]): TreeExtension {
    const { extension, markStored } = treeExtension(this.asTree, nodes, { added: this.#addedPoints() })
    return {
      extension,
      markStored: () => {
        this.#added.length = 0
        markStored()
      },
    }
  }

  /**
   * As that of the tree. While an experiment writes the file, the points are performed; where nothing was explored, the
   * run there is keeps its defaults.
   */
  override expand(given: unknown): this {
    if (this.#extend === undefined) return super.expand(given)
    const columns = scalarColumns(this.asTree, given)
    if (Object.keys(this.exploredParameters).length === 0) {
      const parameters = columns.map(({ name }) => this.getParameter(`parameters.${name}`))
      for (const parameter of parameters) parameter.extend([], this.length)
      this.restoreExploration(
        parameters.map(({ fullName }) => fullName),
        this.length,
      )
    }
    super.expand(given)
    this.#added.push({ kind: 'points', columns })
    return this
  }

  readonly #added: ExplorationSpec[] = []
  #isQuiet = true
  #hasFile = true
  #extend: ((extension: Extension) => Promise<void>) | undefined

  #addedPoints(): ExplorationSpec | undefined {
    const parts = this.#added
    return parts.length < 2 ? parts[0] : { kind: 'concat', parts: [...parts] }
  }

  async #storeThrough(
    extend: (extension: Extension) => Promise<void>,
    nodes: readonly TreeNode[],
    options: StoreOptions,
  ): Promise<void> {
    if (options.overwrite === true) {
      throw new PypetError('PYPET_USAGE', `${this.name} cannot be overwritten while its experiment runs`, {
        where: 'overwrite',
        hint: 'Add what is new under another name, or overwrite it when the experiment has ended.',
      })
    }
    const { extension, markStored } = this.takeExtension(nodes)
    if (!addsNothing(extension)) await extend(extension)
    markStored()
    await this.#readAnew()
  }

  protected async storeNodes(nodes: readonly TreeNode[], options: StoreOptions): Promise<void> {
    if (this.#extend !== undefined) return await this.#storeThrough(this.#extend, nodes, options)
    const isNew = !this.isStored
    if (isNew) await this.assertNameIsFree()
    const overwritten = options.overwrite === true ? this.storedLeaves(nodes) : []
    for (const leaf of overwritten) this.loadMissing(leaf)
    const before = isNew ? undefined : await this.readBefore()
    const isReplacing = before !== undefined && this.replacesDeleted(nodes)
    const drop = [
      ...overwritten.map(({ fullName }) => pathOf(this.asTree, fullName)),
      ...(before === undefined ? [] : outgrownTables(this.asTree, before)),
    ]
    if (drop.length > 0 || isReplacing) {
      this.close()
      await compactFile(this.file, { drop: new Set(drop) })
      for (const leaf of overwritten) leaf.isStored = false
    }
    const grownFrom = drop.length > 0 || isReplacing ? await this.readBefore() : before
    const written: TreeNode[] = []
    const links: (readonly [GroupNode, string])[] = []
    await this.edit((editor) => {
      const apply = (operations: Parameters<FileEditor['apply']>[0]) => editor.apply(operations)
      if (editor.isNewFile) apply(fileRoot(''))
      if (isNew) {
        for (const operations of newTrajectory(this.asTree, STORAGE_DEFAULTS, LIBRARY_VERSIONS))
          apply(operations)
      } else if (grownFrom !== undefined) {
        for (const operations of growthOperations(this.asTree, grownFrom, this.complevel, LIBRARY_VERSIONS)) {
          apply(operations)
        }
      }
      const writing = {
        complevel: this.complevel,
        maxDepth: options.maxDepth ?? Number.POSITIVE_INFINITY,
        skeletonOnly: options.skeletonOnly === true,
      }
      for (const node of nodes) {
        for (const { node: added, operations } of newNodes(this.asTree, node, writing)) {
          apply(operations)
          // The groups above it need not be written again; undone below when the edit fails.
          added.isStored = true
          written.push(added)
        }
      }
      for (const { group, name, operation } of newLinks(this.asTree)) {
        apply([operation])
        links.push([group, name])
      }
    }).catch((error: unknown) => {
      for (const node of written) node.isStored = false
      throw error
    })
    for (const [group, name] of links) group.noteLinkStored(name)
    this.isStored = true
  }

  /** Writes the runs of another trajectory that have become this one's. */
  protected async growWith(
    before: StoredExploration,
    isNewlyExplored: boolean,
    other: FileTree,
    plan: MergePlan,
  ): Promise<void> {
    const tree = this.asTree
    const overview = `/${this.name}/overview`
    const drop = outgrownTables(tree, before)
    if (isNewlyExplored && before.hasExplorations) {
      drop.push(`${overview}/explorations`, `${overview}/explored_parameters_overview`)
    }
    let grownFrom = before
    if (drop.length > 0) {
      this.close()
      await compactFile(this.file, { drop: new Set(drop) })
      grownFrom = await this.readBefore()
    }
    await other.open()
    const source = { reader: other.openReader(), trajectory: other.name }
    const places = runPlaces(other.asTree)
    const missing = places.filter((place) => this.at(place) === undefined)
    const uncopied: string[] = []
    const summary = summariser(tree)
    await this.edit((editor) => {
      for (const operations of growthOperations(tree, grownFrom, this.complevel, LIBRARY_VERSIONS)) {
        editor.apply(operations)
      }
      editor.apply(mergedRows(tree, other.asTree, plan.runs, summary))
      for (const place of missing) editor.apply(groupsTo(tree, place))
      const first = this.length - plan.runs.length
      for (const [index, run] of plan.runs.entries()) {
        const target = { trajectory: this.name, run: first + index }
        const onUncopied = (path: string, reason: string) => uncopied.push(`${path}: ${reason}`)
        for (const operations of runCopy({ ...source, run }, target, places, onUncopied))
          editor.apply(operations)
      }
      if (uncopied.length > 0) throw cannotCopy(other.file, uncopied)
    })
    for (const place of places) {
      const group = this.at(place)
      if (group instanceof GroupNode) group.relist()
    }
    this.relist()
  }

  /** Names that were deleted are in the way until the file is compacted. */
  protected replacesDeleted(nodes: readonly TreeNode[]): boolean {
    const deleted = deletedNodes(this.openReader(), `/${this.name}`)
    if (deleted.size === 0) return false
    const added = nodes.flatMap((node) => (node instanceof GroupNode ? inMemory(node) : [node]))
    return added.some((node) => {
      if (node.isStored) return false
      for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) {
        if (deleted.has(at.fullName)) return true
      }
      return false
    })
  }

  protected storedLeaves(nodes: readonly TreeNode[]): TreeNode[] {
    return nodes.flatMap((node) => {
      if (!(node instanceof GroupNode)) return node.isStored ? [node] : []
      return inMemory(node).filter((leaf) => leaf.isStored)
    })
  }

  /** What is about to be written anew must be whole in memory. */
  private loadMissing(leaf: TreeNode): void {
    this.loadLeaf(leaf, () => true, false)
  }

  protected async readBefore() {
    await this.open()
    return readExploration(this.openReader(), this.asTree)
  }

  protected async assertNameIsFree(): Promise<void> {
    if (!existsSync(this.file) || statSync(this.file).size === 0) return
    const names = await Hdf5File.rootNames(this.file)
    if (!names.includes(this.name)) return
    throw new PypetError(
      'PYPET_TRAJECTORY_EXISTS',
      `${this.file} already holds a trajectory named ${this.name}`,
      {
        where: this.file,
        hint: 'Give it another name (addTime), another file, or load the one that is there.',
      },
    )
  }

  protected async edit(edit: (editor: FileEditor) => void): Promise<void> {
    // HDF5 does not open a file for writing that is open for reading.
    this.close()
    await editHdf5File(this.file, { trajectory: this.name }, edit)
    await this.open()
  }

  protected async open(): Promise<void> {
    if (this.reader !== undefined) return
    const reader = await openHdf5Reader(this.file)
    if (reader.kind(`/${this.name}/overview/info`) !== 'dataset') {
      const names = reader.children('/')
      reader.close()
      throw trajectoryNotFound(this.file, this.name, names)
    }
    this.reader = reader
    this.hdf5 = new Hdf5Source(reader, this.name)
    this.source = this.hdf5
  }

  protected openReader(): Hdf5Reader {
    if (this.reader === undefined) throw new Error(`${this.file} is not open`)
    return this.reader
  }
}

export function trajectoryNotFound(filename: string, name: string, names: readonly string[]): PypetError {
  const nearest = nearestName(name, names)
  return new PypetError(
    'PYPET_TRAJECTORY_NOT_FOUND',
    `${filename} holds no trajectory ${JSON.stringify(name)}`,
    {
      where: filename,
      hint: nearest === undefined ? `It holds ${names.join(', ') || 'none'}.` : `Did you mean ${nearest}?`,
    },
  )
}

function* inMemoryNodes(group: GroupNode): Generator<TreeNode> {
  for (const child of group.inMemory) {
    yield child
    if (child instanceof GroupNode) yield* inMemoryNodes(child)
  }
}

function inMemory(group: GroupNode): TreeNode[] {
  return group.childNames.flatMap((name) => {
    if (!group.isInMemory(name)) return []
    const child = group.child(name) as TreeNode
    return child instanceof GroupNode ? inMemory(child) : [child]
  })
}
