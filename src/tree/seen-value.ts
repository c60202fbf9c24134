/** What a job sees of its trajectory besides its own run, as values. */

import type { RawLeaf } from '../trajectory/run-frame.ts'
import { leafValue } from '../trajectory/stored-items.ts'
import { GroupNode, type LeafNode } from './group-node.ts'
import type { TreeNode } from './node.ts'
import { ResultNode } from './result-node.ts'

/**
 * The value of a parameter or of a result with one item, the items by name of another one, and of a group all that is below
 * it, by name.
 *
 * @param read reads the items of what was too large to be sent with the others
 */
export async function seenValue(
  node: TreeNode,
  wants: (item: string) => boolean,
  read: (fullName: string) => Promise<RawLeaf['items']>,
): Promise<unknown> {
  if (!(node instanceof GroupNode)) return await valueOfLeaf(node as LeafNode, wants, read)
  const values: Record<string, unknown> = {}
  for (const leaf of node.iterLeaves()) {
    values[leaf.fullName.slice(node.fullName.length + 1)] = await valueOfLeaf(leaf, wants, read)
  }
  return values
}

async function valueOfLeaf(
  leaf: LeafNode,
  wants: (item: string) => boolean,
  read: (fullName: string) => Promise<RawLeaf['items']>,
): Promise<unknown> {
  if (!(leaf instanceof ResultNode)) {
    return leaf.branch === 'parameters' || leaf.stored !== undefined
      ? leaf.get()
      : leafValue(await read(leaf.fullName), wants)
  }
  const names = leaf.itemNames
  if (names.length === 0) return leafValue(await read(leaf.fullName), wants)
  const wanted = names.filter(wants)
  if (names.length === 1 && wanted.length === 1) return leaf.get()
  return Object.fromEntries(wanted.map((name) => [name, leaf.get(name)]))
}
