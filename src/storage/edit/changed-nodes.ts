/** What stored nodes have gained, or changed, in memory: what can be written in place, and what cannot. */
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { annotationOperations } from '../../layout/annotation-layout.ts'
import { itemOperations } from '../../layout/item-layout.ts'
import { infoTable } from '../../layout/trajectory-tables.ts'
import { pathOf, rawFields, treeShape, type Versions } from '../../layout/tree-layout.ts'
import { ANNOTATION_PREFIX, SRVC } from '../../names.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import type { Hdf5Source } from '../../reading/tree-source.ts'
import type { RawLeaf } from '../../run/run-frame.ts'
import { GroupNode, ParameterNode, ResultNode, type TreeNode } from '../../tree/nodes.ts'
import type { TrajectoryTree } from '../../tree/trajectory-tree.ts'
import { type RawField, rawValue } from '../../values/raw-value.ts'
import type { StoredField, StoredValue } from '../../values/stored-value.ts'
import { storedUnitOf, unitAnnotations } from '../../values/unit.ts'
import { isEqualValue } from '../../values/value-key.ts'

export interface NodeChange {
  readonly node: TreeNode
  /** New items, comments and annotations. */
  readonly operations: readonly Hdf5Operation[]
  /** What a result has gained. Undefined for nothing. */
  readonly added: RawLeaf | undefined
  /** Data that differs in the file and is not replaced without being asked, as text. */
  readonly kept: readonly string[]
}

interface ChangeOptions {
  readonly complevel: number
  readonly versions: Versions
}

/** Stored nodes at and below the given ones that have changed in memory since. */
export function changedNodes(nodes: readonly TreeNode[], maxDepth: number): TreeNode[] {
  return nodes.flatMap((node) => {
    if (node.depth > maxDepth) return []
    const below = node instanceof GroupNode ? changedNodes(node.inMemory, maxDepth) : []
    return node.isStored && node.changes.size > 0 ? [node, ...below] : below
  })
}

/** @returns undefined for a node that is not in the file */
export function nodeChange(
  tree: TrajectoryTree,
  node: TreeNode,
  { reader, source }: { readonly reader: Hdf5Reader; readonly source: Hdf5Source },
  options: ChangeOptions,
): NodeChange | undefined {
  const head = source.head(node.fullName)
  if (head === undefined) return undefined
  const path = pathOf(tree, node.fullName)
  const operations = [
    ...commentOperations(tree, node, path, reader, options.versions),
    ...annotationChanges(node, path, head.annotations, reader),
  ]
  const kept: string[] = []
  const items: RawField[] = []
  if (node instanceof ParameterNode && node.changes.has('value') && node.stored !== undefined) {
    const { value } = source.parameter(node.fullName, head.className)
    if (!isSame(value, node.stored) || head.userClass !== node.userClass) kept.push('its value')
  }
  if (node instanceof ResultNode) {
    for (const item of changedItems(node)) {
      const wanted = node.storedItems.find(({ name }) => name === item)
      const [found] = source.items(node.fullName, head.className, (name) => name === item)
      if (found !== undefined) {
        if (!isSame(found.value, wanted?.value)) kept.push(`item ${item}`)
        continue
      }
      if (wanted === undefined) continue
      if (wanted.value.form === 'sparse' && head.className === 'Result') operations.push(sparseClass(path))
      const value = rawValue(wanted.value)
      items.push({ name: item, value })
      operations.push(...itemOperations(`${path}/${item}`, value, options.complevel))
    }
  }
  const { fullName: location, comment } = node
  const unit = unitAnnotations(storedUnitOf(node.storedAnnotations))
  const added =
    items.length === 0 ? undefined : { location, kind: 'result' as const, comment, ...unit, items }
  return { node, operations, added, kept }
}

function isSame(found: StoredValue | undefined, wanted: StoredValue | undefined): boolean {
  return found !== undefined && wanted !== undefined && isEqualValue(found, wanted)
}

function changedItems(node: ResultNode): string[] {
  return [...node.changes].filter((change) => change.startsWith('.')).map((change) => change.slice(1))
}

function sparseClass(path: string): Hdf5Operation {
  return { type: 'replace-attribute', path, name: SRVC.class, value: 'SparseResult' }
}

function commentOperations(
  tree: TrajectoryTree,
  node: TreeNode,
  path: string,
  reader: Hdf5Reader,
  versions: Versions,
): Hdf5Operation[] {
  if (!node.changes.has('comment')) return []
  const name = SRVC.comment
  const isThere = reader.attributeNames(path).includes(name)
  const { comment: value } = node
  const type = isThere ? 'replace-attribute' : 'create-attribute'
  const attribute: Hdf5Operation[] =
    value !== '' ? [{ type, path, name, value }] : isThere ? [{ type: 'delete-attribute', path, name }] : []
  // The trajectory's comment is in its table too.
  return node.isRoot ? [...attribute, ...infoTable(treeShape(tree, versions))] : attribute
}

function annotationChanges(
  node: TreeNode,
  path: string,
  before: readonly StoredField[],
  reader: Hdf5Reader,
): Hdf5Operation[] {
  const changed = [...node.changes]
    .filter((change) => change.startsWith('@'))
    .map((change) => change.slice(1))
  if (changed.length === 0) return []
  const there = new Set(reader.attributeNames(path))
  const gone = changed.filter((name) => {
    const known = before.find((one) => one.name === name)?.value
    const wanted = node.storedAnnotations.find((one) => one.name === name)?.value
    return there.has(`${ANNOTATION_PREFIX}${name}`) && !isSame(known, wanted)
  })
  const added = node.storedAnnotations.filter(
    ({ name }) =>
      changed.includes(name) && (gone.includes(name) || !there.has(`${ANNOTATION_PREFIX}${name}`)),
  )
  const [mark, ...attributes] = annotationOperations(path, rawFields(added))
  const isAny =
    added.length > 0 ||
    [...there].some(
      (name) => name.startsWith(ANNOTATION_PREFIX) && !gone.includes(name.slice(ANNOTATION_PREFIX.length)),
    )
  const isMarked = there.has(SRVC.annotated)
  return [
    ...gone.map((name) => ({
      type: 'delete-attribute' as const,
      path,
      name: `${ANNOTATION_PREFIX}${name}`,
    })),
    // A node without annotations has no mark, as if it had never had any.
    ...(isMarked && !isAny ? [{ type: 'delete-attribute' as const, path, name: SRVC.annotated }] : []),
    ...(mark === undefined || isMarked ? [] : [mark]),
    ...attributes,
  ]
}
