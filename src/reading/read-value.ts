/**
 * Reads data items of a file as stored values: the inverse of `item-layout`. Also reads everything that pypet writes
 * (docs/format.md, section 4). Nothing is executed. Data that only Python can read becomes an `Unreadable`.
 */
import type { Cell, Datatype } from '../hdf5/datatype.ts'
import { readSparseArchive } from '../layout/sparse-archive.ts'
import { columnAttributes, SPARSE_SUFFIX, SRVC, TYPE_ATTRIBUTE } from '../names.ts'
import { exactIntegers } from '../values/exact-integer.ts'
import { rawElements, storedElements } from '../values/raw-value.ts'
import type {
  ComplexDtype,
  Dtype,
  StoredArray,
  StoredField,
  StoredList,
  StoredTable,
  StoredValue,
  Unreadable,
} from '../values/stored-value.ts'
import type { NumericDtype } from '../values/typed-array.ts'
import type { DatasetForm } from './handle.ts'
import { isPickled, itemName } from './leaf-place.ts'
import { type PickledElement, pickledElements } from './pickled-elements.ts'
import type { Hdf5Reader } from './reader.ts'
import { cellValue } from './table-cell.ts'

/**
 * The value of a data item. `className` is the class of its leaf: pickles look like bytes. A sparse matrix looks like
 * text. It is recognised by its name, or by its range.
 */
export function readValue(
  reader: Hdf5Reader,
  path: string,
  className: string,
  isSparse = path.endsWith(SPARSE_SUFFIX),
): StoredValue {
  if (reader.kind(path) === 'group') return readGroup(reader, path, className)
  const form = reader.form(path)
  if (isPickled(className)) return unreadable('pickle', `${form.type.bytes} bytes, for Python only`)
  const mark = reader.attribute(path, TYPE_ATTRIBUTE)
  if (isSparse) return readSparse(reader, path, form)
  if (mark === 'null') return { form: 'null' }
  if (mark === 'date') return { form: 'date', time: Date.parse(textOf(reader, path, form)) }
  const store = reader.attribute(path, SRVC.store)
  if (store === 'VLARRAY') return unreadable('VLARRAY', 'rows of different lengths, for Python only')
  if (form.type.kind === 'record') return readTable(reader, path, form, store === 'DICT')
  if (reader.attribute(path, SRVC.collection) === 'COLL_EMPTY_DICT') return { form: 'record', fields: [] }
  return readElements(reader, path, form, mark)
}

export function unreadable(type: string, note: string): Unreadable {
  return { form: 'unread', type, note }
}

/** The type of a dataset's elements, without reading them. Undefined if it is not a value of such elements. */
export function elementTypeOf(reader: Hdf5Reader, path: string, form: DatasetForm): Dtype | undefined {
  if (path.endsWith(SPARSE_SUFFIX) || reader.attribute(path, SRVC.store) === 'VLARRAY') return undefined
  const mark = reader.attribute(path, TYPE_ATTRIBUTE)
  return mark === 'null' || mark === 'date' ? undefined : dtypeOfType(form.type, recallOf(reader, path))
}

interface Recall {
  readonly collection: Cell | undefined
  readonly scalarType: Cell | undefined
}

/** How Python restores a dataset, or a column of a table. */
export function recallOf(reader: Hdf5Reader, path: string, column?: string): Recall {
  const { collection, scalarType } = column === undefined ? SRVC : columnAttributes(column)
  return { collection: reader.attribute(path, collection), scalarType: reader.attribute(path, scalarType) }
}

function readElements(reader: Hdf5Reader, path: string, form: DatasetForm, mark?: Cell): StoredValue {
  const recall = recallOf(reader, path)
  const { collection } = recall
  const shape = form.shape
  const dtype = dtypeOfType(form.type, recall)
  if (dtype === undefined) return unreadable(form.type.name, 'no type that is understood here')
  // HDF5's null dataspace: PyTables' empty text.
  if (shape === null) return dtype === 'str' ? { form: 'scalar', dtype, value: '' } : emptyArray(dtype)
  const isList = collection === 'COLL_LIST' || collection === 'COLL_TUPLE'
  if (isList && shape.length !== 1) return readNested(reader, path, form, dtype, shape)
  const kind = isList ? 'list' : shape.length === 0 && mark !== 'ndarray' ? 'scalar' : 'ndarray'
  const marks = {
    ...(collection === 'COLL_TUPLE' && { isTuple: true }),
    ...(collection === 'COLL_MATRIX' && { isMatrix: true }),
    ...(mark === 'nested' && shape.length > 1 && { isNested: true }),
  }
  if (dtype === 'str' || dtype === 'bytes') {
    const texts = textsOf(reader, path, form, dtype)
    return storedElements({ form: kind, dtype, shape, texts, ...marks })
  }
  const bytes = reader.bytes(path, form)
  return exactIntegers(storedElements({ form: kind, dtype, shape, bytes, ...marks }))
}

