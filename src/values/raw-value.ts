/** Values as the writer receives them: numbers as bytes, in the byte order of the file. */
import { assertNever } from '../errors.ts'
import type {
  Complex,
  ComplexDtype,
  Scalar,
  StoredArray,
  StoredList,
  StoredScalar,
  StoredValue,
} from './stored-value.ts'
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from './typed-array.ts'

/** Numeric values. A complex number takes 16 or 8 bytes, a bool takes one. */
export interface RawNumbers {
  readonly form: 'scalar' | 'list' | 'ndarray'
  readonly dtype: NumericDtype | ComplexDtype | 'bool'
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
  readonly isTuple?: boolean
  readonly isMatrix?: boolean
  readonly isNested?: boolean
}

/** Bytes from Python are sent as texts with one character per byte. */
export interface RawTexts {
  readonly form: 'scalar' | 'list' | 'ndarray'
  readonly dtype: 'str' | 'bytes'
  readonly shape: readonly number[]
  readonly texts: readonly string[]
  readonly isTuple?: boolean
  readonly isNested?: boolean
}

/** A value with its numbers as bytes. The writer stores it without looking at it. */
export type RawValue =
  | RawNumbers
  | RawTexts
  | { readonly form: 'null' }
  | { readonly form: 'date'; readonly time: number }
  | { readonly form: 'record'; readonly fields: readonly RawField[] }
  | RawTable
  | RawSparse

export interface RawField {
  readonly name: string
  readonly value: RawValue
}

export interface RawTable {
  readonly form: 'table'
  readonly rowCount: number
  readonly columns: readonly { readonly name: string; readonly value: RawNumbers | RawTexts }[]
}

export interface RawSparse {
  readonly form: 'sparse'
  readonly format: 'csr' | 'csc'
  readonly shape: readonly [rows: number, columns: number]
  readonly indptr: RawNumbers
  readonly indices: RawNumbers
  readonly data: RawNumbers
}

/** A stored value with its numbers as little-endian bytes. Typed arrays are viewed, not copied. */
export function rawValue(value: StoredValue): RawValue {
  switch (value.form) {
    case 'scalar':
    case 'list':
    case 'ndarray':
      return rawElements(value)
    case 'null':
    case 'date':
      return value
    case 'record':
      return {
        form: 'record',
        fields: value.fields.map(({ name, value: field }) => ({ name, value: rawValue(field) })),
      }
    case 'table': {
      const columns = value.columns.map(({ name, value: column }) => ({ name, value: rawElements(column) }))
      return { form: 'table', rowCount: value.rowCount, columns }
    }
    case 'sparse': {
      const { format, shape, indptr, indices, data, dtype } = value
      const numbers = (array: TypedArray, of: NumericDtype) =>
        rawElements({ form: 'ndarray', dtype: of, shape: [array.length], data: array }) as RawNumbers
      return {
        form: 'sparse',
        format,
        shape,
        indptr: numbers(indptr, 'int32'),
        indices: numbers(indices, 'int32'),
        data: numbers(data, dtype),
      }
    }
    case 'unread':
      throw new Error(`a ${value.type} cannot be stored: it was not read`)
    default:
      return assertNever(value)
  }
}

/** The same for values whose elements have one type. */
export function rawElements(value: StoredScalar | StoredList | StoredArray): RawNumbers | RawTexts {
  const { form, dtype } = value
  const marks = {
    ...(form === 'list' && value.isTuple === true && { isTuple: true }),
    ...(form === 'ndarray' && value.isMatrix === true && { isMatrix: true }),
    ...(form === 'ndarray' && value.isNested === true && { isNested: true }),
  }
  const shape = form === 'scalar' ? [] : form === 'list' ? [value.values.length] : value.shape
  if (form === 'ndarray') {
    const { data } = value
    if (!ArrayBuffer.isView(data)) return { form, dtype: 'str', shape, texts: data, ...marks }
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    return { form, dtype: dtype as NumericDtype, shape, bytes, ...marks }
  }
  const values = form === 'scalar' ? [value.value] : value.values
  if (dtype === 'str') return { form, dtype, shape, texts: values as string[], ...marks }
  if (dtype === 'bytes') {
    return { form, dtype, shape, texts: (values as Uint8Array[]).map(textOfBytes), ...marks }
  }
  return { form, dtype, shape, bytes: scalarBytes(dtype, values), ...marks }
}

