/**
 * Values that JavaScript has no literal for, known by the form of their objects: arrays with a shape, sparse matrices,
 * complex numbers, and numbers that are marked as integers.
 */
import { PypetError } from '../errors.ts'
import type { Complex, ComplexDtype } from './stored-value.ts'
import type { TypedArray } from './typed-array.ts'

/**
 * An n-dimensional array in C order. Objects of the usual ndarray packages have this shape. The element type is that of
 * `data`, unless `dtype` says that its numbers are booleans (0 and 1), or real and imaginary parts in turn.
 */
export interface NdArray<Data extends TypedArray | readonly string[] = TypedArray | readonly string[]> {
  readonly data: Data
  readonly shape: readonly number[]
  readonly dtype?: 'bool' | ComplexDtype
}

/** A sparse matrix by compressed rows (`csr`, unless `format` says `csc`: by compressed columns). */
export interface SparseMatrix {
  readonly format?: 'csr' | 'csc'
  readonly shape: readonly [rows: number, columns: number]
  /** Where each row (column) begins in `indices` and `data`; one entry more than there are. */
  readonly indptr: Int32Array | readonly number[]
  readonly indices: Int32Array | readonly number[]
  readonly data: TypedArray | readonly number[]
}

/** A number that is stored as int64 instead of float64; make one with `integer`. */
export interface Integer {
  readonly [INTEGER]: true
  readonly value: number
}

const INTEGER: unique symbol = Symbol.for('pypet-ts.integer') as never

/**
 * Marks a number as an integer: stored as int64, read by Python as `int`.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` unless it is a safe integer; use a bigint beyond 2^53.
 */
export function integer(value: number): Integer {
  if (!Number.isSafeInteger(value)) {
    throw new PypetError('PYPET_VALUE_UNSUPPORTED', `integer() cannot be stored: found ${String(value)}`, {
      where: 'integer()',
      hint: 'Allowed here: a whole number up to 2^53; write 123n for larger ones.',
    })
  }
  return { [INTEGER]: true, value }
}

export function isInteger(value: unknown): value is Integer {
  return typeof value === 'object' && value !== null && INTEGER in value
}

/** True for what has the form of an array with a shape; a group may have children called data and shape too. */
export function isNdArray(value: unknown): value is NdArray {
  if (typeof value !== 'object' || value === null || !('data' in value && 'shape' in value)) return false
  if ('indptr' in value) return false
  return Array.isArray(value.shape) && (ArrayBuffer.isView(value.data) || Array.isArray(value.data))
}

/** True for a complex number of any package: an object whose `re` and `im` are numbers. */
export function isComplex(value: unknown): value is Complex {
  if (typeof value !== 'object' || value === null || !('re' in value && 'im' in value)) return false
  if (typeof value.re !== 'number' || typeof value.im !== 'number') return false
  return !isPlainObject(value) || Object.keys(value).length === 2
}

/** True for what has the form of a sparse matrix. */
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

/** True for `{ … }`, which is a group among parameters and ranges; false for arrays and instances of classes. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * True for values by name, `{ x: 1, y: [2] }`: a plain object that is no value itself. Those that are marked, as by
 * `integer`, have a symbol.
 */
export function isNamedValues(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isPlainObject(value) || Object.getOwnPropertySymbols(value).length > 0) return false
  return !isNdArray(value) && !isComplex(value) && !isSparse(value)
}