/** A list of lists, which PyTables stores as an array with several axes. */
function readNested(
  reader: Hdf5Reader,
  path: string,
  form: DatasetForm,
  dtype: Dtype,
  shape: readonly number[],
): StoredValue {
  if (dtype === 'str' || dtype === 'bytes') {
    return storedElements({ form: 'ndarray', dtype, shape, texts: textsOf(reader, path, form, dtype) })
  }
  return storedElements({ form: 'ndarray', dtype, shape, bytes: reader.bytes(path, form) })
}

function emptyArray(dtype: Dtype): StoredArray {
  return dtype === 'bytes'
    ? { form: 'ndarray', dtype, shape: [0], data: [] }
    : { form: 'ndarray', dtype, shape: [0], data: new Float64Array(0) }
}

/** The element type, from HDF5's type and pypet's description. Undefined if not understood. */
function dtypeOfType(type: Datatype, { collection, scalarType }: Recall): Dtype | undefined {
  switch (type.kind) {
    case 'number':
      return scalarType === 'bool' || scalarType === 'bool_' ? 'bool' : (type.name as NumericDtype)
    case 'boolean':
      return 'bool'
    case 'complex':
      return type.name as ComplexDtype
    case 'string': {
      // Only this attribute distinguishes Python's text from bytes. Arrays of bytes have none.
      const isBytes =
        scalarType === 'bytes' ||
        scalarType === 'bytes_' ||
        (collection === 'COLL_NDARRAY' && scalarType === undefined)
      return isBytes ? 'bytes' : 'str'
    }
    case 'array':
      return dtypeOfType(type.element, { collection, scalarType })
    default:
      return undefined
  }
}

function textsOf(reader: Hdf5Reader, path: string, form: DatasetForm, dtype: Dtype): string[] {
  if (dtype === 'str') return reader.cells(path, form).map(String)
  const { bytes } = form.type
  const all = reader.bytes(path, form)
  return Array.from({ length: all.byteLength / bytes }, (_, index) =>
    latin1(all.subarray(index * bytes, (index + 1) * bytes)),
  )
}

/** Without the padding NULs. */
function latin1(bytes: Uint8Array): string {
  let end = bytes.byteLength
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return Array.from(bytes.subarray(0, end), (byte) => String.fromCharCode(byte)).join('')
}

function textOf(reader: Hdf5Reader, path: string, form: DatasetForm): string {
  return String(reader.cells(path, form)[0] ?? '')
}

function readSparse(reader: Hdf5Reader, path: string, form: DatasetForm): StoredValue {
  const matrix = form.type.kind === 'string' ? readSparseArchive(textOf(reader, path, form)) : undefined
  return matrix ?? unreadable('sparse matrix', 'of a format that only SciPy can read')
}

function readTable(reader: Hdf5Reader, path: string, form: DatasetForm, isDict: boolean): StoredValue {
  const rowCount = form.shape?.[0] ?? 0
  const fields = form.type.kind === 'record' ? form.type.fields : []
  const columns = fields.map(({ name, type }) => {
    const recall = recallOf(reader, path, name)
    const value = columnValue(reader, path, { name, type }, recall, rowCount)
    return { name, value: isDict ? cellValue(value, recall.collection) : value }
  })
  if (!isDict) return { form: 'table', rowCount, columns: columns as StoredTable['columns'] }
  return { form: 'record', fields: columns }
}

/** A column of a table. Does not decode the other columns. */
export function columnValue(
  reader: Hdf5Reader,
  path: string,
  { name, type }: { readonly name: string; readonly type: Datatype },
  recall: Recall,
  rowCount: number,
  rows?: { readonly start: number; readonly end: number },
): StoredValue {
  const dtype = dtypeOfType(type, recall)
  if (dtype === undefined) return unreadable(type.name, 'a column of no type that is understood here')
  const cells: Cell[] = []
  reader.scanRows(path, [name], (_, [cell]) => cells.push(cell as Cell), rows)
  if (type.kind === 'array') {
    return arrayOfCells(cells.flat() as Cell[], dtype, [
      rows === undefined ? rowCount : cells.length,
      ...type.shape,
    ])
  }
  const values = cells.map((cell) => plainCell(cell, dtype))
  // Python's numbers belong to lists, numpy's to arrays.
  const isNumpy = recall.scalarType === dtype || recall.scalarType === 'bool_'
  const isArray = isNumpy && dtype !== 'str' && dtype !== 'bool' && dtype !== 'bytes'
  return isArray ? arrayOfCells(cells, dtype, [cells.length]) : { form: 'list', dtype, values }
}

