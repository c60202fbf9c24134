/** Deletes nodes and links from the file of a trajectory, and nodes from memory that are no longer in the file. */
import { PypetError } from '../errors.ts'
import { deletionOperations } from '../layout/deleted-nodes.ts'
import { EditedColumns } from '../storage/edit/edited-columns.ts'
import { GroupNode, type LeafNode, nameIn, type TreeNode } from '../tree/nodes.ts'
import { findNode } from '../tree/search.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { TrajectoryFile } from './trajectory-file.ts'

/** @throws PypetError like `Trajectory.deleteItems` */
export async function deleteNodes(
  file: TrajectoryFile,
  items: readonly (string | TreeNode)[],
  fromTrajectory: boolean,
): Promise<void> {
  const { tree } = file
  await file.open()
  const nodes = items.map((item) => {
    const node = typeof item === 'string' ? toDelete(tree, item) : item
    assertDeletable(tree, node)
    if (file.source.head(node.fullName) === undefined) throw file.notStored(node.fullName)
    return node
  })
  // Delete the links to them too. A link that stays in memory is then new to the file, like its target.
  const links = [...tree.allLinks()].filter(
    ([group, name, target]) =>
      group.isLinkStored(name) && nodes.some(({ fullName }) => `${target}.`.startsWith(`${fullName}.`)),
  )
  await noteDeleted(file, [
    ...nodes.map(({ fullName }) => fullName),
    ...links.map(([group, name]) => nameIn(group, name)),
  ])
  for (const [group, name] of links) group.noteLinkDeleted(name)
  for (const node of nodes) {
    // The deepest first, so that groups with nothing left in memory are removed too.
    for (const below of [node, ...(node instanceof GroupNode ? node.iterNodes() : [])].reverse()) {
      below.isStored = false
      // Nodes that were only in the file are gone.
      const isGone = below instanceof GroupNode ? below.childNames.length === 0 : (below as LeafNode).isEmpty
      if (isGone) below.parent?.drop(below.name)
    }
    if (!fromTrajectory) continue
    tree.forgetLinksTo(node)
    node.parent?.drop(node.name)
  }
}

/** @throws PypetError like `Trajectory.deleteLinks` */
export async function deleteLinks(
  file: TrajectoryFile,
  links: readonly string[],
  fromTrajectory: boolean,
): Promise<void> {
  await file.open()
  const places = links.map((link) => {
    const { group, name } = placeOf(file.tree, link)
    if (group.linkTarget(name) === undefined) throw noLink(file.tree, link)
    if (!group.isLinkStored(name)) throw file.notStored(link)
    return { group, name }
  })
  await noteDeleted(
    file,
    places.map(({ group, name }) => nameIn(group, name)),
  )
  for (const { group, name } of places) {
    group.noteLinkDeleted(name)
    if (fromTrajectory) group.removeLink(name)
  }
}

async function noteDeleted(file: TrajectoryFile, names: readonly string[]): Promise<void> {
  const { reader } = file.source
  const { name } = file.tree
  const operations = deletionOperations(reader, name, names)
  const set = reader.columns(name)
  if (set !== undefined) {
    const columns = EditedColumns.of(reader, name)
    columns?.noteDeleted(names, set)
    operations.push(...(columns?.operations() ?? []))
  }
  await file.edit((editor) => editor.apply(operations))
}

/** @throws PypetError `PYPET_USAGE` for the trajectory itself, `PYPET_PARAMETER_LOCKED` for explored parameters */
function assertDeletable(tree: TrajectoryTree, { isRoot, fullName }: TreeNode): void {
  if (isRoot) {
    throw new PypetError('PYPET_USAGE', `cannot delete ${tree.name} itself`, {
      where: tree.name,
      hint: "Delete its nodes, as in deleteItems(['results', 'config']), or copy the other trajectories to a new file.",
    })
  }
  const explored = Object.keys(tree.exploredParameters).find((name) => `${name}.`.startsWith(`${fullName}.`))
  if (explored === undefined) return
  throw new PypetError('PYPET_PARAMETER_LOCKED', `cannot delete ${fullName}: ${explored} is explored`, {
    where: fullName,
    hint: 'The runs use its values. Load the trajectory with { asNew } to explore something else.',
  })
}

/** The node with this name. A link is not followed. */
function toDelete(tree: TrajectoryTree, item: string): TreeNode {
  const node = tree.get(item)
  const { group, name } = placeOf(tree, item)
  if (findNode(group, name, { withLinks: false }) !== undefined) return node
  throw new PypetError('PYPET_NODE_NOT_FOUND', `${item} is a link to ${node.fullName}`, {
    where: item,
    hint: `Delete the link: deleteLink('${item}'). Or delete its target: deleteItem('${node.fullName}').`,
  })
}

/** The group that contains this name. */
function placeOf(tree: TrajectoryTree, item: string): { readonly group: GroupNode; readonly name: string } {
  const dot = item.lastIndexOf('.')
  const group = dot < 0 ? tree : tree.get(item.slice(0, dot))
  return { group: group as GroupNode, name: item.slice(dot + 1) }
}

function noLink(tree: TrajectoryTree, name: string): PypetError {
  const links = Array.from(tree.allLinks(), ([group, link]) => nameIn(group, link))
  return new PypetError('PYPET_NODE_NOT_FOUND', `${name} of ${tree.name} is not a link`, {
    where: name,
    hint: tree.contains(name)
      ? `Delete the node: deleteItem('${name}').`
      : `Its links: ${links.slice(0, 8).join(', ') || 'none'}.`,
  })
}
