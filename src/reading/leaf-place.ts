/**
 * Where the data of a leaf is: which child is which item, table or value of a range (docs/format.md, sections 2 and 4).
 */
import type { Cell, Field } from '../hdf5/datatype.ts'
import {
  ARRAY_SUFFIX,
  PICKLE_PROTOCOL,
  RANGE,
  RANGE_SUFFIXES,
  rangeValueName,
  SPARSE_SUFFIX,
  SRVC,
  TYPE_ATTRIBUTE,
} from '../names.ts'
import type { NodeReader } from './raw-reader.ts'

/** Nested groups of one item. Deeper nesting can only be a loop of hard links. */
const NESTING_MAX = 16

/** Whether a group of the tree is a leaf. */
export function isLeaf(reader: NodeReader, path: string): boolean {
  const mark = reader.attribute(path, SRVC.leaf)
  // pypet stores a boolean, pypet-ts an int8. A group has no such attribute.
  return mark === true || mark === 1
}

/** A text attribute. Empty if it is not a text. */
export function textAttribute(reader: NodeReader, path: string, name: string): string {
  const value = reader.attribute(path, name)
  return typeof value === 'string' ? value : ''
}

/** Whether only Python can read the data of this class. */
export function isPickled(className: string): boolean {
  return className.startsWith('Pickle')
}

/** The name of an item, without the suffix for its kind. */
export function itemName(child: string): string {
  return child.endsWith(SPARSE_SUFFIX) ? child.slice(0, -SPARSE_SUFFIX.length) : child
}

export interface ValuePlace {
  readonly kind: 'pickle' | 'sparse' | 'array' | 'cell'
  readonly path: string
}

/** The value of a parameter: a dataset, or the one cell of a table. Undefined if none is stored. */
export function valuePlace(reader: NodeReader, path: string, className: string): ValuePlace | undefined {
  const data = `${path}/data`
  if (isPickled(className)) return { kind: 'pickle', path: data }
  for (const [kind, suffix] of [
    ['array', ARRAY_SUFFIX],
    ['sparse', SPARSE_SUFFIX],
  ] as const) {
    if (reader.kind(data + suffix) === 'dataset') return { kind, path: data + suffix }
  }
  if (reader.kind(data) !== 'dataset') return undefined
  return { kind: columnOf(reader, data, 'data') === undefined ? 'array' : 'cell', path: data }
}

export interface RangeTable {
  readonly table: string
  /** The column of the runs' values, or of their indices if it is a reference. */
  readonly column: Field
  readonly isReference: boolean
  /** The indexed values are sparse matrices. */
  readonly isSparse: boolean
  /** The path of the value with this index. */
  readonly valuePath: (number: number) => string
}

/** The table of an explored parameter's values, one row per run. Undefined if the file has none. */
export function rangeTable(reader: NodeReader, path: string): RangeTable | undefined {
  if (reader.kind(path) !== 'group') return undefined
  // The table without a suffix may hold texts for indexed values.
  for (const suffix of RANGE_SUFFIXES) {
    const table = `${path}/${RANGE}${suffix}`
    if (reader.kind(table) !== 'dataset') continue
    const numbers = columnOf(reader, table, 'idx')
    const column = numbers ?? (suffix === '' ? columnOf(reader, table, 'data') : undefined)
    if (column === undefined) continue
    return {
      table,
      column,
      isReference: numbers !== undefined,
      isSparse: suffix === SPARSE_SUFFIX,
      valuePath: (number) => `${path}/${rangeValueName(suffix, number)}`,
    }
  }
  return undefined
}

function columnOf(reader: NodeReader, table: string, name: string): Field | undefined {
  const { type } = reader.form(table)
  return type.kind === 'record' ? type.fields.find((field) => field.name === name) : undefined
}

export interface ItemPlace {
  /** A nested item's name has dots. */
  readonly name: string
  readonly path: string
  readonly kind: ReturnType<NodeReader['kind']>
  /** How pypet stores a group. */
  readonly store: Cell | undefined
}

/**
 * The items of a result, in the order of the file.
 *
 * @param options.entersRecords return the fields of a record as separate items. Otherwise a record is one item.
 */
export function* itemPlaces(
  reader: NodeReader,
  group: string,
  options: { readonly entersRecords: boolean },
  prefix = '',
  depth = 0,
): Generator<ItemPlace> {
  for (const child of reader.children(group)) {
    if (child === PICKLE_PROTOCOL) continue
    const path = `${group}/${child}`
    const kind = reader.kind(path)
    const name = prefix + itemName(child)
    const store = kind === 'group' ? reader.attribute(path, SRVC.store) : undefined
    const isNested =
      kind === 'group' &&
      store === 'NESTED_GROUP' &&
      (options.entersRecords || reader.attribute(path, TYPE_ATTRIBUTE) === undefined)
    if (!isNested) yield { name, path, kind, store }
    else if (depth < NESTING_MAX) yield* itemPlaces(reader, path, options, `${name}.`, depth + 1)
  }
}
