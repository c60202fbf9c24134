/** Leaves of a file as stored values: parameters with their ranges, results with their items. */
import type { Cell, Field } from '../hdf5/datatype.ts'
import { ANNOTATION_PREFIX, CLASS_ATTRIBUTE, ITEMS, SRVC, TYPE_ATTRIBUTE } from '../names.ts'
import type { ParameterRange } from '../run/parameter-range.ts'
import type { NodeHead } from '../tree/node-source.ts'
import type { Dtype, StoredField, StoredValue } from '../values/stored-value.ts'
import { isLeaf, itemPlaces, type RangeTable, rangeTable, textAttribute, valuePlace } from './leaf-place.ts'
import { arrayOf, columnValue, plainCell, readValue, recallOf, unreadable } from './read-value.ts'
import type { Hdf5Reader } from './reader.ts'
import { cellValue, scalarAt } from './table-cell.ts'

export function readNodeHead(reader: Hdf5Reader, path: string): NodeHead {
  return {
    kind: isLeaf(reader, path) ? 'leaf' : 'group',
    comment: textAttribute(reader, path, SRVC.comment),
    className: textAttribute(reader, path, SRVC.class),
    userClass: textAttribute(reader, path, CLASS_ATTRIBUTE) || undefined,
    annotations: reader.attribute(path, SRVC.annotated) === undefined ? [] : readAnnotations(reader, path),
  }
}

/** The items of a result that `wants` selects. Default: all. A nested item's name has dots. */
export function readItems(
  reader: Hdf5Reader,
  path: string,
  className: string,
  wants: (name: string) => boolean = () => true,
): StoredField[] {
  const items: StoredField[] = []
  for (const { name, path: item, kind } of itemPlaces(reader, path, { entersRecords: false })) {
    if ((kind === 'dataset' || kind === 'group') && wants(name))
      items.push({ name, value: readValue(reader, item, className) })
  }
  return items
}

/** The default of a parameter. Undefined if none is stored. */
export function readDefault(reader: Hdf5Reader, path: string, className: string): StoredValue | undefined {
  const place = valuePlace(reader, path, className)
  if (place === undefined) return undefined
  if (place.kind === 'pickle') return unreadable('pickle', 'for Python only')
  if (place.kind !== 'cell') return readValue(reader, place.path, className)
  const mark = reader.attribute(place.path, TYPE_ATTRIBUTE)
  if (mark === 'null') return { form: 'null' }
  if (mark === 'summary') return readValue(reader, `${path}/${ITEMS}`, className)
  const value = cellOf(reader, place.path)
  if (mark === 'date' && value?.form === 'scalar')
    return { form: 'date', time: Date.parse(String(value.value)) }
  return value
}

/** The single cell of a parameter's table. */
function cellOf(reader: Hdf5Reader, table: string): StoredValue | undefined {
  const { type, shape } = reader.form(table)
  const field = type.kind === 'record' ? type.fields.find(({ name }) => name === 'data') : undefined
  if (field === undefined) return readValue(reader, table, 'Parameter')
  if ((shape?.[0] ?? 0) === 0) return undefined
  const recall = recallOf(reader, table, 'data')
  const column = columnValue(reader, table, field, recall, 1, { start: 0, end: 1 })
  return cellValue(column, recall.collection)
}

/** The values of an explored parameter, one per run. Undefined if the file has none. */
export function readRange(reader: Hdf5Reader, path: string, className: string): ParameterRange | undefined {
  const found = rangeTable(reader, path)
  if (found === undefined) return undefined
  if (found.isReference) return readReferences(reader, found, className)
  const { table, column: field } = found
  const recall = recallOf(reader, table, 'data')
  if (field.type.kind === 'array') return readArrayCells(reader, table, field, recall)
  const column = columnValue(reader, table, field, recall, reader.rowCount(table))
  if (column.form === 'list') return { kind: 'scalars', dtype: column.dtype, values: [...column.values] }
  if (column.form !== 'ndarray') return undefined
  const values = Array.from({ length: column.shape[0] ?? 0 }, (_, index) => scalarAt(column, index))
  return { kind: 'scalars', dtype: column.dtype, values }
}

/** The list or array with this index in a range. Undefined if the file has none. */
export function readRangeValue(reader: Hdf5Reader, path: string, number: number): StoredValue | undefined {
  const found = rangeTable(reader, path)
  if (found?.isReference !== true) return undefined
  const value = found.valuePath(number)
  return reader.kind(value) === undefined
    ? undefined
    : readValue(reader, value, 'ArrayParameter', found.isSparse)
}

function readReferences(
  reader: Hdf5Reader,
  { table, isSparse, valuePath }: RangeTable,
  className: string,
): ParameterRange {
  const index: number[] = []
  reader.scanRows(table, ['idx'], (_, [number]) => index.push(Number(number)))
  const values: StoredValue[] = []
  for (const number of new Set(index)) {
    const path = valuePath(number)
    values[number] =
      reader.kind(path) === undefined
        ? unreadable('missing', `${path} does not exist`)
        : readValue(reader, path, className, isSparse)
  }
  return { kind: 'objects', values, index }
}

/** Lists and arrays in the cells of a table: pypet's `Parameter` with a tuple. */
function readArrayCells(
  reader: Hdf5Reader,
  table: string,
  field: Field,
  recall: { readonly collection: Cell | undefined; readonly scalarType: Cell | undefined },
): ParameterRange {
  const values: StoredValue[] = []
  const rowCount = reader.rowCount(table)
  for (let row = 0; row < rowCount; row += 1) {
    const column = columnValue(reader, table, field, recall, 1, { start: row, end: row + 1 })
    values.push(cellValue(column, recall.collection))
  }
  return { kind: 'objects', values, index: values.map((_, number) => number) }
}

function readAnnotations(reader: Hdf5Reader, path: string): StoredField[] {
  return reader
    .attributeNames(path)
    .filter((name) => name.startsWith(ANNOTATION_PREFIX))
    .map((attribute) => ({
      name: attribute.slice(ANNOTATION_PREFIX.length),
      value: annotationValue(reader, path, attribute),
    }))
}

function annotationValue(reader: Hdf5Reader, path: string, attribute: string): StoredValue {
  const found = reader.attributeCells(path, attribute)
  if (found === undefined) return unreadable('missing', 'no value')
  const { form, cells } = found
  const { type, shape } = form
  if (type.kind === 'string') {
    const texts = cells.map(String)
    if (shape === null) return { form: 'scalar', dtype: 'str', value: '' }
    // PyTables pickles values without an HDF5 type, as ASCII text that ends in a full stop.
    if (!type.isUtf8 && texts[0]?.endsWith('.')) return unreadable('pickle', 'for Python only')
    if (shape.length === 0) return { form: 'scalar', dtype: 'str', value: texts[0] ?? '' }
    return { form: 'ndarray', dtype: 'str', shape, data: texts }
  }
  if (type.kind === 'opaque' || type.kind === 'record' || type.kind === 'array' || shape === null) {
    return unreadable(type.name, 'no type that is understood here')
  }
  const isOurBool = type.kind === 'number' && type.name === 'int8' && shape.length === 0
  const dtype = (isOurBool ? 'bool' : type.name) as Dtype
  const values = cells.map((cell) => plainCell(cell, dtype))
  if (shape.length === 0) return { form: 'scalar', dtype, value: values[0] ?? 0 }
  return arrayOf(values, dtype, shape)
}
