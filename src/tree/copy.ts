import { GroupNode } from './group-node.ts'
import { ParameterNode } from './parameter-node.ts'
import { ResultNode } from './result-node.ts'

/** Copies what is in a group, with everything below, into another. What is not in memory is read. */
export function copyInto(from: GroupNode, to: GroupNode): void {
  for (const node of from.children) {
    if (node instanceof GroupNode) {
      const known = to.child(node.name)
      const group = known instanceof GroupNode ? known : new GroupNode(node.name, to)
      group.restore(node.comment, node.storedAnnotations)
      group.isStored = false
      to.attach(group)
      copyInto(node, group)
      continue
    }
    const copy =
      node instanceof ParameterNode ? new ParameterNode(node.name, to) : new ResultNode(node.name, to)
    copy.restore(node.comment, node.storedAnnotations)
    copy.isStored = false
    if (node instanceof ParameterNode && copy instanceof ParameterNode) {
      const { range } = node
      const own = range === undefined ? undefined : structuredClone(range)
      copy.restoreValue(node.stored, own)
      if (!node.isLocked) copy.unlock()
    } else if (node instanceof ResultNode && copy instanceof ResultNode) {
      copy.restoreItems(node.loadAll(), node.className, true)
      copy.userClass = node.userClass
    }
    to.attach(copy)
  }
  for (const name of from.linkNames) to.attachLink(name, from.linkTarget(name) as string)
}
