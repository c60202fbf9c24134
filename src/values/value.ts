/**
 * The values that a user may store, and the one place that turns a user's value into a stored one.
 * Types follow docs/format.md (pypet `parameter.py`). Where pypet loses data, pypet-ts does not: integers keep 64 bits,
 * strings keep all of Unicode, arrays may have no dimension.
 */
import { PypetError } from '../errors.ts'
import { arrayOfLists, isNestedList, type NestedList, nestedArray } from './nested-list.ts'
import { CheckedValue, type OwnParameter, ownClassOf, storedInstance } from './own-class.ts'
import { type PackageArray, packageArray } from './package-array.ts'
import {
  type Complex,
  type Dtype,
  type Scalar,
  type StoredScalar,
  type StoredValue,
  typeName,
} from './stored-value.ts'
import { gather, isContiguous, staysInside } from './strided-view.ts'
import { recordValue, sparseValue, tableOfColumns, tableOfRows } from './structured-value.ts'
import type { NumericDtype, TypedArray } from './typed-array.ts'
import { longestUtf8Bytes, PADDED_TEXTS_BYTES_MAX } from './utf8.ts'
import {
  type Integer,
  isComplex,
  isInteger,
  isNamedValues,
  isPlainObject,
  isSparse,
  type NdArray,
  type SparseMatrix,
} from './value-forms.ts'

/** Several named values in one item, like Python's dict. Records may contain records. */
export interface RecordValue {
  readonly [name: string]: StorableValue
}

/** Every value that a parameter may hold. */
export type ParameterValue =
  | Scalar
  | null
  | Integer
  | Complex
  | Date
  | TypedArray
  | NdArray
  | SparseMatrix
  | PackageArray
  | readonly number[]
  | readonly bigint[]
  | readonly boolean[]
  | readonly string[]
  | readonly Complex[]
  | readonly Integer[]
  | NestedList
  | OwnParameter

/** Columns of one length, made by `table`. In pypet this is an `ObjectTable`. */
export interface Table {
  readonly [TABLE]: true
  readonly columns: Readonly<Record<string, StorableValue>>
}

/** Every value that an item of a result may hold. A list of records is a table. */
export type StorableValue =
  | ParameterValue
  | Table
  | readonly Readonly<Record<string, Scalar | Integer | Complex>>[]
  | RecordValue

const TABLE: unique symbol = Symbol.for('pypet-ts.table') as never

/**
 * Marks named columns as a table: `table({ t: new Float64Array(100), spike: [true, false, …] })`. Each column is a list
 * or a typed array, and all have the same length. Without the mark, an object is a record. A list of records needs no mark.
 */
export function table(columns: Readonly<Record<string, StorableValue>>): Table {
  return { [TABLE]: true, columns }
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && TABLE in value
}

/**
 * Checks a user's value and describes how to store it. Typed arrays are referenced, not copied.
 * Strided views of ndarray packages are copied into C order.
 *
 * @param where names the value in messages, like `results.z`
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` with `where` and what was found
 */
export function toStoredValue(value: unknown, where: string): StoredValue {
  switch (typeof value) {
    case 'number':
      return { form: 'scalar', dtype: 'float64', value }
    case 'bigint':
      return { form: 'scalar', dtype: 'int64', value: checkInt64(value, where) }
    case 'boolean':
      return { form: 'scalar', dtype: 'bool', value }
    case 'string':
      return { form: 'scalar', dtype: 'str', value: checkString(value, where) }
    case 'object':
      break
    default:
      throw unsupported(where, value === undefined ? 'undefined' : `a ${typeof value}`)
  }
  if (value === null) return { form: 'null' }
  if (isInteger(value)) return { form: 'scalar', dtype: 'int64', value: value.value }
  if (ArrayBuffer.isView(value)) {
    return { form: 'ndarray', ...typedArray(value, where), shape: [(value as TypedArray).length] }
  }
  if (isTable(value)) return tableOfColumns(value.columns, where, STRUCTURED)
  if (Array.isArray(value)) {
    if (isNestedList(value)) return nestedArray(value, where, STRUCTURED)
    return isNamedValues(value[0]) ? tableOfRows(value, where, STRUCTURED) : listValue(value, where)
  }
  if (isComplex(value)) return { form: 'scalar', dtype: 'complex128', value: { re: value.re, im: value.im } }
  if (value instanceof Date) return dateValue(value, where)
  if (isSparse(value)) return sparseValue(value, where, STRUCTURED)
  const known = packageArray(value)
  if (Array.isArray(known)) return arrayOfLists(known, where, STRUCTURED)
  if (known !== undefined) return toStoredValue(known, where)
  if ('data' in value && 'shape' in value) return ndarrayValue(value as NdArray, where)
  if (isPlainObject(value)) return recordValue(value, where, STRUCTURED)
  throw unsupported(where, describeObject(value), ALLOWED, valueHint(value))
}