/** The inverse of `rawValue`: numbers from their bytes. It copies, so the bytes need no alignment. */
export function storedOfRaw(raw: RawValue): StoredValue {
  switch (raw.form) {
    case 'scalar':
    case 'list':
    case 'ndarray':
      return storedElements(raw)
    case 'null':
    case 'date':
      return raw
    case 'record':
      return {
        form: 'record',
        fields: raw.fields.map(({ name, value }) => ({ name, value: storedOfRaw(value) })),
      }
    case 'table': {
      const columns = raw.columns.map(({ name, value }) => ({
        name,
        value: storedElements(value) as StoredList | StoredArray,
      }))
      return { form: 'table', rowCount: raw.rowCount, columns }
    }
    case 'sparse': {
      const { format, shape, indptr, indices, data } = raw
      return {
        form: 'sparse',
        format,
        shape,
        dtype: data.dtype as NumericDtype,
        indptr: typedArray('int32', indptr.bytes) as Int32Array,
        indices: typedArray('int32', indices.bytes) as Int32Array,
        data: typedArray(data.dtype, data.bytes),
      }
    }
    default:
      return assertNever(raw)
  }
}

/** The same for values whose elements have one type. */
export function storedElements(raw: RawNumbers | RawTexts): StoredScalar | StoredList | StoredArray {
  const { form, dtype, shape } = raw
  const marks = { ...(raw.isTuple === true && { isTuple: true }) }
  const nested = { ...(raw.isNested === true && { isNested: true }) }
  if ('texts' in raw) {
    if (form === 'ndarray') return { form, dtype, shape, data: raw.texts, ...nested }
    const values = raw.dtype === 'bytes' ? raw.texts.map(bytesOfText) : raw.texts
    return form === 'scalar' ? { form, dtype, value: values[0] ?? '' } : { form, dtype, values, ...marks }
  }
  const data = typedArray(raw.dtype, raw.bytes)
  if (form === 'ndarray') {
    return { form, dtype, shape, data, ...(raw.isMatrix === true && { isMatrix: true }), ...nested }
  }
  const values = elementsOf(data, raw.dtype)
  return form === 'scalar'
    ? { form, dtype, value: values[0] as Scalar | Complex }
    : { form, dtype, values, ...marks }
}

function elementsOf(data: TypedArray, dtype: RawNumbers['dtype']): (Scalar | Complex)[] {
  if (dtype === 'complex128' || dtype === 'complex64') {
    return Array.from({ length: data.length / 2 }, (_, index) => ({
      re: Number(data[2 * index]),
      im: Number(data[2 * index + 1]),
    }))
  }
  return Array.from<number | bigint, Scalar>(data as ArrayLike<number>, (value) =>
    dtype === 'bool' ? value !== 0 : value,
  )
}

function textOfBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

function bytesOfText(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** The bytes as a new typed array. */
export function typedArray(dtype: RawNumbers['dtype'], bytes: Uint8Array): TypedArray {
  return new (arrayType(dtype))(new Uint8Array(bytes).buffer)
}

/** A bool is sent and stored as one byte. */
function arrayType(dtype: RawNumbers['dtype']) {
  if (dtype === 'bool') return Uint8Array
  if (dtype === 'complex128') return Float64Array
  return dtype === 'complex64' ? Float32Array : ARRAY_TYPES[dtype]
}

/** Bytes of one element. */
export function elementBytes(dtype: RawNumbers['dtype']): number {
  return arrayType(dtype).BYTES_PER_ELEMENT * (dtype.startsWith('complex') ? 2 : 1)
}

export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

/** The index along each axis of the element at a position in C order. */
export function indicesAt(position: number, shape: readonly number[]): number[] {
  const indices: number[] = []
  let rest = position
  for (const size of shape.toReversed()) {
    indices.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return indices
}

export function isSameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((size, axis) => size === other[axis])
}

function scalarBytes(dtype: RawNumbers['dtype'], values: readonly StoredScalar['value'][]): Uint8Array {
  switch (dtype) {
    case 'bool':
      return Uint8Array.from(values as readonly boolean[], Number)
    case 'int64':
      return new Uint8Array(BigInt64Array.from(values as readonly number[], BigInt).buffer)
    case 'uint64':
      return new Uint8Array(BigUint64Array.from(values as readonly number[], BigInt).buffer)
    case 'complex128':
    case 'complex64': {
      const parts = (values as readonly Complex[]).flatMap(({ re, im }) => [re, im])
      return new Uint8Array(fromNumbers(dtype, parts).buffer)
    }
    default:
      return new Uint8Array(fromNumbers(dtype, values as readonly number[]).buffer)
  }
}

function fromNumbers(dtype: RawNumbers['dtype'], numbers: readonly number[]): TypedArray {
  const type = arrayType(dtype) as unknown as { from(numbers: readonly number[]): TypedArray }
  return type.from(numbers)
}
