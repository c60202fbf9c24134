/** How one leaf is stored: the group, its attributes and its data items (docs/format.md, sections 2 and 4). */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { createFilledTable, defineTable, type TableDescription, writeRows } from '../hdf5/table.ts'
import { ARRAY_SUFFIX, CLASS_ATTRIBUTE, columnAttributes, ITEMS, SRVC } from '../names.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import { pythonRepr } from '../values/python-repr.ts'
import { type RawNumbers, type RawTexts, type RawValue, storedOfRaw } from '../values/raw-value.ts'
import { type BasicDtype, isBasicDtype } from '../values/stored-value.ts'
import { utf8Bytes } from '../values/utf8.ts'
import { annotationOperations } from './annotation-layout.ts'
import { dateText, itemOperations, NAN, PYTHON_TYPES, typeMark } from './item-layout.ts'
import { tableDataset } from './table-item.ts'

/** What a leaf needs to know about its file. */
export interface LeafLayoutOptions {
  /** The comment to write. Empty if it was purged as a duplicate. */
  readonly comment: string
  /** Deflate level of arrays, 0 for none. */
  readonly complevel: number
  /** Omit the attributes that mark a PyTables table. PyTables can read it without them. */
  readonly isPlain?: boolean
}

/** A result, a parameter or a derived parameter. */
export function leafOperations(path: string, leaf: RawLeaf, options: LeafLayoutOptions): Hdf5Operation[] {
  if (leaf.kind === 'result') return resultLeaf(path, leaf, options)
  return leaf.items.flatMap(({ value }) => parameterLeaf(path, value, leaf, options))
}

/** A result: a group of class `Result` or `SparseResult`, with one data item per item. */
export function resultLeaf(path: string, leaf: RawLeaf, options: LeafLayoutOptions): Hdf5Operation[] {
  const isSparse = leaf.items.some(({ value }) => value.form === 'sparse')
  const operations = leafGroup(path, isSparse ? 'SparseResult' : 'Result', leaf, options.comment)
  // A result may have more items than one call takes arguments.
  for (const { name, value } of leaf.items) {
    for (const operation of itemOperations(`${path}/${name}`, value, options.complevel))
      operations.push(operation)
  }
  return operations
}

/**
 * A parameter: single values as a one-row table `data` in a `Parameter`, lists and arrays as the dataset `data__rr__`
 * in an `ArrayParameter`, sparse matrices as `data__spsp__` in a `SparseParameter`.
 */
export function parameterLeaf(
  path: string,
  value: RawValue,
  leaf: Pick<RawLeaf, 'annotations' | 'userClass'>,
  options: LeafLayoutOptions,
): Hdf5Operation[] {
  switch (value.form) {
    case 'scalar':
      return [
        ...leafGroup(path, 'Parameter', leaf, options.comment),
        ...scalarData(`${path}/data`, value, options),
      ]
    case 'null':
      return [
        ...leafGroup(path, 'Parameter', leaf, options.comment),
        ...scalarData(`${path}/data`, NAN, options),
        typeMark(`${path}/data`, 'null'),
      ]
    case 'date':
      return [
        ...leafGroup(path, 'Parameter', leaf, options.comment),
        ...scalarData(`${path}/data`, dateText(value.time), options),
        typeMark(`${path}/data`, 'date'),
      ]
    case 'sparse':
      return [
        ...leafGroup(path, 'SparseParameter', leaf, options.comment),
        ...itemOperations(`${path}/data`, value, options.complevel),
      ]
    case 'list':
    case 'ndarray':
      return [
        ...leafGroup(path, 'ArrayParameter', leaf, options.comment),
        ...itemOperations(`${path}/data${ARRAY_SUFFIX}`, value, options.complevel),
      ]
    case 'record': {
      // For readers without the class: pypet's parameters have one value.
      const text: RawTexts = {
        form: 'scalar',
        dtype: 'str',
        shape: [],
        texts: [summaryOf(value, leaf.userClass)],
      }
      return [
        ...leafGroup(path, 'Parameter', leaf, options.comment),
        ...scalarData(`${path}/data`, text, options),
        typeMark(`${path}/data`, 'summary'),
        ...itemOperations(`${path}/${ITEMS}`, value, options.complevel),
      ]
    }
    default:
      throw new Error(`${path}: a parameter cannot hold a ${value.form}`)
  }
}

function summaryOf(value: RawValue, userClass = ''): string {
  return `${userClass}(${pythonRepr(storedOfRaw(value), SUMMARY_LENGTH_MAX)})`
}

const SUMMARY_LENGTH_MAX = 200

function scalarData(
  path: string,
  value: RawNumbers | RawTexts,
  { isPlain = false }: LeafLayoutOptions,
): Hdf5Operation[] {
  const { dtype } = value
  if (!isBasicDtype(dtype)) {
    const column = { name: 'data', value: { ...value, form: 'list' as const, shape: [1] } }
    return [...tableDataset(path, { form: 'table', rowCount: 1, columns: [column] }), storeAttribute(path)]
  }
  const cell = 'texts' in value ? (value.texts[0] as string) : scalarCell(value)
  const table = dataTable(dtype, 'texts' in value ? utf8Bytes(cell as string) : 0)
  return [...createFilledTable(path, table, 'data', [[cell]], { isPlain }), ...dataAttributes(path, dtype)]
}

/** Replaces the number of a parameter. */
export function replaceScalar(path: string, value: RawValue): Hdf5Operation[] {
  if (value.form !== 'scalar' || 'texts' in value) throw new Error(`${path} does not hold a number`)
  return writeRows(`${path}/data`, dataTable(value.dtype as BasicDtype, 0), 0, [[scalarCell(value)]])
}

/** The table of a parameter's value, or of its range. HDF5 has no text of size 0. */
export function dataTable(dtype: BasicDtype, textBytesMax: number): TableDescription {
  return defineTable([['data', dtype === 'str' ? `S${Math.max(1, textBytesMax)}` : dtype]])
}

function leafGroup(
  path: string,
  className: string,
  { annotations = [], userClass }: Pick<RawLeaf, 'annotations' | 'userClass'>,
  comment: string,
): Hdf5Operation[] {
  const operations: Hdf5Operation[] = [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: SRVC.class, value: className },
    { type: 'create-attribute', path, name: SRVC.leaf, value: true },
  ]
  if (comment !== '') operations.push({ type: 'create-attribute', path, name: SRVC.comment, value: comment })
  if (userClass !== undefined) {
    operations.push({ type: 'create-attribute', path, name: CLASS_ATTRIBUTE, value: userClass })
  }
  operations.push(...annotationOperations(path, annotations))
  return operations
}

const DATA = columnAttributes('data')

/** Attributes of such a table and its column. */
export function dataAttributes(path: string, dtype: string): Hdf5Operation[] {
  return [
    { type: 'create-attribute', path, name: DATA.collection, value: 'COLL_SCALAR' },
    {
      type: 'create-attribute',
      path,
      name: DATA.scalarType,
      value: PYTHON_TYPES[dtype] ?? dtype,
    },
    storeAttribute(path),
  ]
}

export function storeAttribute(path: string): Hdf5Operation {
  return { type: 'create-attribute', path, name: SRVC.store, value: 'TABLE' }
}

function scalarCell(value: RawNumbers): number | bigint | boolean {
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
