import type { Cell } from '../hdf5/datatype.ts'
import type { RangePlace } from '../reading/leaf-reader.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import type { ExploredRange } from './trajectory-overview.ts'

/** Different values shown as examples. */
const VALUES_MAX = 8
/** Beyond this, the exact count is of little use and costs memory. */
const DISTINCT_MAX = 200_000

/**
 * Summarises the values of an explored parameter over all runs, in one pass over its column. Keeps only the different
 * values in memory.
 *
 * @throws PypetError `PYPET_STORAGE_FAILED` if the column cannot be read
 */
export function summariseRange(reader: Hdf5Reader, column: RangePlace): ExploredRange {
  const distinct = new Set<unknown>()
  const first: Cell[] = []
  let isDistinctCountExact = true
  let minimum: number | bigint | undefined
  let maximum: number | bigint | undefined
  let hasNaN = false
  reader.scanRows(column.table, [column.column], (_, [cell]) => {
    if (cell === undefined) return
    if (!column.isReference && (typeof cell === 'number' || typeof cell === 'bigint')) {
      if (Number.isNaN(cell)) hasNaN = true
      else {
        if (minimum === undefined || cell < minimum) minimum = cell
        if (maximum === undefined || cell > maximum) maximum = cell
      }
    }
    const key = typeof cell === 'object' ? JSON.stringify(cell, spellNumber) : cell
    if (distinct.has(key)) return
    if (distinct.size >= DISTINCT_MAX) {
      isDistinctCountExact = false
      return
    }
    distinct.add(key)
    if (first.length < VALUES_MAX) first.push(cell)
  })
  return {
    runCount: column.rowCount,
    distinctCount: distinct.size,
    isDistinctCountExact,
    values: first.map(column.preview),
    minimum,
    maximum,
    hasNaN,
  }
}

/** JSON has no bigint, and writes NaN and the infinities alike. */
function spellNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
    ? String(value)
    : value
}
