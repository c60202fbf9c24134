import { GroupNode, ParameterNode, ResultNode, type TreeNode } from './nodes.ts'

export interface CopyNames {
  readonly nameChild?: (name: string) => string
  /** The target of a link's copy; undefined leaves out the link. */
  readonly retarget?: (target: string, link: string) => string | undefined
}

/** Copies the content of a group, with everything below it, into another group. Reads what is not in memory. */
export function copyInto(from: GroupNode, to: GroupNode, names: CopyNames = {}): void {
  const { nameChild = (name) => name, retarget = (target) => target } = names
  for (const node of from.children) {
    const copy = copyNode(node, to, nameChild(node.name))
    if (node instanceof GroupNode) copyInto(node, copy as GroupNode, names)
  }
  for (const name of from.linkNames) {
    const target = retarget(from.linkTarget(name) as string, `${from.fullName}.${name}`)
    if (target !== undefined) to.attachLink(nameChild(name), target)
  }
}

/** The group above the node with this full name. Missing groups are made. */
export function groupAbove(tree: GroupNode, fullName: string): GroupNode {
  const dot = fullName.lastIndexOf('.')
  return dot < 0 ? tree : groupOf(tree, fullName.slice(0, dot))
}

/** The group with this full name. Missing groups are made. */
export function groupOf(tree: GroupNode, fullName: string): GroupNode {
  const known = tree.root.at(fullName)
  if (known instanceof GroupNode) return known
  const parent = groupAbove(tree, fullName)
  const group = new GroupNode(fullName.slice(fullName.lastIndexOf('.') + 1), parent)
  parent.attach(group)
  return group
}

/** Copies a leaf, or a group without its content. An existing group takes over the comment and annotations. */
export function copyNode(node: TreeNode, to: GroupNode, name = node.name): TreeNode {
  if (node instanceof GroupNode) {
    const known = to.child(name)
    const group = known instanceof GroupNode ? known : new GroupNode(name, to)
    group.restore(node.comment, node.storedAnnotations)
    group.isStored = false
    to.attach(group)
    return group
  }
  const copy = node instanceof ParameterNode ? new ParameterNode(name, to) : new ResultNode(name, to)
  copy.restore(node.comment, node.storedAnnotations)
  copy.isStored = false
  if (node instanceof ParameterNode && copy instanceof ParameterNode) {
    const { range } = node
    const own = range === undefined ? undefined : structuredClone(range)
    copy.restoreValue(node.stored, own)
    copy.userClass = node.userClass
    if (!node.isLocked) copy.unlock()
  } else if (node instanceof ResultNode && copy instanceof ResultNode) {
    copy.restoreItems(node.loadAll(), node.className, true)
    copy.userClass = node.userClass
  }
  to.attach(copy)
  return copy
}
