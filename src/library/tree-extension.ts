/** New nodes and points of a tree in memory, as an extension of a trajectory that an experiment is writing. */
import { PypetError } from '../errors.ts'
import type { ExplorationSpec } from '../exploration/exploration.ts'
import { rawGroup, rawLeaf } from '../layout/tree-layout.ts'
import type { Extension } from '../protocol.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import type { LinkRecord } from '../run/run-record.ts'
import { GroupNode, nameIn, ParameterNode, type TreeNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'

export interface TreeExtension {
  readonly extension: Extension
  /** Call it when the extension is in the file. */
  readonly markStored: () => void
}

/**
 * The nodes in memory that are not in the file.
 *
 * @param options.added points added to the exploration
 * @param options.skips leaves that are stored in another way
 * @throws PypetError `PYPET_PARAMETER_TYPE` for a new parameter that is explored, `PYPET_DATA_NOT_LOADED`
 */
export function treeExtension(
  tree: TrajectoryTree,
  nodes: readonly TreeNode[],
  options: {
    readonly added?: ExplorationSpec | undefined
    readonly skips?: (leaf: TreeNode) => boolean
  } = {},
): TreeExtension {
  const { added, skips = () => false } = options
  const found: TreeNode[] = []
  for (const node of nodes) collectNew(node, found)
  const leaves = found.filter((node) => !(node instanceof GroupNode))
  const links = newLinks(tree)
  return {
    extension: {
      ...(added !== undefined && { added }),
      groups: found.filter((node) => node instanceof GroupNode).map(rawGroup),
      leaves: leaves.filter((leaf) => !skips(leaf)).map(unexplored),
      links: links.map(({ record }) => record),
    },
    markStored() {
      for (const node of found) node.isStored = true
      for (const { group, name } of links) group.noteLinkStored(name)
    },
  }
}

function collectNew(node: TreeNode, into: TreeNode[]): void {
  for (const above of groupsAbove(node)) if (!above.isStored && !into.includes(above)) into.push(above)
  if (!node.isRoot && !node.isStored && !into.includes(node)) into.push(node)
  if (!(node instanceof GroupNode)) return
  for (const child of node.inMemory) collectBelow(child, into)
}

/** Like `collectNew`, for a node whose groups are known. */
function collectBelow(node: TreeNode, into: TreeNode[]): void {
  if (!node.isStored) into.push(node)
  if (!(node instanceof GroupNode)) return
  for (const child of node.inMemory) collectBelow(child, into)
}

function groupsAbove(node: TreeNode): GroupNode[] {
  const groups: GroupNode[] = []
  for (let at = node.parent; at !== undefined && !at.isRoot; at = at.parent) groups.unshift(at)
  return groups
}

/** A leaf for the running trajectory. It cannot add points. */
function unexplored(leaf: TreeNode): RawLeaf {
  const raw = rawLeaf(leaf)
  if (!(leaf instanceof ParameterNode) || leaf.range === undefined) return raw
  throw new PypetError('PYPET_PARAMETER_TYPE', `${raw.location} is new but already explored`, {
    where: raw.location,
    hint: 'Declare explored parameters before the experiment starts.',
  })
}

function newLinks(
  tree: TrajectoryTree,
): { readonly group: GroupNode; readonly name: string; readonly record: LinkRecord }[] {
  return [...tree.allLinks()].flatMap(([group, name, target]) => {
    if (group.isLinkStored(name)) return []
    const location = nameIn(group, name)
    return [{ group, name, record: { location, target } }]
  })
}
