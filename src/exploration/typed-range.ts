import type { Parameter } from '../run/parameter.ts'
import type { Scalar } from '../values/stored-value.ts'
import type { Range } from './range.ts'

/** Data files know no bigints: their whole numbers and strings of digits become some where one is declared. */
export function typedRange(range: Range, parameter: Parameter): Range {
  if (typeof parameter.value !== 'bigint' || range.kind !== 'values' || !Array.isArray(range.values))
    return range
  return { kind: 'values', values: range.values.map(toBigint) }
}

function toBigint(value: Scalar): Scalar {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  return typeof value === 'string' && /^[+-]?\d+$/.test(value) ? BigInt(value.replace('+', '')) : value
}
