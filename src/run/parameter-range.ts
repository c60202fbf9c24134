/** The values of an explored parameter, one per run. */
import { assertNever } from '../errors.ts'
import type { Dtype, StoredScalar, StoredValue } from '../values/stored-value.ts'

export type ParameterRange =
  | { readonly kind: 'scalars'; readonly dtype: Dtype; readonly values: StoredScalar['value'][] }
  /** Arrays, lists and matrices: each distinct value once, and its number for every run. */
  | { readonly kind: 'objects'; readonly values: StoredValue[]; readonly index: number[] }

export function rangeSize(range: ParameterRange): number {
  return range.kind === 'scalars' ? range.values.length : range.index.length
}

/** The value in a run; undefined past the end. */
export function rangeValue(range: ParameterRange, run: number): StoredValue | undefined {
  switch (range.kind) {
    case 'scalars': {
      const value = range.values[run]
      return value === undefined ? undefined : { form: 'scalar', dtype: range.dtype, value }
    }
    case 'objects':
      return range.values[range.index[run] ?? -1]
    default:
      return assertNever(range)
  }
}
