/** A tree and its file: opening, storing, and what has to be rewritten for it. */
import { existsSync, statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { breathe } from '../breath.ts'
import { addsNothing } from '../environment/postprocessing.ts'
import { PypetError } from '../errors.ts'
import { Hdf5File } from '../hdf5/file.ts'
import { takeTurn } from '../journal/file-turn.ts'
import { dropBegunExpansion } from '../journal/unfinished.ts'
import { deletedNodes } from '../layout/deleted-nodes.ts'
import { LayoutMemory } from '../layout/layout-memory.ts'
import { rootAttributes } from '../layout/pytables-group.ts'
import { RunOverviews } from '../layout/run-overviews.ts'
import { newTrajectory, overviewTables } from '../layout/trajectory-tables.ts'
import { failedRunRows, newLinks, newNodes, pathOf, performedRows, treeShape } from '../layout/tree-layout.ts'
import type { Extension } from '../protocol.ts'
import { readHdf5 } from '../reading/read-hdf5.ts'
import type { Hdf5Source } from '../reading/tree-source.ts'
import { formatCount, formatRuns } from '../reporting/quantity.ts'
import type { ParameterTree } from '../run/parameter.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import { changedNodes, type NodeChange, nodeChange } from '../storage/edit/changed-nodes.ts'
import { cannotCopy, compactFile } from '../storage/edit/compact-file.ts'
import { editHdf5File, type FileEditor, STORAGE_DEFAULTS, warn } from '../storage/edit/edit-file.ts'
import {
  growthOperations,
  keepsFirstRun,
  outgrownTables,
  readExploration,
  type StoredExploration,
} from '../storage/edit/grown-trajectory.ts'
import { MergedComments } from '../storage/edit/merged-comments.ts'
import { carriedCopy, carriedLinks, runCopy } from '../storage/edit/merged-runs.ts'
import { changed } from '../storage/expand-trajectory.ts'
import type { LeftOut } from '../tree/merge-content.ts'
import { renamedInMerge } from '../tree/merge-plan.ts'
import { EVERY_ITEM } from '../tree/node-source.ts'
import { GroupNode, nameIn, ResultNode, type TreeNode } from '../tree/nodes.ts'
import type { RunTimes } from '../tree/run-information.ts'
import { assertKnownOptions } from '../values/known-options.ts'
import type { RunIndex } from '../values/path.ts'
import type { PlannedMerge } from './merge-others.ts'
import { OpenTree } from './open-tree.ts'
import { LIBRARY_VERSIONS } from './versions.ts'

export interface StoreOptions {
  /** The trajectory and its tables, without nodes. */
  readonly onlyInit?: boolean
  /** Levels below the root that are stored. */
  readonly maxDepth?: number
  /** Groups and comments of results, without their data. */
  readonly skeletonOnly?: boolean
  /** Leaves that the file has already are written anew; otherwise they stay as they are there. Not with `skeletonOnly`. */
  readonly overwrite?: boolean
}

const STORE_OPTIONS = ['onlyInit', 'maxDepth', 'skeletonOnly', 'overwrite'] satisfies (keyof StoreOptions)[]
/** A trajectory of a file whose runs this one has taken over in memory, and what of it is to be copied. */
export interface MergedOther extends PlannedMerge {
  readonly trajectory: FileTree
}

export interface MergedWriting {
  readonly mayRewrite: boolean
  /** Told how many runs of which other have been copied. */
  readonly onRuns: (other: number, runCount: number) => void
  /** All of it is durable. */
  readonly onCommitted: () => void
}

/** Groups that its nodes are put into. */
function groupNames({ plan, content, places, first, runOf }: MergedOther): string[] {
  const names = new Set(content.carried.map(({ fullName }) => fullName.slice(0, fullName.lastIndexOf('.'))))
  for (const place of places) {
    const runs = place.includes('run_set_') ? plan.runs : plan.runs.slice(0, 1)
    for (const [index] of runs.entries()) names.add(renamedInMerge(place, runOf, first + index) ?? place)
  }
  return [...names].flatMap((name) =>
    name.split('.').map((_, depth, parts) => parts.slice(0, depth + 1).join('.')),
  )
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
    assertKnownOptions(options, STORE_OPTIONS, 'store')
    if (this.extender !== undefined) return await this.#storeThrough(this.extender, nodes, options)
    if (options.overwrite === true && options.skeletonOnly === true) throw overwritesSkeleton(this.name)
    await this.inTurn(() => this.#storeNodes(nodes, options))
  }

  /**
   * Reads and writes the file while nobody else writes it. It is not kept open before and after that: whoever has the lock
   * would wait for its readers.
   */
  protected async inTurn<Value>(action: () => Promise<Value>): Promise<Value> {
    const { name: trajectory, lockWaitMs: waitMs } = this
    if (this.isStored) this.release()
    try {
      return await takeTurn(this.file, { trajectory, waitMs, onNotice: warn }, action)
    } finally {
      if (this.isStored) this.release()
    }
  }

  async #storeNodes(nodes: readonly TreeNode[], options: StoreOptions): Promise<void> {
    const isNew = !this.isStored
    const overwrites = options.overwrite === true
    if (isNew && !this.overwrites) await this.assertNameIsFree()
    const before = isNew ? undefined : await this.#readKnown(nodes, overwrites)
    const overwritten = overwrites ? storedLeaves(nodes, options.maxDepth) : []
    for (const leaf of overwritten) this.loadMissing(leaf)
    if (before !== undefined && !keepsFirstRun(this.asTree, before))
      throw changed(this.file, this.name, 'its run has been performed, with other values than it would have')
    const changes = isNew ? [] : this.#changes(nodes, options, overwritten)
    const isReplacing = before !== undefined && this.replacesDeleted(nodes)
    const drop = [
      ...overwritten.map(({ fullName }) => pathOf(this.asTree, fullName)),
      ...(before === undefined
        ? []
        : [...this.#movedLinks(overwrites), ...outgrownTables(this.asTree, before)]),
    ]
    const performed = this.#performedBy(nodes, options, isNew ? undefined : (this.stored() as Hdf5Source))
    // The overviews have them already.
    const rewritten = new Set(overwritten.map(({ fullName }) => fullName))
    const written: TreeNode[] = []
    const links: (readonly [GroupNode, string])[] = []
    const write = (
      { isNewFile, apply }: Pick<FileEditor, 'isNewFile' | 'apply'>,
      grownFrom: StoredExploration | undefined,
    ) => {
      // With their ranges, they are new to what is written.
      for (const leaf of overwritten) leaf.isStored = false
      const shape = treeShape(this.asTree, LIBRARY_VERSIONS)
      const memory = new LayoutMemory(grownFrom?.overviewMemory)
      const overviews = new RunOverviews(
        `/${this.name}`,
        grownFrom?.storage ?? STORAGE_DEFAULTS,
        this.length,
        memory,
      )
      if (isNewFile) apply(rootAttributes(''))
      if (isNew) {
        for (const operations of newTrajectory(shape, STORAGE_DEFAULTS)) apply(operations)
        apply(failedRunRows(this.asTree, 0, undefined))
        apply([...overviewTables(shape, STORAGE_DEFAULTS.overviews), ...overviews.open()])
      } else if (grownFrom !== undefined) {
        for (const operations of growthOperations(this.asTree, grownFrom, this.complevel, LIBRARY_VERSIONS)) {
          apply(operations)
        }
      }
      for (const { operations } of changes) apply(operations)
      if (performed.size > 0) apply(performedRows(shape, performed))
      const writing = {
        complevel: this.complevel,
        maxDepth: options.maxDepth ?? Number.POSITIVE_INFINITY,
        skeletonOnly: options.skeletonOnly === true,
        // Comments stay with their leaves: a summary still has those of leaves that were deleted.
        onLeaf: (leaf: RawLeaf) => rewritten.has(leaf.location) || overviews.add(leaf),
      }
      for (const node of nodes) {
        for (const { node: added, operations } of newNodes(this.asTree, node, writing)) {
          apply(operations)
          // The groups above it need not be written again; undone below when the edit fails.
          added.isStored = true
          written.push(added)
        }
      }
      apply(overviews.commit())
      for (const { group, name, operation } of newLinks(this.asTree)) {
        apply([operation])
        links.push([group, name])
      }
    }
    const changesOf = new Map(overwritten.map((leaf) => [leaf, [...leaf.changes]]))
    try {
      if (drop.length > 0 || isReplacing) await this.#rewrite(new Set(drop), write)
      else await this.edit((editor) => write(editor, before), before)
    } catch (error) {
      for (const node of written) node.isStored = false
      for (const [leaf, noted] of changesOf) {
        leaf.isStored = true
        for (const change of noted) leaf.noteChange(change)
      }
      throw error
    }
    this.notePerformedStored(performed.keys())
    for (const { node } of changes) node.isStored = true
    for (const [group, name] of links) group.noteLinkStored(name)
    if (options.skeletonOnly === true) noteWithoutData(written)
    // Of what else has changed in it, nothing is stored unless it is asked for.
    if (isNew) this.isStored = true
    this.storedLength = this.length
  }

  /**
   * What the file holds, where that is what is known of it here. Groups that others have stored meanwhile count as stored.
   *
   * @throws PypetError `PYPET_TRAJECTORY_CHANGED`, `PYPET_TRAJECTORY_STORED`
   */
  async #readKnown(nodes: readonly TreeNode[], overwrites: boolean): Promise<StoredExploration> {
    const before = await this.readBefore()
    if (this.isShrunk) {
      throw new PypetError(
        'PYPET_TRAJECTORY_STORED',
        `${this.name} has been shrunk in memory, and the file holds its ${formatRuns(before.runCount)}`,
        {
          where: this.file,
          hint: 'Store it as another trajectory: load it with { asNew: "name" }, and shrink and explore that one.',
        },
      )
    }
    // Points of its own would take the places of those.
    if (before.runCount !== this.storedLength && this.length !== this.storedLength) {
      const found = `it has ${formatRuns(before.runCount)}, and had ${formatCount(this.storedLength)}`
      throw changed(this.file, this.name, found)
    }
    const source = this.stored() as Hdf5Source
    for (const node of nodes) this.#adoptStored(node, source, overwrites)
    return before
  }

  #adoptStored(node: TreeNode, source: Hdf5Source, overwrites: boolean): void {
    if (!node.isRoot && !node.isStored) {
      const { parent } = node
      if (parent !== undefined && !parent.isStored) this.#adoptStored(parent, source, overwrites)
      if (parent?.isStored !== true || !source.has(node.fullName)) return
      const isGroup = source.head(node.fullName)?.kind === 'group'
      if (isGroup !== node instanceof GroupNode || (!isGroup && !overwrites)) {
        throw changed(this.file, this.name, `it holds ${node.fullName} already`)
      }
      node.isStored = true
      if (node.comment !== '') node.noteChange('comment')
      for (const { name } of node.storedAnnotations) node.noteChange(`@${name}`)
    }
    if (!(node instanceof GroupNode)) return
    for (const child of node.inMemory) {
      if (child instanceof GroupNode || !child.isStored) this.#adoptStored(child, source, overwrites)
    }
  }

  /** Runs that a script has performed, where all of them is stored now. What the file has as completed stays as it is. */
  #performedBy(
    nodes: readonly TreeNode[],
    { maxDepth, skeletonOnly }: StoreOptions,
    source: Hdf5Source | undefined,
  ): ReadonlyMap<RunIndex, RunTimes> {
    const isWhole = maxDepth === undefined && skeletonOnly !== true && nodes.some((node) => node.isRoot)
    if (!isWhole || this.performedRuns.size === 0) return new Map()
    const known = source?.runs() ?? []
    this.notePerformedStored([...this.performedRuns.keys()].filter((run) => known[run]?.completed === true))
    return new Map(this.performedRuns)
  }

  /** What stored nodes have gained. @throws PypetError `PYPET_TRAJECTORY_STORED` for what the file holds otherwise */
  #changes(
    nodes: readonly TreeNode[],
    options: StoreOptions,
    overwritten: readonly TreeNode[],
  ): readonly NodeChange[] {
    const file = { reader: this.openReader(), source: this.stored() as Hdf5Source }
    const writing = { complevel: this.complevel, versions: LIBRARY_VERSIONS }
    const all = changedNodes(nodes, options.maxDepth ?? Number.POSITIVE_INFINITY)
    const changes = all
      .filter((node) => !overwritten.includes(node))
      .map((node) => {
        const change = nodeChange(this.asTree, node, file, writing)
        if (change !== undefined) return change
        throw changed(this.file, this.name, `it does not hold ${node.fullName} any more`)
      })
    const kept = changes.flatMap((change) => change.kept.map((what) => `${change.node.fullName} (${what})`))
    if (kept.length === 0) return changes
    throw keeps(this.file, kept)
  }

  /** Links that lead elsewhere than in the file, by their paths there. */
  #movedLinks(overwrites: boolean): string[] {
    const moved = [...this.allLinks()].flatMap(([group, name, target]) => {
      const stored = group.storedLinkTarget(name)
      return stored === undefined || stored === target ? [] : [nameIn(group, name)]
    })
    if (moved.length > 0 && !overwrites)
      throw keeps(
        this.file,
        moved.map((name) => `the link ${name}`),
      )
    return moved.map((name) => pathOf(this.asTree, name))
  }

  /**
   * Writes the runs of other trajectories that have become this one's, in one transaction.
   *
   * @param options.mayRewrite false: nothing is done where a table of the file must be made anew, which the answer tells
   * @returns what could not be taken over, by the number of the other; undefined where nothing was done
   */
  protected async writeMerged(
    before: StoredExploration,
    others: readonly MergedOther[],
    { mayRewrite, onRuns, onCommitted }: MergedWriting,
  ): Promise<LeftOut[][] | undefined> {
    const tree = this.asTree
    const drop = outgrownTables(tree, before)
    let grownFrom = before
    if (drop.length > 0) {
      if (!mayRewrite) return undefined
      this.close()
      await compactFile(this.file, { drop: new Set(drop) })
      grownFrom = await this.readBefore()
    }
    const leftOut: LeftOut[][] = others.map(() => [])
    const uncopied: string[] = []
    const made = new Set<string>()
    const comments = new MergedComments(this.openReader(), this.name)
    const known = new Set(others.flatMap(groupNames).filter((name) => this.at(name)?.isStored === true))
    await this.edit(async (editor) => {
      for (const operations of growthOperations(tree, grownFrom, this.complevel, LIBRARY_VERSIONS)) {
        editor.apply(operations)
        await breathe()
      }
      for (const [number, other] of others.entries()) {
        await other.trajectory.open()
        const reader = other.trajectory.openReader()
        const { places, runOf, leadsTo } = other
        const source = { reader, trajectory: other.trajectory.name, places, runOf, leadsTo }
        comments.begin(reader, source.trajectory)
        const target = {
          trajectory: this.name,
          hasGroup: (name: string) => known.has(name) || made.has(name),
          noteGroup: (name: string) => made.add(name),
          comments,
          onUncopied: (path: string, reason: string) => uncopied.push(`${path}: ${reason}`),
          onLeftOut: (left: LeftOut) => leftOut[number]?.push(left),
        }
        for (const operations of carriedCopy(source, target, other.content.carried)) editor.apply(operations)
        for (const [index, run] of other.plan.runs.entries()) {
          await breathe()
          for (const operations of runCopy(source, target, run, other.first + index)) editor.apply(operations)
          onRuns(number, index + 1)
        }
        if (uncopied.length > 0) throw cannotCopy(other.trajectory.file, uncopied)
        other.trajectory.close()
      }
      editor.apply(comments.operations())
      for (const { content } of others) editor.apply(carriedLinks(this.name, content.carried))
      const config = this.child('config') as GroupNode
      // Groups that were copied, and have been added here as well.
      for (const node of [config, ...config.iterNodes()]) {
        if (made.has(node.fullName)) node.isStored = true
      }
      const writing = { complevel: this.complevel, maxDepth: Number.POSITIVE_INFINITY, skeletonOnly: false }
      for (const { node, operations } of newNodes(tree, config, writing)) {
        editor.apply(operations)
        node.isStored = true
      }
      editor.commit()
      onCommitted()
    }, grownFrom)
    this.storedLength = this.length
    return leftOut
  }

  /** Names that were deleted are in the way until the file is compacted. */
  protected replacesDeleted(nodes: readonly TreeNode[]): boolean {
    const deleted = new Set(deletedNodes(this.openReader(), `/${this.name}`))
    if (deleted.size === 0) return false
    const isNewLink = ([group, name]: readonly [GroupNode, string, string]) =>
      !group.isLinkStored(name) && deleted.has(nameIn(group, name))
    if ([...this.allLinks()].some(isNewLink)) return true
    const added = nodes.flatMap((node) => (node instanceof GroupNode ? inMemory(node) : [node]))
    return added.some((node) => {
      if (node.isStored) return false
      for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) {
        if (deleted.has(at.fullName)) return true
      }
      return false
    })
  }

  /** What is about to be written anew must be whole in memory. */
  private loadMissing(leaf: TreeNode): void {
    this.loadLeaf(leaf, EVERY_ITEM, false)
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

  /**
   * Writes the file anew without some of its objects, and with what `write` adds: a file of both takes its place, or it stays
   * as it was.
   */
  async #rewrite(
    drop: ReadonlySet<string>,
    write: (editor: Pick<FileEditor, 'isNewFile' | 'apply'>, grownFrom: StoredExploration) => void,
  ): Promise<void> {
    this.close()
    const complete = async (copy: string) => {
      dropBegunExpansion(this.file, this.name)
      const grownFrom = await readHdf5(copy, (reader) => readExploration(reader, this.asTree))
      await Hdf5File.write(copy, 'append', (file) =>
        write({ isNewFile: false, apply: (operations) => file.apply(operations) }, grownFrom),
      )
    }
    await compactFile(this.file, { drop, complete })
    await this.open()
  }

  /** @param before what the edit takes for granted: it is refused where that is not so any more */
  protected async edit(
    edit: (editor: FileEditor) => void | Promise<void>,
    before?: StoredExploration,
  ): Promise<void> {
    // HDF5 does not open a file for writing that is open for reading.
    this.close()
    const check = async () => {
      if (!this.isStored) {
        if (!this.overwrites) await this.assertNameIsFree()
      } else if (before !== undefined) await this.#assertUnchanged(before)
    }
    const { name: trajectory, overwrites: overwrite } = this
    await editHdf5File(this.file, { trajectory, check, overwrite }, edit)
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

function keeps(file: string, kept: readonly string[]): PypetError {
  const shown = `${kept.slice(0, 5).join(', ')}${kept.length > 5 ? `, and ${kept.length - 5} more` : ''}`
  return new PypetError(
    'PYPET_TRAJECTORY_STORED',
    `${file} holds what has been changed in memory: ${shown}; nothing was written`,
    { where: file, hint: 'Replace it there: store({ overwrite: true }). Or give what is new another name.' },
  )
}

function overwritesSkeleton(trajectory: string): PypetError {
  return new PypetError(
    'PYPET_USAGE',
    `cannot store ${trajectory} with overwrite and skeletonOnly: one replaces data, the other writes none`,
    {
      where: 'skeletonOnly',
      hint: 'Give one of them: with skeletonOnly, data that the file has stays as it is.',
    },
  )
}

/** Leaves in memory that the file has, as deep as is stored. */
function storedLeaves(nodes: readonly TreeNode[], maxDepth = Number.POSITIVE_INFINITY): TreeNode[] {
  return nodes
    .flatMap((node) => (node instanceof GroupNode ? inMemory(node) : [node]))
    .filter((leaf) => leaf.isStored && leaf.depth <= maxDepth)
}

/** Their items are to be stored by a later call. */
function noteWithoutData(nodes: readonly TreeNode[]): void {
  for (const node of nodes) {
    if (!(node instanceof ResultNode)) continue
    for (const { name } of node.storedItems) node.noteChange(`.${name}`)
  }
}

function inMemory(group: GroupNode): TreeNode[] {
  return group.childNames.flatMap((name) => {
    if (!group.isInMemory(name)) return []
    const child = group.child(name) as TreeNode
    return child instanceof GroupNode ? inMemory(child) : [child]
  })
}
