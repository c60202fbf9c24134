/**
 * What a user may store, and the one place where a user's value becomes a stored one.
 * Types follow FORMAT (pypet `parameter.py`); where pypet loses data we do not: integers keep 64 bits,
 * strings any Unicode, arrays may have no dimension.
 */
import { PypetError } from '../errors.ts'
import { gather, isContiguous, staysInside } from './strided-view.ts'
import { longestUtf8Bytes, PADDED_TEXTS_BYTES_MAX } from './utf8.ts'

/** Element types by numpy's names; `bool` is stored as int8, `str` as UTF-8 bytes. */
export type NumericDtype =
  | 'float64'
  | 'float32'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
export type Dtype = NumericDtype | 'bool' | 'str'

export type TypedArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array

/** An n-dimensional array in C order. Objects of the usual ndarray packages have this shape. */
export interface NdArray<Data extends TypedArray = TypedArray> {
  readonly data: Data
  readonly shape: readonly number[]
}

/** A number that is stored as int64 instead of float64; make one with `integer`. */
export interface Integer {
  readonly [INTEGER]: true
  readonly value: number
}

export type Scalar = number | bigint | boolean | string

/** Everything that a parameter or a result may hold. */
export type StorableValue =
  | Scalar
  | Integer
  | TypedArray
  | NdArray
  | readonly number[]
  | readonly bigint[]
  | readonly boolean[]
  | readonly string[]

/** A checked value, ready to be sent to the writer and put on disk. Arrays are not copied. */
export type StoredValue =
  | { readonly form: 'scalar'; readonly dtype: 'float64' | 'int64' | 'bool' | 'str'; readonly value: Scalar }
  | {
      readonly form: 'list'
      readonly dtype: 'float64' | 'int64' | 'bool' | 'str'
      readonly values: readonly Scalar[]
    }
  | {
      readonly form: 'ndarray'
      readonly dtype: NumericDtype
      readonly shape: readonly number[]
      readonly data: TypedArray
    }

const INTEGER: unique symbol = Symbol.for('pypet-ts.integer') as never

/**
 * Marks a number as an integer: stored as int64, read by Python as `int`.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` unless it is a safe integer; use a bigint beyond 2^53.
 */
export function integer(value: number): Integer {
  if (!Number.isSafeInteger(value)) {
    throw unsupported('integer()', String(value), 'a whole number up to 2^53; write 123n for larger ones')
  }
  return { [INTEGER]: true, value }
}

export function isInteger(value: unknown): value is Integer {
  return typeof value === 'object' && value !== null && INTEGER in value
}

/** True for what has the form of an array with a shape; a group may have children called data and shape too. */
export function isNdArray(value: unknown): value is NdArray {
  if (typeof value !== 'object' || value === null || !('data' in value && 'shape' in value)) return false
  return Array.isArray(value.shape) && (ArrayBuffer.isView(value.data) || Array.isArray(value.data))
}

/**
 * Checks a user's value and describes how it is stored. Typed arrays are referenced, not copied;
 * strided views of ndarray packages are gathered into C order.
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
  if (value === null) throw unsupported(where, 'null')
  if (isInteger(value)) return { form: 'scalar', dtype: 'int64', value: value.value }
  if (ArrayBuffer.isView(value)) {
    return { form: 'ndarray', ...typedArray(value, where), shape: [(value as TypedArray).length] }
  }
  if (Array.isArray(value)) return listValue(value, where)
  if ('data' in value && 'shape' in value) return ndarrayValue(value as NdArray, where)
  throw unsupported(where, describeObject(value))
}

/**
 * Checks a comment, which comes from users who may write JavaScript.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function checkComment(comment: unknown, where: string): asserts comment is string {
  if (typeof comment !== 'string') throw unsupported(where, `a ${typeof comment}`, 'a string')
  checkString(comment, where)
}

/** Names the type of a stored value in messages: `float64`, `list of str`, `float64 array [3, 4]`. */
export function typeName(value: StoredValue): string {
  switch (value.form) {
    case 'scalar':
      return value.dtype
    case 'list':
      return `list of ${value.dtype}`
    case 'ndarray':
      return `${value.dtype} array [${value.shape.join(', ')}]`
  }
}

