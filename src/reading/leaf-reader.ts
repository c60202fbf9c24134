/** Reads leaves: parameters with their ranges, results with their items (docs/format.md, sections 2 and 4). */
import type { Cell } from '../hdf5/datatype.ts'
import { SPARSE_SUFFIX, SRVC } from '../names.ts'
import {
  type ItemPlace,
  isLeaf,
  isPickled,
  itemPlaces,
  rangeTable,
  textAttribute,
  valuePlace,
} from './leaf-place.ts'
import { columnPreviewer, type Preview, previewDataset, unreadPreview } from './preview.ts'
import type { Hdf5Reader } from './reader.ts'

/** A leaf group of the tree. */
export interface Leaf {
  readonly path: string
  readonly comment: string
  /** The Python class that pypet creates for it: `Parameter`, `PickleResult`. */
  readonly className: string
}

/** The values of an explored parameter: one row per run. */
export interface RangePlace {
  readonly table: string
  readonly column: string
  readonly rowCount: number
  /** The column has indices of stored arrays instead of values. */
  readonly isReference: boolean
  readonly preview: (cell: Cell) => Preview
}

/** Number of described items of one result. pypet's overviews hold fewer characters than this. */
const ITEMS_MAX = 100

/** The leaf at a path. Undefined if the group is not a leaf. */
export function readLeaf(reader: Hdf5Reader, path: string): Leaf | undefined {
  if (!isLeaf(reader, path)) return undefined
  return {
    path,
    comment: textAttribute(reader, path, SRVC.comment),
    className: textAttribute(reader, path, SRVC.class),
  }
}

/** The default of a parameter. */
export function previewParameter(reader: Hdf5Reader, { path, className }: Leaf): Preview {
  const place = valuePlace(reader, path, className)
  if (place === undefined) {
    const found = reader.kind(`${path}/data`)
    return found === undefined
      ? unreadPreview('unknown', 'no value is stored')
      : unreadPreview('unreadable', `its data is a ${found}`)
  }
  if (place.kind === 'pickle') return pickled(reader, place.path)
  if (place.kind === 'sparse') return sparse(reader, place.path)
  if (place.kind === 'array') return previewDataset(reader, place.path)
  let value: Cell | undefined
  reader.scanRows(place.path, ['data'], (_, [cell]) => (value = cell), { start: 0, end: 1 })
  if (value === undefined) return unreadPreview('unknown', 'no value is stored')
  return columnPreviewer(reader, place.path, 'data')(value)
}

/** Where the range of an explored parameter is. Undefined if the file does not have it. */
export function rangePlace(reader: Hdf5Reader, { path, className }: Leaf): RangePlace | undefined {
  const found = rangeTable(reader, path)
  if (found === undefined) return undefined
  const { table, isReference, isSparse, valuePath } = found
  const previewValue = (cell: Cell): Preview => {
    const value = valuePath(Number(cell))
    if (isPickled(className)) return pickled(reader, value)
    if (isSparse) return sparse(reader, value)
    return reader.kind(value) === 'group' ? previewRecord(reader, value) : previewDataset(reader, value)
  }
  return {
    table,
    column: isReference ? 'idx' : 'data',
    rowCount: reader.rowCount(table),
    isReference,
    preview: isReference ? previewValue : columnPreviewer(reader, table, 'data'),
  }
}

/** Describes the data items of a result, each with its key. A nested item's key has dots. */
export function previewItems(reader: Hdf5Reader, leaf: Leaf): (readonly [key: string, Preview])[] {
  const items: (readonly [string, Preview])[] = []
  for (const place of itemPlaces(reader, leaf.path, { entersRecords: true })) {
    if (items.length >= ITEMS_MAX) break
    if (place.kind !== undefined) items.push([place.name, previewItem(reader, leaf, place)])
  }
  return items
}

function previewItem(reader: Hdf5Reader, leaf: Leaf, { path, kind, store }: ItemPlace): Preview {
  if (kind === 'group') return previewGroup(reader, path, store)
  if (kind !== 'dataset') return unreadPreview(String(kind), `a ${kind}, not followed`)
  if (isPickled(leaf.className)) return pickled(reader, path)
  if (path.endsWith(SPARSE_SUFFIX)) return sparse(reader, path)
  if (reader.attribute(path, SRVC.store) === 'VLARRAY')
    return unreadPreview('VLARRAY', 'rows of different lengths')
  return previewDataset(reader, path)
}

/** What a user's class has stored by name. */
function previewRecord(reader: Hdf5Reader, path: string): Preview {
  const fields = reader.children(path).map((name): readonly [string, Cell] => {
    const item = `${path}/${name}`
    const preview =
      reader.kind(item) === 'dataset' ? previewDataset(reader, item) : previewRecord(reader, item)
    return [name, preview.shape.length === 0 ? (preview.cells[0] ?? '') : [...preview.cells]]
  })
  return { type: 'record', shape: [], cells: [{ fields }] }
}

/** Items that are groups: pandas frames and series, and tables with too many columns for one dataset. */
function previewGroup(reader: Hdf5Reader, path: string, store: Cell | undefined): Preview {
  const length = (dataset: string) =>
    reader.kind(`${path}/${dataset}`) === 'dataset' ? (reader.form(`${path}/${dataset}`).shape?.[0] ?? 0) : 0
  if (store === 'FRAME') {
    const shape = [length('axis1'), length('axis0')]
    return { type: 'pandas frame', shape, cells: [{ unread: 'read it with pandas.read_hdf' }] }
  }
  if (store === 'SERIES') {
    return {
      type: 'pandas series',
      shape: [length('values')],
      cells: [{ unread: 'read it with pandas.read_hdf' }],
    }
  }
  return unreadPreview(typeof store === 'string' ? store.toLowerCase() : 'group', 'a group of datasets')
}

function pickled(reader: Hdf5Reader, path: string): Preview {
  return unreadPreview('pickle', `${bytesOf(reader, path)} bytes that only Python can read`)
}

function sparse(reader: Hdf5Reader, path: string): Preview {
  return unreadPreview('sparse matrix', `${bytesOf(reader, path)} bytes that only SciPy can read`)
}

function bytesOf(reader: Hdf5Reader, path: string): number {
  return reader.kind(path) === 'dataset' ? reader.form(path).type.bytes : 0
}
