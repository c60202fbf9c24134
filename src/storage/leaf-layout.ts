/** How one leaf lies in the file: the group, its attributes and its data items (FORMAT, sections 2 and 4). */
import { elementCount, type RawLeaf, type RawValue } from '../trajectory/run-frame.ts'
import { longestUtf8Bytes, utf8Bytes } from '../trajectory/utf8.ts'
import type { Hdf5Operation, Hdf5Type } from './hdf5-operation.ts'
import { createFilledTable, createTable, defineTable, type Row, type Table, writeRows } from './hdf5-table.ts'

/** What a leaf needs to know about the file around it. */
export interface LeafOptions {
  /** The comment to write, already empty where a duplicate was purged. */
  readonly comment: string
  /** Deflate level of arrays, 0 for none. */
  readonly complevel: number
}

/** A result: a group of class `Result` with one dataset an item. */
export function resultLeaf(path: string, items: RawLeaf['items'], options: LeafOptions): Hdf5Operation[] {
  const operations = leafGroup(path, 'Result', options.comment)
  for (const { name, value } of items)
    operations.push(...arrayItem(`${path}/${name}`, value, options.complevel))
  return operations
}

/**
 * A parameter: scalars as a one-row table `data` in a `Parameter`, lists and arrays as the dataset
 * `data__rr__` in an `ArrayParameter`.
 */
export function parameterLeaf(path: string, value: RawValue, options: LeafOptions): Hdf5Operation[] {
  if (value.form !== 'scalar') {
    return [
      ...leafGroup(path, 'ArrayParameter', options.comment),
      ...arrayItem(`${path}/data__rr__`, value, options.complevel),
    ]
  }
  const cell = value.dtype === 'str' ? (value.texts[0] as string) : scalarCell(value)
  const table = dataTable(value.dtype as ScalarDtype, value.dtype === 'str' ? utf8Bytes(cell as string) : 0)
  return [
    ...leafGroup(path, 'Parameter', options.comment),
    ...createFilledTable(`${path}/data`, table, 'data', [[cell]]),
    ...columnAttributes(`${path}/data`, value.dtype),
  ]
}

/** Another number in the place of a parameter's. */
export function replaceScalar(path: string, value: RawValue): Hdf5Operation[] {
  if (value.form !== 'scalar' || value.dtype === 'str') throw new Error(`${path} holds no number`)
  return writeRows(`${path}/data`, dataTable(value.dtype as ScalarDtype, 0), 0, [[scalarCell(value)]])
}

/**
 * The range of an explored parameter, `explored_data`: one row a run. The rows are written in batches
 * by `exploredRows`, so that a long exploration is never in memory as a whole.
 */
export function exploredTable(
  path: string,
  dtype: ScalarDtype,
  textBytesMax: number,
  runCount: number,
): Hdf5Operation[] {
  const table = dataTable(dtype, textBytesMax)
  return [
    ...createTable(`${path}/explored_data`, table, 'explored_data', runCount),
    ...columnAttributes(`${path}/explored_data`, dtype),
  ]
}

export function exploredRows(
  path: string,
  dtype: ScalarDtype,
  textBytesMax: number,
  firstRun: number,
  values: ArrayLike<number | bigint | string>,
): Hdf5Operation[] {
  const rows: Row[] = Array.from(values, (value) => [value])
  return writeRows(`${path}/explored_data`, dataTable(dtype, textBytesMax), firstRun, rows)
}

export type ScalarDtype = 'float64' | 'int64' | 'bool' | 'str'

/** Bytes of a row of the range, for who decides how many are written at a time. */
export function exploredRowBytes(dtype: ScalarDtype, textBytesMax: number): number {
  return dataTable(dtype, textBytesMax).rowType.bytes
}

/** HDF5 knows no text of size 0. */
function dataTable(dtype: ScalarDtype, textBytesMax: number): Table {
  return defineTable([['data', dtype === 'str' ? `S${Math.max(1, textBytesMax)}` : dtype]])
}

function leafGroup(path: string, className: string, comment: string): Hdf5Operation[] {
  const operations: Hdf5Operation[] = [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: 'SRVC_INIT_CLASS_NAME', value: className },
    { type: 'create-attribute', path, name: 'SRVC_LEAF', value: true },
  ]
  if (comment !== '')
    operations.push({ type: 'create-attribute', path, name: 'SRVC_INIT_COMMENT', value: comment })
  return operations
}

