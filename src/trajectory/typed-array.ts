/** Typed arrays by numpy's names of their elements. */
import type { NumericDtype } from './stored-value.ts'

/** What makes an array of each element type. */
export const ARRAY_TYPES = {
  float64: Float64Array,
  float32: Float32Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const satisfies Readonly<Record<NumericDtype, unknown>>
