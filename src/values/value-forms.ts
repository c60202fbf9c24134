/**
 * Values without a literal in JavaScript, recognized by the form of their objects: arrays with a shape, sparse matrices,
 * complex numbers, and numbers marked as integers.
 */
import { PypetError } from '../errors.ts'
import type { Complex, ComplexDtype } from './stored-value.ts'
import type { TypedArray } from './typed-array.ts'

/**
 * An n-dimensional array in C order. Objects of common ndarray packages have this shape. The element type is that of
 * `data`, unless `dtype` says that its numbers are booleans (0 and 1), or real and imaginary parts in turn.
 */
export interface NdArray<Data extends TypedArray | readonly string[] = TypedArray | readonly string[]> {
  readonly data: Data
  readonly shape: readonly number[]
  readonly dtype?: 'bool' | ComplexDtype
}

/** A sparse matrix with compressed rows (`csr`, the default) or compressed columns (`csc`), as `format` says. */
export interface SparseMatrix {
  readonly format?: 'csr' | 'csc'
  readonly shape: readonly [rows: number, columns: number]
  /** Where each row (column) starts in `indices` and `data`. It has one entry more than there are rows (columns). */
  readonly indptr: Int32Array | readonly number[]
  readonly indices: Int32Array | readonly number[]
  readonly data: TypedArray | readonly number[]
}

/** A number that is stored as int64 instead of float64. Make one with `integer`. */
export interface Integer {
  readonly [INTEGER]: true
  readonly value: number
}

const INTEGER: unique symbol = Symbol.for('pypet-ts.integer') as never

/**
 * Marks a number as an integer. It is stored as int64, and Python reads it as `int`.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` unless it is a safe integer. Use a bigint beyond 2^53.
 */
export function integer(value: number): Integer {
  if (!Number.isSafeInteger(value)) {
    throw new PypetError('PYPET_VALUE_UNSUPPORTED', `integer() cannot be stored: found ${String(value)}`, {
      where: 'integer()',
      hint: 'Allowed here: a whole number up to 2^53. Write 123n for larger ones.',
    })
  }
  return { [INTEGER]: true, value }
}

export function isInteger(value: unknown): value is Integer {
  return typeof value === 'object' && value !== null && INTEGER in value
}

/** True for the form of an array with a shape. A group may also have children called data and shape. */
export function isNdArray(value: unknown): value is NdArray {
  if (typeof value !== 'object' || value === null || !('data' in value && 'shape' in value)) return false
  if ('indptr' in value) return false
  return Array.isArray(value.shape) && (ArrayBuffer.isView(value.data) || Array.isArray(value.data))
}

/** True for a complex number of any package: an object with numbers as `re` and `im`. */
export function isComplex(value: unknown): value is Complex {
  if (typeof value !== 'object' || value === null || !('re' in value && 'im' in value)) return false
  if (typeof value.re !== 'number' || typeof value.im !== 'number') return false
  return !isPlainObject(value) || Object.keys(value).length === 2
}

/** True for the form of a sparse matrix. */
export function isSparse(value: unknown): value is SparseMatrix {
  return (
    typeof value === 'object' &&
    value !== null &&
    'indptr' in value &&
    'indices' in value &&
    'data' in value &&
    'shape' in value
  )
}

/** True for `{ … }`, which is a group among parameters and ranges. False for arrays and instances of classes. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * True for values by name, `{ x: 1, y: [2] }`: a plain object that is not itself a value. Marked values, such as those of
 * `integer`, have a symbol.
 */
export function isNamedValues(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isPlainObject(value) || Object.getOwnPropertySymbols(value).length > 0) return false
  return !isNdArray(value) && !isComplex(value) && !isSparse(value)
}