/** One element as a pypet-ts value. */
export function plainCell(cell: Cell, dtype: Dtype): StoredList['values'][number] {
  if (typeof cell === 'object' && cell !== null && 'real' in cell)
    return { re: cell.real, im: cell.imaginary }
  if (dtype === 'bool') return cell === true || cell === 1
  if (dtype === 'bytes') return new TextEncoder().encode(String(cell))
  return cell as string | number | bigint
}

function arrayOfCells(cells: readonly Cell[], dtype: Dtype, shape: readonly number[]): StoredArray {
  const values = cells.map((cell) => plainCell(cell, dtype))
  if (dtype === 'str') return { form: 'ndarray', dtype, shape, data: values as string[] }
  if (dtype === 'bytes') return { form: 'ndarray', dtype, shape, data: cells.map(String) }
  return arrayOf(values, dtype, shape)
}

/** Numbers as an array. */
export function arrayOf(
  values: readonly StoredList['values'][number][],
  dtype: Dtype,
  shape: readonly number[],
): StoredArray {
  const raw = rawElements({ form: 'list', dtype, values })
  return storedElements({ ...raw, form: 'ndarray', shape }) as StoredArray
}

/** Items that are groups: records, nested groups, and datasets of pandas and PyTables. */
function readGroup(reader: Hdf5Reader, path: string, className: string): StoredValue {
  const store = reader.attribute(path, SRVC.store)
  const mark = reader.attribute(path, TYPE_ATTRIBUTE)
  if (mark === 'record' || mark === 'table') {
    const fields = reader.children(path).map(
      (name): StoredField => ({
        name: itemName(name),
        value: readValue(reader, `${path}/${name}`, className),
      }),
    )
    return { form: 'record', fields }
  }
  if (store === 'TABLE' || store === 'DICT') return readSplitTable(reader, path)
  if (store === 'FRAME') return readFrame(reader, path)
  if (store === 'SERIES') return readSeries(reader, path)
  return unreadable(String(store ?? 'group').toLowerCase(), 'a group of datasets, not understood here')
}

/** A table with too many columns for one dataset. A separate table has the types of all columns. */
function readSplitTable(reader: Hdf5Reader, path: string): StoredValue {
  const names = reader.children(path).filter((name) => !name.endsWith('__SRVC_STORE'))
  names.sort((a, b) => numberOf(a) - numberOf(b))
  const types = new Map<string, string>()
  const typeTable = reader.children(path).find((name) => name.endsWith('__SRVC_STORE'))
  if (typeTable !== undefined) {
    reader.scanRows(`${path}/${typeTable}`, ['field_name', 'data_type'], (_, [name, type]) => {
      types.set(String(name), String(type))
    })
  }
  const isDict = reader.attribute(path, SRVC.store) === 'DICT'
  const columns: { name: string; value: StoredValue }[] = []
  let rowCount = 0
  for (const name of names) {
    const form = reader.form(`${path}/${name}`)
    rowCount = form.shape?.[0] ?? 0
    for (const field of form.type.kind === 'record' ? form.type.fields : []) {
      const { collection, scalarType } = columnAttributes(field.name)
      const recall = { collection: types.get(collection), scalarType: types.get(scalarType) }
      const value = columnValue(reader, `${path}/${name}`, field, recall, rowCount)
      columns.push({ name: field.name, value: isDict ? cellValue(value, recall.collection) : value })
    }
  }
  if (isDict) return { form: 'record', fields: columns }
  return { form: 'table', rowCount, columns: columns as unknown as StoredTable['columns'] }
}

function numberOf(name: string): number {
  return Number(/_(\d+)$/.exec(name)?.[1] ?? 0)
}

/**
 * pandas' fixed layout: blocks of columns of one type. A block of Python objects is a pickle. It is read if it holds
 * only numbers, truth values or texts, with one kind per column.
 */
