/**
 * How one value is stored as a data item of a leaf (docs/format.md, section 4). Values for which pypet has no form are
 * stored in a form that it can read, and marked with the attribute `PYPET_TS_TYPE`:
 *
 *     null       a NaN                           date        its ISO 8601 text, UTC
 *     ndarray    a scalar: it has no axes        record      a group (`NESTED_GROUP`) with an item a field
 *     nested     an array: it was a list of lists
 */
import { elementType } from '../hdf5/element-type.ts'
import type { Hdf5Operation, Hdf5Type } from '../hdf5/operation.ts'
import { SPARSE_SUFFIX, SRVC, TYPE_ATTRIBUTE } from '../names.ts'
import {
  elementCount,
  type RawField,
  type RawNumbers,
  type RawTexts,
  type RawValue,
} from '../values/raw-value.ts'
import { longestUtf8Bytes } from '../values/utf8.ts'
import { sparseArchive } from './sparse-archive.ts'
import { tableDataset } from './table-item.ts'

/** PyTables' limit of columns. Records with more fields become a group. */
const COLUMNS_MAX = 512

/** @param path of the leaf plus the item's name. A sparse matrix gets a suffix there. */
export function itemOperations(path: string, value: RawValue, complevel: number): Hdf5Operation[] {
  switch (value.form) {
    case 'scalar':
    case 'list':
    case 'ndarray':
      return arrayItem(path, value, complevel)
    case 'null':
      return [...arrayItem(path, NAN, 0), typeMark(path, 'null')]
    case 'date':
      return [...arrayItem(path, dateText(value.time), 0), typeMark(path, 'date')]
    case 'record':
      return recordItem(path, value.fields, complevel)
    case 'table':
      return [...tableDataset(path, value), attribute(path, SRVC.store, 'TABLE')]
    case 'sparse':
      return arrayItem(`${path}${SPARSE_SUFFIX}`, scalarText(sparseArchive(value)), 0)
  }
}

export function typeMark(path: string, type: string): Hdf5Operation {
  return attribute(path, TYPE_ATTRIBUTE, type)
}

export function dateText(time: number): RawTexts {
  return scalarText(new Date(time).toISOString())
}

export const NAN: RawNumbers = {
  form: 'scalar',
  dtype: 'float64',
  shape: [],
  bytes: new Uint8Array(Float64Array.of(Number.NaN).buffer),
}

function scalarText(text: string): RawTexts {
  return { form: 'scalar', dtype: 'str', shape: [], texts: [text] }
}

/**
 * Python's names for these element types, from which pypet restores scalars and lists. numpy's names are the same as
 * ours.
 */
export const PYTHON_TYPES: Readonly<Record<string, string>> = {
  float64: 'float',
  int64: 'int',
  complex128: 'complex',
}

const COLLECTIONS = { scalar: 'COLL_SCALAR', list: 'COLL_LIST', ndarray: 'COLL_NDARRAY' } as const

function arrayItem(path: string, value: RawNumbers | RawTexts, complevel: number): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  const { form, dtype, shape } = value
  let store: 'ARRAY' | 'CARRAY' = 'ARRAY'
  if ('texts' in value) operations.push(textDataset(path, value))
  else {
    // CARRAY is PyTables' name for a chunked array. Only deflated data needs chunks.
    const deflate = form === 'ndarray' && elementCount(shape) > 1 ? complevel : 0
    if (deflate > 0) store = 'CARRAY'
    operations.push({
      type: 'create-dataset',
      path,
      elementType: elementType(value.dtype),
      shape,
      bytes: value.bytes,
      deflate,
    })
  }
  // An array without axes is a numpy scalar: pypet can read a 0-d ndarray but not store it again.
  const isScalarArray = form === 'ndarray' && shape.length === 0
  operations.push(attribute(path, SRVC.collection, collectionOf(value, isScalarArray)))
  const scalarType = scalarTypeOf(value, isScalarArray)
  if (scalarType !== undefined) operations.push(attribute(path, SRVC.scalarType, scalarType))
  operations.push(attribute(path, SRVC.store, store))
  if (isScalarArray) operations.push(typeMark(path, 'ndarray'))
  if (value.isNested === true) operations.push(typeMark(path, 'nested'))
  // Readers that do not know Python's types would take arrays of bytes for text.
  if (form === 'ndarray' && dtype === 'bytes') operations.push(typeMark(path, 'bytes'))
  return operations
}

