/** Stores what is in memory and not in the file: nodes, points, links, changes. If necessary, it rewrites the file. */
import { PypetError } from '../errors.ts'
import { LayoutMemory } from '../layout/layout-memory.ts'
import { rootAttributes } from '../layout/pytables-group.ts'
import { assertNoColumns } from '../layout/run-columns.ts'
import { RunOverviews } from '../layout/run-overviews.ts'
import { newTrajectory, overviewTables } from '../layout/trajectory-tables.ts'
import { failedRunRows, newLinks, newNodes, pathOf, performedRows, treeShape } from '../layout/tree-layout.ts'
import { isRunName } from '../names.ts'
import { readOverviewMemory } from '../reading/overview-memory.ts'
import type { Hdf5Source } from '../reading/tree-source.ts'
import { formatCount, formatRuns } from '../reporting/quantity.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import { changedNodes, type NodeChange, nodeChange } from '../storage/edit/changed-nodes.ts'
import { STORAGE_DEFAULTS } from '../storage/edit/edit-file.ts'
import { EditedColumns } from '../storage/edit/edited-columns.ts'
import {
  growthOperations,
  keepsFirstRun,
  outgrownTables,
  type StoredExploration,
} from '../storage/edit/grown-trajectory.ts'
import { changed } from '../storage/expand-trajectory.ts'
import { EVERY_ITEM } from '../tree/node-source.ts'
import { GroupNode, nameIn, ResultNode, type TreeNode } from '../tree/nodes.ts'
import type { RunTimes } from '../tree/run-information.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import { storedUnitOf, UNIT } from '../values/unit.ts'
import type { TrajectoryFile, Writer } from './trajectory-file.ts'
import { LIBRARY_VERSIONS } from './trajectory-info.ts'

export interface StoreOptions {
  /** Only the trajectory and its tables, without nodes. */
  readonly onlyInit?: boolean
  /** Number of levels below the root to store. */
  readonly maxDepth?: number
  /** Groups and comments of results, without their data. */
  readonly skeletonOnly?: boolean
  /** Write leaves again that the file already has. Otherwise they stay as they are. Not with `skeletonOnly`. */
  readonly overwrite?: boolean
}

const STORE_OPTIONS = ['onlyInit', 'maxDepth', 'skeletonOnly', 'overwrite'] satisfies (keyof StoreOptions)[]

/** @throws PypetError like `Trajectory.store` */
export async function storeNodes(
  file: TrajectoryFile,
  nodes: readonly TreeNode[],
  options: StoreOptions,
): Promise<void> {
  assertKnownOptions(options, STORE_OPTIONS, 'store')
  const { name } = file.tree
  if (file.isExtending) {
    if (options.overwrite === true) throw overwritesRunning(name)
    return await file.extend(nodes)
  }
  if (options.overwrite === true && options.skeletonOnly === true) throw overwritesSkeleton(name)
  await file.inTurn(() => storeInTurn(file, nodes, options))
}

