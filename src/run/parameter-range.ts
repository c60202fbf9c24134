/** The values that an explored parameter takes, one a run. */
import { assertNever } from '../errors.ts'
import type { Dtype, StoredScalar, StoredValue } from '../values/stored-value.ts'

export type ParameterRange =
  | { readonly kind: 'scalars'; readonly dtype: Dtype; readonly values: StoredScalar['value'][] }
  /** Arrays, lists and matrices: each distinct one once, and its number for every run. */
  | { readonly kind: 'objects'; readonly values: StoredValue[]; readonly index: number[] }

export function rangeSize(range: ParameterRange): number {
  return range.kind === 'scalars' ? range.values.length : range.index.length
}

/** The value in a run; undefined beyond the end. */
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