function collectionOf(value: RawNumbers | RawTexts, isScalarArray: boolean): string {
  if (value.isTuple === true) return 'COLL_TUPLE'
  if ('isMatrix' in value && value.isMatrix === true) return 'COLL_MATRIX'
  return COLLECTIONS[isScalarArray ? 'scalar' : value.form]
}

/** pypet needs this for scalars and lists, and for arrays of text. */
function scalarTypeOf(value: RawNumbers | RawTexts, isScalarArray: boolean): string | undefined {
  const { form, dtype, shape } = value
  if (form === 'ndarray') {
    if (isScalarArray) return dtype === 'bool' ? 'bool_' : dtype
    // pypet ignores it for booleans. It distinguishes them from one-byte numbers.
    return dtype === 'str' || dtype === 'bool' ? dtype : undefined
  }
  return form === 'list' && shape[0] === 0 ? undefined : (PYTHON_TYPES[dtype] ?? dtype)
}

const encoder = new TextEncoder()

/** Fixed-size strings with the size of the longest text. HDF5 has no size 0, so `''` is one NUL. */
function textDataset(path: string, { dtype, shape, texts }: RawTexts): Hdf5Operation {
  const size = Math.max(1, dtype === 'str' ? longestUtf8Bytes(texts) : longest(texts))
  const bytes = new Uint8Array(size * texts.length)
  for (const [index, text] of texts.entries()) {
    const room = bytes.subarray(index * size, (index + 1) * size)
    if (dtype === 'str') encoder.encodeInto(text, room)
    else for (let at = 0; at < text.length; at += 1) room[at] = text.charCodeAt(at)
  }
  const stringType: Hdf5Type = { kind: 'string', bytes: size, charset: 'ascii' }
  return { type: 'create-dataset', path, elementType: stringType, shape, bytes }
}

function longest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0)
}

/** pypet's DICT, a table of one row, if that can hold the record. Otherwise a group. */
function recordItem(path: string, fields: readonly RawField[], complevel: number): Hdf5Operation[] {
  if (fields.length === 0) {
    const empty: RawNumbers = { form: 'ndarray', dtype: 'float64', shape: [0], bytes: new Uint8Array(0) }
    return [
      { type: 'create-dataset', path, elementType: elementType('float64'), shape: [0], bytes: empty.bytes },
      attribute(path, SRVC.collection, 'COLL_EMPTY_DICT'),
      attribute(path, SRVC.store, 'ARRAY'),
    ]
  }
  const cells = fields.flatMap(({ name, value }) =>
    value.form === 'scalar' && value.dtype !== 'bytes' ? [{ name, value }] : [],
  )
  if (cells.length === fields.length && cells.length <= COLUMNS_MAX) {
    const columns = cells.map(({ name, value }) => ({
      name,
      value: { ...value, form: 'list' as const, shape: [1] },
    }))
    return [
      ...tableDataset(path, { form: 'table', rowCount: 1, columns }),
      attribute(path, SRVC.collection, 'COLL_DICT'),
      attribute(path, SRVC.store, 'DICT'),
    ]
  }
  return [
    { type: 'create-group', path },
    attribute(path, SRVC.store, 'NESTED_GROUP'),
    typeMark(path, 'record'),
    ...fields.flatMap(({ name, value }) => itemOperations(`${path}/${name}`, value, complevel)),
  ]
}

function attribute(path: string, name: string, value: string): Hdf5Operation {
  return { type: 'create-attribute', path, name, value }
}
