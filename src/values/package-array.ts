/** Arrays of common packages, recognized by their structure. No package is loaded or needed here. */
import type { TypedArray } from './typed-array.ts'
import type { NdArray, SparseMatrix } from './value-forms.ts'

/** Arrays of packages that can be stored as they are. A job gets them as a typed array or as `{ data, shape }`. */
export type PackageArray =
  /** A tensor of TensorFlow.js. */
  | { readonly shape: readonly number[]; readonly dtype: string; dataSync(): ArrayLike<unknown> }
  /** A `Matrix` of ml-matrix. */
  | { readonly rows: number; readonly columns: number; to2DArray(): number[][] }
  /** A matrix of mathjs. */
  | { readonly type: string; size(): readonly number[]; toArray(): unknown; readonly storage: () => string }
  /** An ndarray of stdlib. */
  | {
      readonly data: unknown
      readonly shape: readonly number[]
      readonly strides: readonly number[]
      readonly offset: number
    }

/** What a job gets for a `PackageArray`. */
export type PackageArrayValue = TypedArray | NdArray<TypedArray>

/** The array in one of our own forms or as lists of lists; undefined if it is from none of these packages. */
export function packageArray(value: object): object | undefined {
  const given = value as Readonly<Record<string, unknown>>
  if (typeof given.dataSync === 'function' && Array.isArray(given.shape)) return tensor(value as Tensor)
  if (typeof given.to2DArray === 'function') return (value as { to2DArray(): object }).to2DArray()
  if (given.isDenseMatrix === true && Array.isArray(given._data)) return given._data
  if (given.isSparseMatrix === true && Array.isArray(given._ptr)) return compressedColumns(given)
  if (Array.isArray(given.strides) && 'data' in value && 'shape' in value) return strided(given)
  return undefined
}

interface Tensor {
  readonly shape: readonly number[]
  readonly dtype: unknown
  dataSync(): unknown
}

/** Complex tensors return real and imaginary parts in turn, boolean tensors return bytes. */
function tensor(value: Tensor): object {
  const { shape, dtype } = value
  const known = dtype === 'bool' || dtype === 'complex64' ? { dtype } : {}
  return { data: value.dataSync(), shape, ...known }
}

function compressedColumns({
  _values,
  _index,
  _ptr,
  _size,
}: Readonly<Record<string, unknown>>): SparseMatrix {
  return { format: 'csc', data: _values, indices: _index, indptr: _ptr, shape: _size } as SparseMatrix
}

/** stdlib's arrays of booleans and of complex numbers are objects around a buffer. */
function strided({ data, shape, strides, offset, dtype }: Readonly<Record<string, unknown>>): object {
  const view = { shape, stride: strides, offset }
  const { buffer, byteOffset, length } = data as Readonly<Record<'buffer' | 'byteOffset' | 'length', unknown>>
  if (ArrayBuffer.isView(data) || !(buffer instanceof ArrayBuffer)) return { data, ...view }
  const from = Number(byteOffset)
  const count = Number(length)
  switch (String(dtype)) {
    case 'bool':
      return { data: new Uint8Array(buffer, from, count), dtype: 'bool', ...view }
    case 'complex128':
      return { data: new Float64Array(buffer, from, 2 * count), dtype: 'complex128', ...view }
    case 'complex64':
      return { data: new Float32Array(buffer, from, 2 * count), dtype: 'complex64', ...view }
    default:
      return { data, ...view }
  }
}
