import { type Leaf, readLeaf } from './leaf-reader.ts'
import type { Hdf5Reader } from './reader.ts'

/** Nobody nests deeper, but a ring of hard links does; HDF5's cost of a path grows with its depth squared. */
const DEPTH_MAX = 64
/** Nodes looked at in one walk; the overview of a larger tree says that it is not complete. */
const NODES_MAX = 10_000

export interface WalkOptions {
  /**
   * The name to show for a child of a group; undefined leaves it out unopened. Asked before anything
   * is read, so a group of many thousand runs costs one listing.
   */
  readonly nameChild?: (child: string, group: string) => string | undefined
}

/**
 * Visits the leaves below a group, in the file's order, with their dotted names relative to it. Links
 * are not followed: they lead to nodes that have names of their own, or in a ring.
 *
 * @returns false when the tree is larger than the walk and some leaves were not visited
 */
export function walkLeaves(
  reader: Hdf5Reader,
  group: string,
  visit: (leaf: Leaf, name: string) => void,
  { nameChild = (child) => child }: WalkOptions = {},
): boolean {
  let nodeCount = 0
  const walk = (path: string, prefix: string, depth: number): boolean => {
    for (const child of reader.children(path)) {
      const name = nameChild(child, path)
      if (name === undefined) continue
      nodeCount += 1
      if (nodeCount > NODES_MAX || depth > DEPTH_MAX) return false
      const childPath = `${path}/${child}`
      if (reader.kind(childPath) !== 'group') continue
      const leaf = readLeaf(reader, childPath)
      if (leaf !== undefined) visit(leaf, prefix + name)
      else if (!walk(childPath, `${prefix}${name}.`, depth + 1)) return false
    }
    return true
  }
  return reader.kind(group) === 'group' ? walk(group, '', 0) : true
}