/**
 * Checks the type of a comment, since users may write plain JavaScript.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function checkComment(comment: unknown, where: string): asserts comment is string {
  if (typeof comment !== 'string') throw unsupported(where, `a ${typeof comment}`, 'a string')
  checkString(comment, where)
}

/**
 * Like `toStoredValue`, for parameters. They take no tables, and records only from the user's own classes.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function toStoredParameter(value: unknown, where: string): StoredValue {
  if (value instanceof CheckedValue) return value.stored
  if (ownClassOf(value) !== undefined) return storedInstance(value as OwnParameter, where, STRUCTURED)
  const stored = toStoredValue(value, where)
  if (stored.form !== 'record' && stored.form !== 'table') return stored
  throw unsupported(where, `a ${typeName(stored)}`, PARAMETER_ALLOWED)
}

/**
 * Like `toStoredValue`, for annotations: values that fit in an HDF5 attribute.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function toStoredAnnotation(value: unknown, where: string): StoredValue {
  const stored = toStoredValue(value, where)
  if (ANNOTATION_FORMS.has(stored.form)) return stored
  throw unsupported(where, `a ${typeName(stored)}`, 'numbers, strings, booleans, dates, lists and arrays')
}

const ANNOTATION_FORMS: ReadonlySet<string> = new Set(['scalar', 'list', 'ndarray', 'date'])

const PARAMETER_ALLOWED =
  'for a parameter: a number, integer(n), bigint, boolean, string, null, Date, { re, im }, typed array, { data, shape }, sparse matrix, list of one type, or list of rows of one length'

function dateValue(date: Date, where: string): StoredValue {
  const time = date.getTime()
  if (Number.isNaN(time)) throw unsupported(where, 'an invalid date', ALLOWED, valueHint(date))
  return { form: 'date', time }
}

function listValue(list: readonly unknown[], where: string): StoredValue {
  if (list.length === 0) return { form: 'list', dtype: 'float64', values: [] }
  let dtype: Dtype | undefined
  const values: StoredScalar['value'][] = []
  for (let index = 0; index < list.length; index += 1) {
    const element = toStoredValue(list[index], `${where}[${index}]`)
    if (element.form !== 'scalar') {
      throw unsupported(`${where}[${index}]`, `a ${typeName(element)} inside a list`, LIST_ALLOWED)
    }
    if (dtype !== undefined && element.dtype !== dtype) {
      throw unsupported(
        where,
        `a list that mixes ${dtype} and ${element.dtype} (at [${index}])`,
        LIST_ALLOWED,
      )
    }
    dtype = element.dtype
    values.push(element.value)
  }
  if (dtype === 'str') checkPadding(values as string[], where)
  return { form: 'list', dtype: dtype as Dtype, values }
}

/** Every element of a list of texts takes the bytes of the longest. */
function checkPadding(texts: readonly string[], where: string): void {
  if (texts.length < 2) return
  const longest = longestUtf8Bytes(texts)
  if (texts.length * longest <= PADDED_TEXTS_BYTES_MAX) return
  throw unsupported(
    where,
    `${texts.length} strings, each of which would take the ${longest} bytes of the longest`,
    `lists of strings of up to ${PADDED_TEXTS_BYTES_MAX} bytes, padded; store long texts one by one`,
  )
}

const LIST_ALLOWED = 'a list of one type, or for a matrix a list of rows of one length'

const DTYPES: Readonly<Record<string, NumericDtype>> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigUint64Array: 'uint64',
}

function typedArray(view: unknown, where: string): { dtype: NumericDtype; data: TypedArray } {
  // Use the tag, not the constructor's name: a Buffer is a Uint8Array, and realms may differ.
  const tag = Object.prototype.toString.call(view).slice(8, -1)
  const dtype = DTYPES[tag]
  if (dtype === undefined) throw unsupported(where, `a ${tag}`)
  return { dtype, data: view as TypedArray }
}

function ndarrayValue(
  array: NdArray & { readonly stride?: readonly number[]; readonly offset?: number },
  where: string,
): StoredValue {
  const { shape } = array
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw unsupported(`${where}.shape`, describeObject(shape), 'an array of sizes, like [3, 4]')
  }
  const elementCount = shape.reduce((product, size) => product * size, 1)
  const given: unknown = array.data
  if (Array.isArray(given) && typeof given[0] === 'string')
    return textArray(given, shape, elementCount, where)
  const elements = typedArray(asTypedArray(given, `${where}.data`), `${where}.data`)
  const { dtype, partCount } = elementDtype(array, elements.dtype, (found) =>
    unsupported(where, found, DTYPES_ALLOWED),
  )
  const { data } = elements
  const { stride, offset = 0 } = array
  if (stride !== undefined && !isContiguous({ shape, stride, offset })) {
    // A view that reaches beyond its data would store NaN for the missing elements.
    if (partCount > 1 || !staysInside({ shape, stride, offset }, data.length)) {
      throw unsupported(
        where,
        `stride [${stride.join(', ')}] and offset ${offset} for shape [${shape.join(', ')}] of ${data.length} elements`,
        'strides that stay within data',
      )
    }
    return { form: 'ndarray', dtype, shape, data: gather(data, { shape, stride, offset }) }
  }
  const length = elementCount * partCount
  if (data.length !== length && !(array.stride !== undefined && data.length > length)) {
    throw unsupported(
      where,
      `shape [${shape.join(', ')}] for ${data.length} elements`,
      `data of ${length} elements in C order`,
    )
  }
  return { form: 'ndarray', dtype, shape, data: data.subarray(0, length) }
}

