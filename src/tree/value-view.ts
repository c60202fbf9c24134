/** Natural naming for values: `traj.par.neuron.tau`, `traj.res.z`. */
import { PypetError } from '../errors.ts'
import { GroupNode, ParameterNode, ResultNode, type TreeNode } from './nodes.ts'
import { findNode, notFound } from './search.ts'
import { fastValue } from './to-dict.ts'

/**
 * A group as an object with values and no methods, so that nodes may have any name. A parameter gives its value at the
 * current run. A result whose only item has its name gives that item. Other results are nodes. Config can be set until it
 * is stored.
 */
export function valueView(group: GroupNode): unknown {
  return new Proxy(Object.create(null) as object, {
    get(_target, name) {
      if (typeof name === 'symbol') return undefined
      const node = findNode(group, name, {})
      if (node !== undefined) return viewOf(node)
      // Promises, JSON.stringify and inspection ask for these, not users.
      if (name === 'then' || name === 'toJSON' || name === 'constructor') return undefined
      throw notFound(group, name)
    },
    has: (_target, name) => typeof name === 'string' && findNode(group, name, {}) !== undefined,
    ownKeys: () => [...group.childNames, ...group.linkNames],
    getOwnPropertyDescriptor(_target, name) {
      if (typeof name === 'symbol' || !group.has(name)) return undefined
      const node = group.child(name) ?? group.linked(name)
      return { value: node && viewOf(node), enumerable: true, configurable: true, writable: false }
    },
    set(_target, name, value) {
      const node = typeof name === 'string' ? findNode(group, name, {}) : undefined
      if (node instanceof ParameterNode && node.branch === 'config' && !node.isStored) {
        // Reading locks a parameter, but nothing depends on config yet.
        node.unlock()
        node.set(value)
        return true
      }
      throw new PypetError('PYPET_USAGE', `${group.fullName}.${String(name)} cannot be assigned`, {
        where: `${group.fullName}.${String(name)}`,
        hint: `Values are read here. Change one with traj.get('${group.fullName}.${String(name)}').set(value).`,
      })
    },
  })
}

function viewOf(node: TreeNode): unknown {
  if (node instanceof GroupNode) return valueView(node)
  return node instanceof ParameterNode || node instanceof ResultNode ? fastValue(node) : node
}