async function storeInTurn(
  file: TrajectoryFile,
  nodes: readonly TreeNode[],
  options: StoreOptions,
): Promise<void> {
  const { tree, complevel } = file
  const isNew = !tree.isStored
  const overwrites = options.overwrite === true
  const maxDepth = options.maxDepth ?? Number.POSITIVE_INFINITY
  if (isNew && !file.overwrites) await file.assertNameIsFree()
  const before = isNew ? undefined : await readKnown(file, nodes, overwrites)
  const overwritten = overwrites ? storedLeaves(nodes, maxDepth) : []
  // Leaves to be rewritten must be complete in memory.
  for (const leaf of overwritten) tree.loadLeaf(leaf, EVERY_ITEM, false)
  if (before !== undefined && !keepsFirstRun(tree, before)) {
    throw changed(file.path, tree.name, 'its run was stored with other values')
  }
  const changes = isNew ? [] : changesOf(file, nodes, maxDepth, overwritten)
  const isReplacing = before !== undefined && replacesDeleted(file, nodes)
  const drop = [
    ...overwritten.map(({ fullName }) => pathOf(tree, fullName)),
    ...(before === undefined ? [] : [...movedLinks(file, overwrites), ...outgrownTables(tree, before)]),
  ]
  const performed = performedBy(tree, nodes, options, isNew ? undefined : file.source)
  // Only new leaves are added to the overviews, and reading those takes long.
  const addsLeaves = before !== undefined && leavesInMemory(nodes).some((leaf) => !leaf.isStored)
  const memory = new LayoutMemory(
    addsLeaves ? readOverviewMemory(file.source.reader, `/${tree.name}`) : undefined,
  )
  // They are in the overviews already.
  const rewritten = new Set(overwritten.map(({ fullName }) => fullName))
  // Both read the file, which is closed while it is written.
  const layout = isNew ? undefined : file.source.reader.columns(tree.name)?.layout
  if (layout !== undefined)
    for (const { fullName } of leavesInMemory(nodes)) assertNoColumns(fullName, layout)
  const hasNewRuns = performed.size > 0 || (before !== undefined && before.runCount < tree.length)
  const touchesRuns =
    hasNewRuns ||
    leavesInMemory(nodes).some((leaf) => isOfRun(leaf) && (!leaf.isStored || leaf.changes.size > 0))
  const columns =
    layout !== undefined && (touchesRuns || overwritten.some(isOfRun))
      ? EditedColumns.of(file.source.reader, tree.name)
      : undefined
  const realised =
    layout === 'columns' ? file.source.reader.realised(changedPaths(tree, nodes, overwritten)) : []
  const written: TreeNode[] = []
  const links: (readonly [GroupNode, string])[] = []
  const write = ({ isNewFile, apply }: Writer, expandedFrom: StoredExploration | undefined) => {
    // Their ranges are also new to the written file.
    for (const leaf of overwritten) leaf.isStored = false
    const shape = treeShape(tree, LIBRARY_VERSIONS)
    const storage = expandedFrom?.storage ?? STORAGE_DEFAULTS
    const overviews = new RunOverviews(`/${tree.name}`, storage, tree.length, memory)
    if (isNewFile) apply(rootAttributes(''))
    if (isNew) {
      for (const operations of newTrajectory(shape, STORAGE_DEFAULTS)) apply(operations)
      apply(failedRunRows(tree, 0, undefined))
      apply([...overviewTables(shape, STORAGE_DEFAULTS.overviews), ...overviews.open()])
    } else if (expandedFrom !== undefined) {
      for (const operations of growthOperations(tree, expandedFrom, complevel, LIBRARY_VERSIONS))
        apply(operations)
    }
    apply(realised)
    if (columns !== undefined) {
      if (expandedFrom !== undefined && expandedFrom.runCount < tree.length) apply(columns.grow(tree.length))
      columns.completes(performed.keys())
    }
    for (const { node, operations, added } of changes) {
      apply(operations)
      if (hasOtherUnit(node)) columns?.noteUnit(node.fullName, storedUnitOf(node.storedAnnotations))
      if (added !== undefined) columns?.noteItems(added)
    }
    if (performed.size > 0) apply(performedRows(shape, performed))
    const writing = {
      complevel,
      maxDepth,
      skeletonOnly: options.skeletonOnly === true,
      // Summaries keep the comments of leaves that were deleted.
      onLeaf: (leaf: RawLeaf) => {
        if (!rewritten.has(leaf.location)) overviews.add(leaf)
        columns?.note(leaf)
      },
    }
    for (const node of nodes) {
      for (const { node: added, operations } of newNodes(tree, node, writing)) {
        apply(operations)
        // The groups above need not be written again. Undone below if the edit fails.
        added.isStored = true
        written.push(added)
      }
    }
    apply([...overviews.commit(), ...(columns?.operations(performed) ?? [])])
    for (const { group, name, operation } of newLinks(tree)) {
      apply([operation])
      links.push([group, name])
    }
  }
  const noted = new Map(overwritten.map((leaf) => [leaf, [...leaf.changes]]))
  try {
    if (drop.length > 0 || isReplacing) await file.rewrite(new Set(drop), write)
    else await file.edit((editor) => write(editor, before), before)
  } catch (error) {
    for (const node of written) node.isStored = false
    for (const [leaf, leafChanges] of noted) {
      leaf.isStored = true
      for (const change of leafChanges) leaf.noteChange(change)
    }
    throw error
  }
  tree.notePerformedStored(performed.keys())
  for (const { node } of changes) node.isStored = true
  for (const [group, name] of links) group.noteLinkStored(name)
  if (options.skeletonOnly === true) noteWithoutData(written)
  // Other changes of it are stored only on request.
  if (isNew) tree.isStored = true
  file.storedLength = tree.length
}