function textArray(
  texts: readonly unknown[],
  shape: readonly number[],
  elementCount: number,
  where: string,
): StoredValue {
  for (let index = 0; index < texts.length; index += 1) {
    const text = texts[index]
    if (typeof text !== 'string')
      throw unsupported(`${where}.data[${index}]`, `a ${typeof text}`, 'strings only')
    checkString(text, `${where}.data[${index}]`)
  }
  if (texts.length !== elementCount) {
    throw unsupported(where, `shape [${shape.join(', ')}] for ${texts.length} elements`)
  }
  checkPadding(texts as string[], where)
  return { form: 'ndarray', dtype: 'str', shape, data: texts as string[] }
}

/** Some ndarray packages keep numbers in plain arrays. */
function asTypedArray(data: unknown, where: string): unknown {
  if (!Array.isArray(data)) return data
  const wrong = data.findIndex((element) => typeof element !== 'number')
  if (wrong >= 0) throw unsupported(`${where}[${wrong}]`, `a ${typeof data[wrong]}`, 'numbers')
  return Float64Array.from(data)
}

function checkInt64(value: bigint, where: string): bigint {
  if (BigInt.asIntN(64, value) !== value) throw unsupported(where, `${value}n`, ALLOWED, INT64_HINT)
  return value
}

function checkString(value: string, where: string): string {
  // HDF5 strings end at the first NUL, and a lone surrogate has no UTF-8 form.
  if (value.includes('\0'))
    throw unsupported(where, 'a string that contains a NUL character', 'a string without NUL')
  if (/\p{Surrogate}/u.test(value)) {
    throw unsupported(where, 'a string that contains a lone surrogate', 'a well-formed Unicode string')
  }
  return value
}

function describeObject(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const name = (value as { constructor?: { name?: string } }).constructor?.name
  return name === undefined || name === 'Object' ? 'a plain object' : `an instance of ${name}`
}

const ALLOWED =
  'a number, integer(n), bigint, boolean, string, null, Date, { re, im }, typed array, { data, shape }, { indptr, indices, data, shape }, a list of one type, a record or a table of such'

const INT64_HINT =
  'An int64 ranges from -2n ** 63n to 2n ** 63n - 1n. Store Number(value), which is rounded, or String(value).'

function unsupported(where: string, found: string, allowed = ALLOWED, hint = `Allowed here: ${allowed}.`) {
  return new PypetError('PYPET_VALUE_UNSUPPORTED', `${where} cannot be stored: found ${found}`, {
    where,
    hint,
  })
}

/** The functions of this file that records, tables and matrices use for their values. */
const STRUCTURED = { toStored: toStoredValue, typedArray, checkPadding, unsupported }

/** What the numbers of an array mean, and how many form an element. */
function elementDtype(
  { dtype }: { readonly dtype?: unknown },
  found: NumericDtype,
  refuse: (found: string) => PypetError,
): { readonly dtype: Dtype; readonly partCount: number } {
  if (dtype === 'bool' && (found === 'uint8' || found === 'int8')) return { dtype, partCount: 1 }
  if (dtype === 'complex128' && found === 'float64') return { dtype, partCount: 2 }
  if (dtype === 'complex64' && found === 'float32') return { dtype, partCount: 2 }
  // Ndarray packages have their own names for the type of the data.
  if (dtype !== 'bool' && dtype !== 'complex128' && dtype !== 'complex64')
    return { dtype: found, partCount: 1 }
  throw refuse(`dtype ${dtype} with data of ${found}`)
}

const DTYPES_ALLOWED = 'bool with a Uint8Array, complex128 with a Float64Array, complex64 with a Float32Array'

/**
 * A sentence on what to write instead of a value that people often give by mistake. Undefined if the list of allowed
 * values is more helpful.
 */
function valueHint(value: unknown): string | undefined {
  if (value instanceof Date) return 'It is Invalid Date: check how it was made, or store null.'
  if (value instanceof Map) {
    return 'Store Object.fromEntries(map) as a record, or [...map.values()] as a list.'
  }
  if (value instanceof Set) return 'Store it as a list: [...set].'
  if (isThenable(value)) {
    return 'It is a promise: await it in an async job.'
  }
  return undefined
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