function readFrame(reader: Hdf5Reader, path: string): StoredValue {
  const notRead = unreadable('pandas frame', 'it holds Python objects; read it with pandas.read_hdf')
  const children = reader.children(path)
  const names = labels(reader, `${path}/axis0`)
  const index = labels(reader, `${path}/axis1`)
  if (names === undefined || index === undefined) return notRead
  const columns = new Map<string, StoredList | StoredArray>()
  for (const block of children.filter((name) => /^block\d+_items$/.test(name))) {
    const items = labels(reader, `${path}/${block}`)
    const values =
      items && blockColumns(reader, `${path}/${block.replace('_items', '_values')}`, items.length)
    for (const [at, name] of items?.entries() ?? []) {
      const value = values?.[at]
      if (value === undefined) return notRead
      columns.set(name, value)
    }
  }
  const labelled = indexColumn(reader, `${path}/axis1`)
  const all = [
    ...(labelled === undefined
      ? []
      : [{ name: names.includes('index') ? 'level_0' : 'index', value: labelled }]),
    ...names.map((name) => ({ name, value: columns.get(name) })),
  ]
  if (all.some(({ value }) => value === undefined)) return notRead
  return { form: 'table', rowCount: index.length, columns: all as StoredTable['columns'] }
}

/** The labels of rows that are not simply numbered: a column, named as by pandas' `reset_index`. */
function indexColumn(reader: Hdf5Reader, path: string): StoredList | StoredArray | undefined {
  const form = reader.form(path)
  const cells = reader.cells(path, form)
  if (cells.every((cell, row) => cell === row)) return undefined
  if (form.type.kind === 'string') return { form: 'list', dtype: 'str', values: cells.map(String) }
  const dtype = dtypeOfType(form.type, { collection: 'COLL_NDARRAY', scalarType: undefined })
  return dtype === undefined ? undefined : arrayOfCells(cells, dtype, [cells.length])
}

/** Its declared columns. Undefined if they cannot be read. */
function blockColumns(
  reader: Hdf5Reader,
  path: string,
  count: number,
): readonly (StoredList | StoredArray | undefined)[] | undefined {
  if (reader.kind(path) !== 'dataset') return undefined
  const form = reader.form(path)
  if (form.type.kind === 'opaque') {
    const elements = objectsOf(reader, path)
    return elements && columnsOf(elements, count).map(objectColumn)
  }
  const cells = reader.cells(path, form)
  const dtype = dtypeOfType(form.type, { collection: 'COLL_NDARRAY', scalarType: undefined })
  if (dtype === undefined || dtype === 'bytes' || typeof cells[0] === 'string') return undefined
  return columnsOf(cells, count).map((column) => arrayOfCells(column, dtype, [column.length]))
}

function columnsOf<Element>(elements: readonly Element[], count: number): Element[][] {
  return Array.from({ length: count }, (_, at) => elements.filter((_element, index) => index % count === at))
}

function readSeries(reader: Hdf5Reader, path: string): StoredValue {
  const values = `${path}/values`
  const notRead = unreadable('pandas series', 'it holds Python objects; read it with pandas.read_hdf')
  if (reader.kind(values) !== 'dataset') return notRead
  if (reader.form(values).type.kind === 'opaque') {
    const elements = objectsOf(reader, values)
    return (elements && objectColumn(elements)) ?? notRead
  }
  return readElements(reader, values, reader.form(values))
}

function objectsOf(reader: Hdf5Reader, path: string): readonly PickledElement[] | undefined {
  if (reader.attribute(path, 'PSEUDOATOM') !== 'object') return undefined
  const bytes = reader.variableBytes(path)
  return bytes && pickledElements(bytes)
}

/** A list of elements of one kind. Floats may include integers. */
function objectColumn(elements: readonly PickledElement[]): StoredList | undefined {
  const kinds = new Set(elements.map((element) => (element === null ? 'null' : typeof element)))
  const all = (...kind: readonly string[]) => [...kinds].every((found) => kind.includes(found))
  if (all('string')) return { form: 'list', dtype: 'str', values: elements as string[] }
  if (all('boolean')) return { form: 'list', dtype: 'bool', values: elements as boolean[] }
  if (all('bigint')) {
    const integers = elements as readonly bigint[]
    const isInt64 = integers.every((integer) => BigInt.asIntN(64, integer) === integer)
    return isInt64 ? exactIntegers({ form: 'list', dtype: 'int64', values: integers }) : undefined
  }
  if (!all('number', 'bigint')) return undefined
  return { form: 'list', dtype: 'float64', values: elements.map(Number) }
}

function labels(reader: Hdf5Reader, path: string): string[] | undefined {
  if (reader.kind(path) !== 'dataset') return undefined
  const form = reader.form(path)
  return form.type.kind === 'opaque' ? undefined : reader.cells(path, form).map(String)
}
