import type { RunIndex } from '../values/path.ts'
import type { RawValue } from '../values/raw-value.ts'
import type { Scalar } from '../values/stored-value.ts'
import { seenValue } from '../values/user-value.ts'
import { plainKey, pointKey, rawValueKey } from '../values/value-key.ts'
import { type Exploration, explorationLength, explorationNames, explorationReader } from './exploration.ts'
import type { ExploredValue } from './explored-object.ts'
import { settle } from './settle.ts'
import { ValuePools } from './value-pool.ts'

/** A point of the exploration, and every run that computes it. */
export interface UniquePoint<Values> {
  /** Equal for equal points of any exploration with these parameters in this order. */
  readonly key: string
  readonly point: Readonly<Values>
  /** Ascending. */
  readonly runs: readonly RunIndex[]
}

/**
 * The distinct points in order of their first run, like pypet's `find_unique_points`
 * (`utils/explore.py`), but in linear time for every type of value. Values are equal if their bits are:
 * NaN equals NaN, and 0 and -0 differ. Types are not known here, so numbers drawn between bounds are not whole.
 *
 * @throws PypetError like `settle`; `PYPET_PARAMETER_TYPE` for `onlyIf`, which needs defaults
 */
export function findUniquePoints<Values>(exploration: Exploration<Values>): UniquePoint<Values>[] {
  const pools = new ValuePools()
  const spec = settle(exploration.spec, { parameterOf: () => undefined, pools }, 'explore')
  const names = explorationNames(spec)
  const readers = names.map((name) => {
    const read = explorationReader(spec, name)
    const values = pools.get(name)?.values
    if (values === undefined) return (run: RunIndex) => ({ key: scalarKey(read(run)), value: read(run) })
    const keys = values.map((value) => rawValueKey(value as RawValue))
    return (run: RunIndex) => {
      const number = read(run) as number
      return { key: keys[number] as string, value: values[number] as RawValue }
    }
  })
  const found = new Map<string, { key: string; point: Record<string, unknown>; runs: RunIndex[] }>()
  for (let run = 0; run < explorationLength(spec); run += 1) {
    const values = readers.map((read) => read(run))
    const key = pointKey(values.map((value) => value.key))
    const unique = found.get(key)
    if (unique !== undefined) {
      unique.runs.push(run)
      continue
    }
    const point = Object.fromEntries(
      names.map((name, index) => [name, seen(values[index]?.value as ExploredValue)]),
    )
    found.set(key, { key, point, runs: [run] })
  }
  return [...found.values()] as unknown as UniquePoint<Values>[]
}

/** A different key for different values of any type: `1` and `"1"` differ. */
function scalarKey(value: Scalar): string {
  return `${typeof value}:${plainKey(value)}`
}

function seen(value: ExploredValue): unknown {
  return typeof value === 'object' ? seenValue(value, undefined) : value
}