/** Python's names for our element types, by which pypet restores scalars and lists; numpy's are our own. */
const PYTHON_TYPES = { float64: 'float', int64: 'int', bool: 'bool', str: 'str' } as const

const COLLECTIONS = { scalar: 'COLL_SCALAR', list: 'COLL_LIST', ndarray: 'COLL_NDARRAY' } as const

function arrayItem(path: string, value: RawValue, complevel: number): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  let store: 'ARRAY' | 'CARRAY' = 'ARRAY'
  if (value.dtype === 'str') {
    operations.push(textDataset(path, value.form === 'scalar' ? [] : [value.texts.length], value.texts))
  } else {
    // CARRAY is PyTables' word for a chunked array; only what is deflated needs chunks.
    const deflate = value.form === 'ndarray' && elementCount(value.shape) > 1 ? complevel : 0
    if (deflate > 0) store = 'CARRAY'
    operations.push({
      type: 'create-dataset',
      path,
      elementType: elementType(value.dtype),
      shape: value.shape,
      bytes: value.bytes,
      deflate,
    })
  }
  // An array without axes is numpy's scalar: pypet can read a 0-d ndarray but not store it again.
  const form = value.form === 'ndarray' && value.shape.length === 0 ? 'scalar' : value.form
  operations.push({ type: 'create-attribute', path, name: 'SRVC_DATA_COLL_TYPE', value: COLLECTIONS[form] })
  if (form !== 'ndarray' && !isEmptyList(value)) {
    const name = value.form === 'ndarray' ? value.dtype : PYTHON_TYPES[value.dtype as ScalarDtype]
    operations.push({ type: 'create-attribute', path, name: 'SRVC_DATA_SCALAR_TYPE', value: name })
  }
  operations.push({ type: 'create-attribute', path, name: 'SRVC_STORE', value: store })
  return operations
}

function isEmptyList(value: RawValue): boolean {
  return value.form === 'list' && (value.dtype === 'str' ? value.texts.length === 0 : value.shape[0] === 0)
}

const encoder = new TextEncoder()

/** Fixed-size strings of the longest text's size; HDF5 knows no size 0, so `''` is one NUL. */
function textDataset(path: string, shape: readonly number[], texts: readonly string[]): Hdf5Operation {
  const size = Math.max(1, longestUtf8Bytes(texts))
  const bytes = new Uint8Array(size * texts.length)
  for (const [index, text] of texts.entries()) encoder.encodeInto(text, bytes.subarray(index * size))
  const elementType: Hdf5Type = { kind: 'string', bytes: size, charset: 'ascii' }
  return { type: 'create-dataset', path, elementType, shape, bytes }
}

const ELEMENT_TYPES: Readonly<Record<string, Hdf5Type>> = {
  float64: { kind: 'float', bytes: 8 },
  float32: { kind: 'float', bytes: 4 },
  int8: { kind: 'int', bytes: 1 },
  int16: { kind: 'int', bytes: 2 },
  int32: { kind: 'int', bytes: 4 },
  int64: { kind: 'int', bytes: 8 },
  uint8: { kind: 'uint', bytes: 1 },
  uint16: { kind: 'uint', bytes: 2 },
  uint32: { kind: 'uint', bytes: 4 },
  uint64: { kind: 'uint', bytes: 8 },
  bool: { kind: 'int', bytes: 1 },
}

function elementType(dtype: string): Hdf5Type {
  return ELEMENT_TYPES[dtype] as Hdf5Type
}

function columnAttributes(path: string, dtype: string): Hdf5Operation[] {
  const scalarType = PYTHON_TYPES[dtype as ScalarDtype]
  return [
    { type: 'create-attribute', path, name: 'SRVC_COLUMN_data_COLL_TYPE', value: 'COLL_SCALAR' },
    { type: 'create-attribute', path, name: 'SRVC_COLUMN_data_SCALAR_TYPE', value: scalarType },
    { type: 'create-attribute', path, name: 'SRVC_STORE', value: 'TABLE' },
  ]
}

function scalarCell(value: Extract<RawValue, { bytes: Uint8Array }>): number | bigint | boolean {
  const { buffer, byteOffset, byteLength } = value.bytes
  const view = new DataView(buffer, byteOffset, byteLength)
  switch (value.dtype) {
    case 'float64':
      return view.getFloat64(0, true)
    case 'int64':
      return view.getBigInt64(0, true)
    default:
      return view.getInt8(0) !== 0
  }
}
