/** A tree and its file: opening, storing, and what has to be rewritten for it. */

import { existsSync, statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { breathe } from '../breath.ts'
import { addsNothing } from '../environment/postprocessing.ts'
import { PypetError } from '../errors.ts'
import type { Extension } from '../protocol.ts'
import { formatCount, formatRuns } from '../reporting/quantity.ts'
import { cannotCopy, compactFile } from '../storage/compact-file.ts'
import { editHdf5File, type FileEditor, STORAGE_DEFAULTS } from '../storage/edit-file.ts'
import { changed } from '../storage/expand-trajectory.ts'
import {
  growthOperations,
  keepsFirstRun,
  outgrownTables,
  readExploration,
  type StoredExploration,
} from '../storage/grown-trajectory.ts'
import { Hdf5File } from '../storage/hdf5-file.ts'
import { deletedNodes } from '../storage/hdf5-source.ts'
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
import type { ParameterTree } from '../trajectory/parameter.ts'
import { GroupNode } from '../tree/group-node.ts'
import type { MergePlan } from '../tree/merge-plan.ts'
import type { TreeNode } from '../tree/node.ts'
import { OpenTree } from './open-tree.ts'
import { LIBRARY_VERSIONS } from './versions.ts'

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

export abstract class FileTree<Tree = ParameterTree> extends OpenTree<Tree> {
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
    await this.readAnew()
  }

  protected async storeNodes(nodes: readonly TreeNode[], options: StoreOptions): Promise<void> {
    if (this.extender !== undefined) return await this.#storeThrough(this.extender, nodes, options)
    const isNew = !this.isStored
    if (isNew) await this.assertNameIsFree()
    const overwritten = options.overwrite === true ? this.storedLeaves(nodes) : []
    for (const leaf of overwritten) this.loadMissing(leaf)
    const before = isNew ? undefined : await this.readBefore()
    if (before !== undefined && !keepsFirstRun(this.asTree, before))
      throw changed(this.file, this.name, 'its run has been performed, with other values than it would have')
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
    }, grownFrom).catch((error: unknown) => {
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
    await this.edit(async (editor) => {
      for (const operations of growthOperations(tree, grownFrom, this.complevel, LIBRARY_VERSIONS)) {
        editor.apply(operations)
        await breathe()
      }
      editor.apply(mergedRows(tree, other.asTree, plan.runs, summary))
      for (const place of missing) editor.apply(groupsTo(tree, place))
      const first = this.length - plan.runs.length
      for (const [index, run] of plan.runs.entries()) {
        const target = { trajectory: this.name, run: first + index }
        const onUncopied = (path: string, reason: string) => uncopied.push(`${path}: ${reason}`)
        await breathe()
        for (const operations of runCopy({ ...source, run }, target, places, onUncopied))
          editor.apply(operations)
      }
      if (uncopied.length > 0) throw cannotCopy(other.file, uncopied)
    }, grownFrom)
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

  /** @param before what the edit takes for granted: it is refused where that is not so any more */
  protected async edit(
    edit: (editor: FileEditor) => void | Promise<void>,
    before?: StoredExploration,
  ): Promise<void> {
    // HDF5 does not open a file for writing that is open for reading.
    this.close()
    const check = async () => {
      if (!this.isStored) await this.assertNameIsFree()
      else if (before !== undefined) await this.#assertUnchanged(before)
    }
    await editHdf5File(this.file, { trajectory: this.name, check }, edit)
    await this.open()
  }

  /** Between reading and writing another process may have had the file. */
  async #assertUnchanged(before: StoredExploration): Promise<void> {
    const now = await this.readBefore()
    this.close()
    if (isDeepStrictEqual(now, before)) return
    const found = `it has ${formatRuns(now.runCount)}, and had ${formatCount(before.runCount)}`
    throw changed(this.file, this.name, found)
  }
}

function inMemory(group: GroupNode): TreeNode[] {
  return group.childNames.flatMap((name) => {
    if (!group.isInMemory(name)) return []
    const child = group.child(name) as TreeNode
    return child instanceof GroupNode ? inMemory(child) : [child]
  })
}
