/** Points as the functions of an exploration see them, and the results of these functions. */
import { PypetError } from '../errors.ts'
import { rawValue } from '../values/raw-value.ts'
import { seenValue } from '../values/user-value.ts'
import { toStoredValue } from '../values/value.ts'
import {
  type ExplorationSpec,
  explorationLength,
  explorationNames,
  explorationReader,
  type Point,
  type PointFunction,
} from './exploration.ts'
import type { Settling } from './settle-range.ts'
import { type PooledValue, pooledText } from './value-pool.ts'

/** A filter checks each point. This many take about half a minute. */
const POINTS_MAX = 100_000_000

/**
 * Reads points with values as a job sees them: a generated number is a bigint if the default is one.
 *
 * @param reader the function that receives them. It may read only some names
 * @param hidden names to leave out
 * @throws PypetError `PYPET_EXPLORATION_INVALID` if there are too many points to check
 */
export function pointReader(
  spec: ExplorationSpec,
  { parameterOf, pools }: Settling,
  { where, reads }: PointFunction,
  hidden: readonly string[] = [],
): (run: number) => Point {
  const length = explorationLength(spec)
  if (length > POINTS_MAX) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where} would check ${length} points; the limit is ${POINTS_MAX}`,
      { where, hint: 'Explore fewer values.' },
    )
  }
  const columns = explorationNames(spec)
    .filter((name) => !hidden.includes(name) && reads?.includes(name) !== false)
    .map((name) => {
      const preset = parameterOf(name)?.value
      const isBigint = typeof preset === 'bigint'
      return { name, read: explorationReader(spec, name), isBigint, preset, pool: pools.get(name) }
    })
  return (run) => {
    const point: Record<string, unknown> = {}
    for (const { name, read, isBigint, preset, pool } of columns) {
      const value = read(run)
      if (pool !== undefined) defineObject(point, name, pool.values[value as number], preset)
      else
        point[name] =
          isBigint && typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
    }
    return point
  }
}

/** A list or an array is copied on access, since most functions read other values. */
function defineObject(point: object, name: string, value: PooledValue | undefined, preset: unknown): void {
  const get = () => {
    if (typeof value === 'object') return seenValue(value, preset)
    throw new Error(`${name} is not read`)
  }
  Object.defineProperty(point, name, { get, enumerable: true, configurable: true })
}

/** @throws PypetError `PYPET_EXPLORATION_INVALID` if the function throws or returns anything but true and false */
export function holds(condition: PointFunction, point: Point): boolean {
  const answer = answerOf(condition, point)
  if (typeof answer === 'boolean') return answer
  const found = answer instanceof Promise ? 'a promise' : `${typeof answer} ${String(answer)}`
  throw new PypetError(
    'PYPET_EXPLORATION_INVALID',
    `${condition.where} gives ${found} for ${pointText(point)}; a condition must give true or false`,
    { where: condition.where, hint: 'Compare, as in (point) => point.x < 2.' },
  )
}

/** @throws PypetError `PYPET_EXPLORATION_INVALID` if the function throws */
export function answerOf({ where, call }: PointFunction, point: Point): unknown {
  try {
    return call(point)
  } catch (cause) {
    if (cause instanceof PypetError) throw cause
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where} fails for ${pointText(point)}: ${String(cause)}`,
      {
        where,
        hint: 'Fix the function; --verbose shows its stack.',
        cause,
      },
    )
  }
}

/** `{ x: 1, kind: "a" }`, for messages. */
export function pointText(point: Point): string {
  const entries = Object.entries(point).map(([name, value]) => `${name}: ${shown(value)}`)
  return `{ ${entries.join(', ')} }`
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  return pooledText(rawValue(toStoredValue(value, 'value')))
}