/**
 * The file's exploration, if it is the one known here. Groups that others have stored in the meantime count as stored.
 *
 * @throws PypetError `PYPET_TRAJECTORY_CHANGED`, `PYPET_TRAJECTORY_STORED`
 */
async function readKnown(
  file: TrajectoryFile,
  nodes: readonly TreeNode[],
  overwrites: boolean,
): Promise<StoredExploration> {
  const { tree, path, storedLength } = file
  const before = await file.readExploration()
  if (tree.isShrunk) {
    throw new PypetError(
      'PYPET_TRAJECTORY_STORED',
      `${tree.name} has been shrunk in memory, but the file still holds its ${formatRuns(before.runCount)}`,
      {
        where: path,
        hint: 'Store it as another trajectory: load it with { asNew: "name" }, and shrink and explore that one.',
      },
    )
  }
  // New points here would take the places of those in the file.
  if (before.runCount !== storedLength && tree.length !== storedLength) {
    const found = `it now has ${formatRuns(before.runCount)}, before ${formatCount(storedLength)}`
    throw changed(path, tree.name, found)
  }
  for (const node of nodes) adoptStored(file, node, overwrites)
  return before
}

function adoptStored(file: TrajectoryFile, node: TreeNode, overwrites: boolean): void {
  if (!node.isRoot && !node.isStored) {
    const { parent } = node
    const { source } = file
    if (parent !== undefined && !parent.isStored) adoptStored(file, parent, overwrites)
    if (parent?.isStored !== true || !source.has(node.fullName)) return
    const isGroup = source.head(node.fullName)?.kind === 'group'
    if (isGroup !== node instanceof GroupNode || (!isGroup && !overwrites)) {
      throw changed(file.path, file.tree.name, `it already holds ${node.fullName}`)
    }
    node.isStored = true
    if (node.comment !== '') node.noteChange('comment')
    for (const { name } of node.storedAnnotations) node.noteChange(`@${name}`)
  }
  if (!(node instanceof GroupNode)) return
  for (const child of node.inMemory) {
    if (child instanceof GroupNode || !child.isStored) adoptStored(file, child, overwrites)
  }
}

/** Runs that a script has completed and that are fully stored now. Runs that are completed in the file stay as they are. */
function performedBy(
  tree: TrajectoryTree,
  nodes: readonly TreeNode[],
  { maxDepth, skeletonOnly }: StoreOptions,
  source: Hdf5Source | undefined,
): ReadonlyMap<RunIndex, RunTimes> {
  const isWhole = maxDepth === undefined && skeletonOnly !== true && nodes.some((node) => node.isRoot)
  if (!isWhole || tree.performedRuns.size === 0) return new Map()
  const known = source?.runs() ?? []
  tree.notePerformedStored([...tree.performedRuns.keys()].filter((run) => known[run]?.completed === true))
  return new Map(tree.performedRuns)
}

/** Additions to stored nodes. @throws PypetError `PYPET_TRAJECTORY_STORED` for values that differ from the file */
function changesOf(
  { tree, source, path, complevel }: TrajectoryFile,
  nodes: readonly TreeNode[],
  maxDepth: number,
  overwritten: readonly TreeNode[],
): readonly NodeChange[] {
  const writing = { complevel, versions: LIBRARY_VERSIONS }
  const changes = changedNodes(nodes, maxDepth)
    .filter((node) => !overwritten.includes(node))
    .map((node) => {
      const change = nodeChange(tree, node, { reader: source.reader, source }, writing)
      if (change !== undefined) return change
      throw changed(path, tree.name, `it no longer holds ${node.fullName}`)
    })
  const kept = changes.flatMap((change) => change.kept.map((what) => `${change.node.fullName} (${what})`))
  if (kept.length > 0) throw keeps(path, kept)
  return changes
}

