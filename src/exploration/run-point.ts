/** The plan of all runs, and the values of each. Threads evaluate it themselves, so this module loads little. */
import type { Parameter } from '../run/parameter.ts'
import type { PointValues } from '../run/parameter-view.ts'
import type { RunIndex } from '../values/path.ts'
import type { BasicDtype, Scalar } from '../values/stored-value.ts'
import { type ExplorationSpec, explorationReader } from './exploration.ts'
import type { PooledValue } from './value-pool.ts'

export interface ExploredParameter {
  readonly name: string
  readonly parameter: Parameter
  /**
   * How the values are stored. `object` means lists, arrays and matrices. A job sees int64 as bigints if the default is
   * one, otherwise as numbers.
   */
  readonly dtype: BasicDtype | 'object'
  /** UTF-8 bytes of the longest text in the range; 0 unless the dtype is `str`. */
  readonly textBytesMax: number
  /** The distinct values by number if the dtype is `object`; otherwise empty. */
  readonly pool: readonly PooledValue[]
}

/** What all runs explore. Plain data that can be structured-cloned. The functions below evaluate it lazily. */
export interface ExplorationPlan {
  /** 1 if nothing is explored: the run with the defaults, as in pypet. */
  readonly runCount: number
  readonly exploration: ExplorationSpec | undefined
  /** In the order of the exploration. */
  readonly explored: readonly ExploredParameter[]
}

/** Whether lists or arrays are explored, which may be large. */
export function hasObjects({ explored }: ExplorationPlan): boolean {
  return explored.some(({ dtype }) => dtype === 'object')
}

/**
 * The explored values of one run; empty if nothing is explored. Single values are as the job sees them. Others are
 * `RawValue`; `parameterViews` turns them into what the job sees.
 */
export function runPoint(plan: ExplorationPlan, run: RunIndex): PointValues {
  const point: Record<string, unknown> = {}
  for (const explored of plan.explored) {
    const value = jobValue(plan, explored, run)
    point[explored.name] = explored.dtype === 'object' ? pooledAt(explored, value as number) : value
  }
  return point
}

function pooledAt({ name, pool }: ExploredParameter, number: number): PooledValue {
  const value = pool[number]
  if (typeof value === 'object') return value
  throw new Error(`value ${number} of ${name} is in the file and was not read: ${value}`)
}

/** A generated range has numbers. If the default is a bigint, the parameter sees bigints. */
export function jobValue(
  plan: Pick<ExplorationPlan, 'exploration'>,
  { name, parameter }: Pick<ExploredParameter, 'name' | 'parameter'>,
  run: RunIndex,
): Scalar {
  const value = explorationReader(plan.exploration as ExplorationSpec, name)(run)
  return typeof parameter.value === 'bigint' && typeof value === 'number' ? BigInt(value) : value
}
