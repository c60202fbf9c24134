/** The order of rows by several keys. Rows that are equal keep their order, and missing values and NaN come last. */
import { cellReader } from './block.ts'
import type { Cell, ColumnBlock } from './column.ts'

export interface SortKey {
  readonly block: ColumnBlock
  readonly isDescending: boolean
}

/** @param limit only so many rows need to be in order */
export function sortRows(keys: readonly SortKey[], length: number, limit = length): Uint32Array {
  const order = Uint32Array.from({ length }, (_, row) => row)
  const compare = comparisons(keys)
  const byPlace = (one: number, other: number) => compare(one, other) || one - other
  if (limit < length / 8) return firstRows(order, Math.max(1, limit), byPlace).subarray(0, limit)
  return order.sort(byPlace)
}

/** The first rows in order, found in one pass: rows are gathered, and sorted when they are twice as many as wanted. */
function firstRows(
  order: Uint32Array,
  count: number,
  compare: (one: number, other: number) => number,
): Uint32Array {
  let kept: number[] = []
  let last: number | undefined
  for (const row of order) {
    if (last !== undefined && compare(row, last) >= 0) continue
    kept.push(row)
    if (kept.length < 2 * count + 1024) continue
    kept = kept.sort(compare).slice(0, count)
    last = kept.at(-1)
  }
  return Uint32Array.from(kept.sort(compare).slice(0, count))
}

function comparisons(keys: readonly SortKey[]): (one: number, other: number) => number {
  const all = keys.map(comparison)
  const [first] = all
  if (first !== undefined && all.length === 1) return first
  return (one, other) => {
    for (const compare of all) {
      const result = compare(one, other)
      if (result !== 0) return result
    }
    return 0
  }
}

function comparison({ block, isDescending }: SortKey): (one: number, other: number) => number {
  const sign = isDescending ? -1 : 1
  if (block.form === 'number' && block.dtype !== 'int64' && block.dtype !== 'uint64') {
    const { present } = block
    const values = block.values as Float64Array
    const has = (row: number) => (present === undefined || present[row] === 1) && !Number.isNaN(values[row])
    return (one, other) => {
      const [left, right] = [values[one] as number, values[other] as number]
      if (present === undefined) {
        if (left < right) return -sign
        if (left > right) return sign
        if (left === right) return 0
      }
      const [hasOne, hasOther] = [has(one), has(other)]
      if (hasOne !== hasOther) return hasOne ? -1 : 1
      return !hasOne || left === right ? 0 : left < right ? -sign : sign
    }
  }
  const read = cellReader(block)
  return (one, other) => {
    const [left, right] = [read(one), read(other)]
    const [leftRank, rightRank] = [rankOf(left), rankOf(right)]
    if (leftRank !== rightRank) return leftRank - rightRank
    if (leftRank >= UNORDERED || left === right) return 0
    return (left as number) < (right as number) ? -sign : sign
  }
}

/** Values of different types are grouped by type. From here on, they have no order. */
const UNORDERED = 3

function rankOf(value: Cell): number {
  switch (typeof value) {
    case 'number':
      return Number.isNaN(value) ? UNORDERED + 1 : 0
    case 'bigint':
      return 0
    case 'boolean':
      return 1
    case 'string':
      return 2
    default:
      return value === null ? UNORDERED + 1 : UNORDERED
  }
}
