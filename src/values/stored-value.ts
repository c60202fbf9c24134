/** Values as they are stored. A user's value becomes one in `toStoredValue`. */
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from './typed-array.ts'

/** Complex numbers, real part first. */
export type ComplexDtype = 'complex128' | 'complex64'
/**
 * Element types by numpy's names. `bool` is stored as int8, `str` as UTF-8 bytes. `bytes` comes only from Python files
 * and cannot be made here.
 */
export type Dtype = NumericDtype | ComplexDtype | 'bool' | 'str' | 'bytes'

/** A complex number, as common packages represent it. */
export interface Complex {
  readonly re: number
  readonly im: number
}

export type Scalar = number | bigint | boolean | string

/** A checked value, ready to send to the writer or read from the file. Arrays are not copied. */
export type StoredValue =
  | StoredScalar
  | StoredList
  | StoredArray
  | { readonly form: 'null' }
  /** Milliseconds since 1970, UTC. */
  | { readonly form: 'date'; readonly time: number }
  | { readonly form: 'record'; readonly fields: readonly StoredField[] }
  | StoredTable
  | StoredSparse
  | Unreadable

export interface StoredScalar {
  readonly form: 'scalar'
  readonly dtype: Dtype
  readonly value: Scalar | Complex | Uint8Array
}

export interface StoredList {
  readonly form: 'list'
  readonly dtype: Dtype
  readonly values: readonly (Scalar | Complex | Uint8Array)[]
  /** True for a tuple in Python. */
  readonly isTuple?: boolean
}

export interface StoredArray {
  readonly form: 'ndarray'
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Booleans as bytes, complex numbers as real and imaginary parts in turn. */
  readonly data: TypedArray | readonly string[]
  /** True for numpy's matrix in Python. */
  readonly isMatrix?: boolean
  /** True if the user gave a list of lists. The user gets it back as one. */
  readonly isNested?: boolean
  /** For a nested list: true if its integers were bigints. Known only in memory, as for single integers. */
  readonly isBigint?: boolean
}

export interface StoredField {
  readonly name: string
  readonly value: StoredValue
}

export interface StoredTable {
  readonly form: 'table'
  readonly rowCount: number
  /** Each column is a list or a one-dimensional array of `rowCount` elements. */
  readonly columns: readonly { readonly name: string; readonly value: StoredList | StoredArray }[]
}

export interface StoredSparse {
  readonly form: 'sparse'
  readonly format: 'csr' | 'csc'
  readonly shape: readonly [rows: number, columns: number]
  readonly indptr: Int32Array
  readonly indices: Int32Array
  readonly data: TypedArray
  readonly dtype: NumericDtype
}

/** An object in the file that cannot be read as a value, such as a pickle. It is only read, never written. */
export interface Unreadable {
  readonly form: 'unread'
  /** `pickle`, `pandas frame`. */
  readonly type: string
  readonly note: string
}

/** Values of one number or text, and lists and arrays of them: what presets and texts can write. */
export type BasicValue =
  | { readonly form: 'scalar'; readonly dtype: BasicDtype; readonly value: Scalar }
  | {
      readonly form: 'list'
      readonly dtype: BasicDtype
      readonly values: readonly Scalar[]
      readonly isTuple?: boolean
    }
  | {
      readonly form: 'ndarray'
      readonly dtype: NumericDtype
      readonly shape: readonly number[]
      readonly data: TypedArray
      readonly isMatrix?: boolean
      readonly isNested?: boolean
      readonly isBigint?: boolean
    }

/** Types of single values that have a literal in JavaScript. */
export type BasicDtype = 'float64' | 'int64' | 'bool' | 'str'

export function isBasicDtype(dtype: Dtype): dtype is BasicDtype {
  return dtype === 'float64' || dtype === 'int64' || dtype === 'bool' || dtype === 'str'
}

/** The element type; undefined for a value without one, such as a record. */
export function dtypeOf(value: StoredValue): Dtype | undefined {
  return 'dtype' in value ? value.dtype : undefined
}

export function isBasic(value: StoredValue): value is BasicValue {
  if (value.form === 'scalar' || value.form === 'list') return isBasicDtype(value.dtype)
  return value.form === 'ndarray' && value.dtype in ARRAY_TYPES
}

/** The name of the type of a stored value in messages: `float64`, `list of str`, `float64 array [3, 4]`. */
export function typeName(value: StoredValue): string {
  switch (value.form) {
    case 'scalar':
      return value.dtype
    case 'list':
      return `list of ${value.dtype}`
    case 'ndarray':
      return `${value.dtype} array [${value.shape.join(', ')}]`
    case 'table':
      return `table of ${value.rowCount} rows`
    case 'sparse':
      return `sparse ${value.dtype} matrix [${value.shape.join(', ')}]`
    case 'unread':
      return value.type
    default:
      return value.form
  }
}
