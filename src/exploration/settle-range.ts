import type { Parameter } from '../run/parameter.ts'
import { type ExploredValue, isPooled, objectLike, valueOfClass } from './explored-object.ts'
import { type Range, rangeLength, rangeOf, rangeReader } from './range.ts'
import type { ValuePools } from './value-pool.ts'

/** The declared parameter with this name; undefined if none is known, as in a script without a trajectory. */
export type ParameterOf = (name: string) => Parameter | undefined

/** What is needed to settle the parts of a draft. */
export interface Settling {
  /** The declared parameters. Types decide what is drawn, and defaults are used where nothing is explored. */
  readonly parameterOf: ParameterOf
  /** Receives the explored lists and arrays. Settled parts have their numbers. */
  readonly pools: ValuePools
}

/** Whether a range has to be settled: it has values that runs should refer to by number. */
export function isUnsettled(name: string, range: Range, { parameterOf }: Settling): boolean {
  if (range.kind === 'objects') return true
  const parameter: Parameter | undefined = parameterOf(name)
  return range.kind !== 'numbers' && parameter !== undefined && isPooled(parameter)
}

/** Replaces values without a literal by their numbers. @throws PypetError `PYPET_PARAMETER_TYPE` */
export function settleRange(
  name: string,
  range: Range,
  settling: Settling,
  at: (index: number) => string,
): Range {
  const parameter: Parameter | undefined = settling.parameterOf(name)
  const given = withoutInstances(range, parameter, at)
  if (!isUnsettled(name, given, settling)) return given
  const valueAt = given.kind === 'objects' ? (index: number) => given.values[index] : rangeReader(given)
  const objects = Array.from({ length: rangeLength(given) }, (_, index) =>
    objectLike(valueAt(index) as ExploredValue, parameter, name, at(index)),
  )
  // Only now, so that a refused range leaves nothing behind.
  const pool = settling.pools.of(name)
  return { kind: 'numbers', numbers: Uint32Array.from(objects, (object) => pool.numberOf(object)) }
}

/** Replaces instances of the user's own classes by their stored values. @throws like `valueOfClass` */
export function withoutInstances(
  range: Range,
  parameter: Parameter | undefined,
  at: (index: number) => string,
): Range {
  if (range.kind !== 'objects') return range
  return rangeOf(range.values.map((value, index) => valueOfClass(value, parameter, at(index))))
}
