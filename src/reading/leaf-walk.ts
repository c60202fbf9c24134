import { type Leaf, readLeaf } from './leaf-reader.ts'
import type { Hdf5Reader } from './reader.ts'

/** Only a loop of hard links nests deeper. HDF5's cost of a path grows with the square of its depth. */
const DEPTH_MAX = 64
/** Nodes visited in one walk. The overview of a larger tree says that it is incomplete. */
const NODES_MAX = 10_000

export interface WalkOptions {
  /**
   * The name to show for a child of a group. Undefined skips it. Called before anything is read, so a group of many
   * thousand runs costs one listing.
   */
  readonly nameChild?: (child: string, group: string) => string | undefined
}

/**
 * Visits the leaves below a group, in the order of the file, with their relative dotted names. Does not follow links:
 * they lead to nodes with other names, or in a loop.
 *
 * @returns false if the tree is too large and some leaves were not visited
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