function listValue(list: readonly unknown[], where: string): StoredValue {
  if (list.length === 0) return { form: 'list', dtype: 'float64', values: [] }
  let dtype: 'float64' | 'int64' | 'bool' | 'str' | undefined
  const values: Scalar[] = []
  for (let index = 0; index < list.length; index += 1) {
    const element = toStoredValue(list[index], `${where}[${index}]`)
    if (element.form !== 'scalar') {
      throw unsupported(`${where}[${index}]`, `a ${typeName(element)} inside a list`, NESTED_ALLOWED)
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
  return { form: 'list', dtype: dtype as 'float64', values }
}

/** Every element of a list of texts takes the bytes of the longest. */
function checkPadding(texts: readonly string[], where: string): void {
  if (texts.length < 2) return
  const longest = longestUtf8Bytes(texts)
  if (texts.length * longest <= PADDED_TEXTS_BYTES_MAX) return
  throw unsupported(
    where,
    `${texts.length} strings of which the longest has ${longest} bytes, which all of them would take`,
    `lists of strings of up to ${PADDED_TEXTS_BYTES_MAX} bytes, padded; store long texts one by one`,
  )
}

const LIST_ALLOWED = 'a list of one type'
const NESTED_ALLOWED =
  'a flat list; write { data: new Float64Array([...]), shape: [rows, columns] } for a matrix'

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
  // The tag, not the constructor's name: a Buffer is a Uint8Array, and realms may differ.
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
  const { dtype, data } = typedArray(asTypedArray(array.data, `${where}.data`), `${where}.data`)
  const elementCount = shape.reduce((product, size) => product * size, 1)
  const { stride, offset = 0 } = array
  if (stride !== undefined && !isContiguous({ shape, stride, offset })) {
    // A view that reaches beyond its data would store NaN for what is not there.
    if (!staysInside({ shape, stride, offset }, data.length)) {
      throw unsupported(
        where,
        `stride [${stride.join(', ')}] and offset ${offset} for shape [${shape.join(', ')}] of ${data.length} elements`,
        'strides that stay within data',
      )
    }
    return { form: 'ndarray', dtype, shape, data: gather(data, { shape, stride, offset }) }
  }
  if (data.length !== elementCount && !(array.stride !== undefined && data.length > elementCount)) {
    throw unsupported(
      where,
      `shape [${shape.join(', ')}] for ${data.length} elements`,
      `data of ${elementCount} elements in C order`,
    )
  }
  return { form: 'ndarray', dtype, shape, data: data.subarray(0, elementCount) }
}

/** Some ndarray packages keep numbers in plain arrays. */
function asTypedArray(data: unknown, where: string): unknown {
  if (!Array.isArray(data)) return data
  const wrong = data.findIndex((element) => typeof element !== 'number')
  if (wrong >= 0) throw unsupported(`${where}[${wrong}]`, `a ${typeof data[wrong]}`, 'numbers')
  return Float64Array.from(data)
}

function checkInt64(value: bigint, where: string): bigint {
  if (BigInt.asIntN(64, value) !== value)
    throw unsupported(where, `${value}n`, 'an integer of at most 64 bits')
  return value
}

function checkString(value: string, where: string): string {
  // HDF5 strings end at the first NUL, and a lone surrogate has no UTF-8 form.
  if (value.includes('\0'))
    throw unsupported(where, 'a string that holds a NUL character', 'a string without NUL')
  if (/\p{Surrogate}/u.test(value)) {
    throw unsupported(where, 'a string that holds a lone surrogate', 'a well-formed Unicode string')
  }
  return value
}

function describeObject(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const name = (value as { constructor?: { name?: string } }).constructor?.name
  return name === undefined || name === 'Object' ? 'a plain object' : `an instance of ${name}`
}

const ALLOWED =
  'a number, integer(n), bigint, boolean, string, typed array, { data, shape } or a list of one type'

function unsupported(where: string, found: string, allowed: string = ALLOWED): PypetError {
  return new PypetError('PYPET_VALUE_UNSUPPORTED', `${where} cannot be stored: found ${found}`, {
    where,
    hint: `Allowed here: ${allowed}.`,
  })
}