function isOfRun({ fullName }: TreeNode): boolean {
  return fullName.split('.').some(isRunName)
}

function hasOtherUnit({ changes }: TreeNode): boolean {
  return changes.has(`@${UNIT}`)
}

/** Where something is added: to the groups above new nodes and links, and to changed nodes. Links need their targets. */
function changedPaths(
  tree: TrajectoryTree,
  nodes: readonly TreeNode[],
  overwritten: readonly TreeNode[],
): string[] {
  const paths = [...tree.allLinks()].flatMap(([group, name, target]) =>
    group.isLinkStored(name) ? [] : [pathOf(tree, group.fullName), pathOf(tree, target)],
  )
  const visit = (node: TreeNode): void => {
    const { parent } = node
    if (node.changes.size > 0 && !overwritten.includes(node)) paths.push(pathOf(tree, node.fullName))
    if (parent !== undefined) paths.push(pathOf(tree, parent.fullName))
    if (node instanceof GroupNode) node.inMemory.forEach(visit)
  }
  nodes.forEach(visit)
  return paths
}

/** Links with another target than in the file, by their paths there. */
function movedLinks({ tree, path }: TrajectoryFile, overwrites: boolean): string[] {
  const moved = [...tree.allLinks()].flatMap(([group, name, target]) => {
    const stored = group.storedLinkTarget(name)
    return stored === undefined || stored === target ? [] : [nameIn(group, name)]
  })
  if (moved.length > 0 && !overwrites) {
    throw keeps(
      path,
      moved.map((name) => `the link ${name}`),
    )
  }
  return moved.map((name) => pathOf(tree, name))
}

/** Deleted names block new ones until the file is compacted. */
function replacesDeleted(file: TrajectoryFile, nodes: readonly TreeNode[]): boolean {
  const deleted = new Set(file.deleted())
  if (deleted.size === 0) return false
  const isNewLink = ([group, name]: readonly [GroupNode, string, string]) =>
    !group.isLinkStored(name) && deleted.has(nameIn(group, name))
  if ([...file.tree.allLinks()].some(isNewLink)) return true
  return leavesInMemory(nodes).some((node) => {
    if (node.isStored) return false
    for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) {
      if (deleted.has(at.fullName)) return true
    }
    return false
  })
}

function keeps(file: string, kept: readonly string[]): PypetError {
  const shown = `${kept.slice(0, 5).join(', ')}${kept.length > 5 ? `, and ${kept.length - 5} more` : ''}`
  return new PypetError(
    'PYPET_TRAJECTORY_STORED',
    `${file} already holds nodes that were changed in memory: ${shown}; nothing was written`,
    { where: file, hint: 'Replace them with store({ overwrite: true }), or give new nodes other names.' },
  )
}

function overwritesRunning(trajectory: string): PypetError {
  return new PypetError('PYPET_USAGE', `${trajectory} cannot be overwritten while its experiment runs`, {
    where: 'overwrite',
    hint: 'Add new nodes under another name, or overwrite it after the experiment.',
  })
}

function overwritesSkeleton(trajectory: string): PypetError {
  return new PypetError(
    'PYPET_USAGE',
    `cannot store ${trajectory} with overwrite and skeletonOnly: one replaces data, the other writes none`,
    {
      where: 'skeletonOnly',
      hint: 'Give only one. With skeletonOnly, the data in the file stays as it is.',
    },
  )
}

/** Leaves in memory that the file has, down to the depth to store. */
function storedLeaves(nodes: readonly TreeNode[], maxDepth: number): TreeNode[] {
  return leavesInMemory(nodes).filter((leaf) => leaf.isStored && leaf.depth <= maxDepth)
}

function leavesInMemory(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap((node) => (node instanceof GroupNode ? leavesInMemory(node.inMemory) : [node]))
}

/** Their items will be stored by a later call. */
function noteWithoutData(nodes: readonly TreeNode[]): void {
  for (const node of nodes) {
    if (!(node instanceof ResultNode)) continue
    for (const { name } of node.storedItems) node.noteChange(`.${name}`)
  }
}
