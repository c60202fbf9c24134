/** Descriptions of stored values: type, shape and the first elements (docs/format.md, section 4). */
import type { Cell, Datatype } from '../hdf5/datatype.ts'
import { SRVC } from '../names.ts'
import type { DatasetForm } from './handle.ts'
import { recallOf } from './read-value.ts'
import type { Hdf5Reader } from './reader.ts'

/** What a value is, and its first elements. */
export interface Preview {
  /** `float64`, `list of str`, `int32 array`, `table`, `pickle`, `pandas frame`. */
  readonly type: string
  /** Empty for a scalar. */
  readonly shape: readonly number[]
  /** The first elements along the last axis, one for a scalar, one record for a table. */
  readonly cells: readonly Cell[]
}

/** Enough elements to characterise an array, and few enough for one line. */
const PREVIEW_CELLS_MAX = 6
/** Columns of a table whose Python types are looked up. More never fit on a line. */
const COLUMNS_RECALLED_MAX = 8

/** A value that is named instead of shown. */
export function unreadPreview(type: string, unread: string): Preview {
  return { type, shape: [], cells: [{ unread }] }
}

/** Describes the dataset of one data item, or of an explored array. */
export function previewDataset(reader: Hdf5Reader, path: string): Preview {
  const form = reader.form(path)
  if (form.shape === null) return { type: `empty ${form.type.name}`, shape: [0], cells: [] }
  if (form.type.kind === 'record' && form.shape.length === 1) return previewTable(reader, path, form)
  const { collection, scalarType } = recallOf(reader, path)
  const cells = reader.cells(path, form, firstCells(form.shape))
  return {
    type: typeOf(form.type, collection, scalarType, form.shape),
    shape: form.shape,
    cells: cells.map((cell) => recall(cell, scalarType)),
  }
}

/** Turns the cells of one table column into previews. */
export function columnPreviewer(reader: Hdf5Reader, table: string, column: string): (cell: Cell) => Preview {
  const { collection, scalarType } = recallOf(reader, table, column)
  const { type } = reader.form(table)
  const field = type.kind === 'record' ? type.fields.find(({ name }) => name === column)?.type : undefined
  const shape = field?.kind === 'array' ? field.shape : []
  const typeName = field === undefined ? 'unknown' : typeOf(field, collection, scalarType, shape)
  return (cell) => {
    const recalled = recall(cell, scalarType)
    return {
      type: typeName,
      shape,
      cells: Array.isArray(recalled)
        ? recalled.slice(0, Math.min(PREVIEW_CELLS_MAX, shape.at(-1) ?? 1))
        : [recalled],
    }
  }
}

/** The first row of a table as one record. A dict is a table of one row. */
function previewTable(reader: Hdf5Reader, path: string, form: DatasetForm): Preview {
  const isDict = reader.attribute(path, SRVC.store) === 'DICT'
  const [first] = reader.cells(path, form, { start: [0], count: [Math.min(1, form.shape?.[0] ?? 0)] })
  const cells: Cell[] = []
  if (typeof first === 'object' && 'fields' in first) {
    const fields = first.fields.map(([name, cell], index) => {
      if (index >= COLUMNS_RECALLED_MAX) return [name, cell] as const
      return [name, recall(cell, recallOf(reader, path, name).scalarType)] as const
    })
    cells.push({ fields })
  }
  return { type: isDict ? 'dict' : 'table', shape: isDict ? [] : (form.shape ?? []), cells }
}

function firstCells(shape: readonly number[]) {
  return {
    start: shape.map(() => 0),
    count: shape.map((size, axis) => Math.min(size, axis === shape.length - 1 ? PREVIEW_CELLS_MAX : 1)),
  }
}

/** Booleans are small integers in the file if no bitfield could be written. */
function recall(cell: Cell, scalarType: Cell | undefined): Cell {
  if (scalarType !== 'bool' && scalarType !== 'bool_') return cell
  if (Array.isArray(cell)) return cell.map((element) => recall(element, scalarType))
  return typeof cell === 'number' ? cell !== 0 : cell
}

function typeOf(
  type: Datatype,
  collection: Cell | undefined,
  scalarType: Cell | undefined,
  shape: readonly number[],
): string {
  const element = elementName(type, collection, scalarType)
  switch (collection) {
    case 'COLL_SCALAR':
      return element
    case 'COLL_LIST':
      return `list of ${element}`
    case 'COLL_TUPLE':
      return `tuple of ${element}`
    case 'COLL_MATRIX':
      return `${element} matrix`
    case 'COLL_EMPTY_DICT':
      return 'empty dict'
    case 'COLL_NDARRAY':
      return `${element} array`
    default:
      return shape.length === 0 ? element : `${element} array`
  }
}

function elementName(type: Datatype, collection: Cell | undefined, scalarType: Cell | undefined): string {
  if (scalarType === 'bool' || scalarType === 'bool_') return 'bool'
  if (type.name !== 'str') return type.name
  // Only this attribute distinguishes Python's text from bytes. Arrays of bytes have none.
  const isBytes = scalarType === 'bytes' || (collection === 'COLL_NDARRAY' && scalarType === undefined)
  return isBytes ? 'bytes' : 'str'
}
