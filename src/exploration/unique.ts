import type { RunIndex } from '../trajectory/path.ts'
import type { Scalar } from '../trajectory/stored-value.ts'
import { type Exploration, explorationLength, explorationNames, explorationReader } from './exploration.ts'
import { settle } from './settle.ts'

/** A point of the exploration, and every run that computes it. */
export interface UniquePoint<Values> {
  /** Equal for equal points, whatever exploration they come from, if it names parameters in this order. */
  readonly key: string
  readonly point: Readonly<Values>
  /** Ascending. */
  readonly runs: readonly RunIndex[]
}

/**
 * The distinct points in order of their first run; as pypet's `find_unique_points`
 * (`utils/explore.py`), in time linear in the number of runs for every type of value. NaN equals NaN
 * and 0 equals -0. No types are known here, so what is drawn between bounds is not whole.
 *
 * @throws PypetError as `settle`; `PYPET_PARAMETER_TYPE` for `onlyIf`, which needs defaults
 */
export function findUniquePoints<Values>(exploration: Exploration<Values>): UniquePoint<Values>[] {
  const spec = settle(exploration.spec, () => undefined, 'explore')
  const names = explorationNames(spec)
  const readers = names.map((name) => explorationReader(spec, name))
  const found = new Map<string, { key: string; point: Record<string, Scalar>; runs: RunIndex[] }>()
  for (let run = 0; run < explorationLength(spec); run += 1) {
    const values = readers.map((read) => read(run))
    const key = values.map(valueKey).join(',')
    const unique = found.get(key)
    if (unique !== undefined) {
      unique.runs.push(run)
      continue
    }
    const point = Object.fromEntries(names.map((name, index) => [name, values[index] as Scalar]))
    found.set(key, { key, point, runs: [run] })
  }
  return [...found.values()] as unknown as UniquePoint<Values>[]
}

/** Distinct for distinct values of any type: strings are quoted, so `1` and `"1"` differ. */
function valueKey(value: Scalar): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
