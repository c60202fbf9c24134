/** What the columns of a trajectory are: facts of runs, parameters and results, one value per run. */
import type { ComplexDtype, Dtype, StoredValue } from '../values/stored-value.ts'
import type { NumericDtype, TypedArray } from '../values/typed-array.ts'

export type ColumnKind = 'fact' | 'parameter' | 'derived parameter' | 'result'

/** Describes a column. Its values are read with `RunData.read`. */
export interface Column {
  /** As short as is unique: `z`, `neuron.rate`, `status` (the fact), `results.status`. */
  readonly name: string
  /** `run`, `parameters.x`, `results.fit.slope`. */
  readonly fullName: string
  readonly kind: ColumnKind
  /** Of an element. `mixed` if runs differ, or if the values have no elements of one type, such as records. */
  readonly dtype: Dtype | 'mixed'
  /** No sizes for single values. Undefined if runs differ. */
  readonly shape: readonly number[] | undefined
  /** From the annotation `unit`. Empty if there is none. */
  readonly unit: string
  readonly comment: string
  /** Texts of any length: read some at a time. */
  readonly isLong: boolean
  /** Only parameters can be explored. Other parameters have one value for all runs. */
  readonly isExplored: boolean
}

/** Values of one column in consecutive runs. */
export type ColumnBlock = {
  /** 1 for each row with a value. Undefined if all rows have one. */
  readonly present: Uint8Array | undefined
} & BlockValues

export type BlockValues =
  /** int64 and uint64 are `BigInt64Array` and `BigUint64Array`. */
  | { readonly form: 'number'; readonly dtype: NumericDtype; readonly values: TypedArray }
  /** 0 or 1. */
  | { readonly form: 'bool'; readonly values: Uint8Array }
  /** Real and imaginary part in turn. */
  | { readonly form: 'complex'; readonly dtype: ComplexDtype; readonly values: Float64Array | Float32Array }
  | { readonly form: 'text'; readonly values: readonly string[] }
  /** The elements of all rows, in C order. Complex numbers in turn, as above. */
  | {
      readonly form: 'array'
      readonly dtype: NumericDtype | ComplexDtype | 'bool'
      readonly shape: readonly number[]
      readonly values: TypedArray
    }
  | { readonly form: 'mixed'; readonly values: readonly (StoredValue | undefined)[] }

/** One value of a column. Null if the run has none. */
export type Cell = number | bigint | boolean | string | null | StoredValue
