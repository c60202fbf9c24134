import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { rawValue } from '../values/raw-value.ts'
import type { Scalar } from '../values/stored-value.ts'
import {
  type Exploration,
  type ExplorationDraft,
  type ExplorationSpec,
  exploration,
  explorationLength,
  explorationNames,
  explorationReader,
  type NamedFunction,
  type PartialColumn,
} from './exploration.ts'
import { isPooled } from './explored-object.ts'
import { holds, pointReader } from './point-reader.ts'
import { PointSet } from './point-set.ts'
import type { Settling } from './settle-range.ts'
import { pooled } from './value-pool.ts'
import { namedFunctions, RunList } from './where.ts'

/** Conditions by the dotted name of the parameter. It is explored only if its condition is true. */
export type Conditions<Values> = {
  readonly [Name in keyof Values]?: (point: Readonly<Values>) => boolean
}

/**
 * Explores parameters only where a condition on the others is true. Elsewhere each has its default, and the point
 * occurs once, however many values would be explored:
 *
 * `onlyIf(cartesianProduct({ mode: ['fast', 'slow'], tau: [1, 2, 3] }), { tau: (point) => point.mode === 'slow' })`
 * has four points. One of them is `fast` with the default of `tau`.
 *
 * A condition sees the parameters without conditions, and those whose conditions come before it.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN` for a name that is not explored, `PYPET_EXPLORATION_INVALID`; later like
 *   `where`
 */
export function onlyIf<Values>(
  explored: Exploration<Values>,
  conditions: Conditions<NoInfer<Values>>,
): Exploration<Values> {
  return exploration(onlyIfDraft(explored.spec, namedFunctions(conditions, 'onlyIf')))
}

/** @throws PypetError `PYPET_PARAMETER_UNKNOWN`, `PYPET_NAME_TAKEN` */
export function onlyIfDraft(of: ExplorationDraft, conditions: readonly NamedFunction[]): ExplorationDraft {
  const names = explorationNames(of)
  conditions.forEach(({ name, where }, index) => {
    if (!names.includes(name)) {
      throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${where}: ${name} is not explored`, {
        where,
        hint: nearestHint(name, names, `Explored parameters: ${names.join(', ')}.`),
      })
    }
    if (conditions.findIndex((other) => other.name === name) < index) {
      throw new PypetError('PYPET_NAME_TAKEN', `${where}: ${name} already has a condition`, {
        where,
        hint: 'Join the two with &&.',
      })
    }
  })
  return { kind: 'only-if', of, conditions }
}

/** The names that a condition does not see: its own parameter, and those with later conditions. */
export function hiddenFrom(
  conditions: readonly { readonly name: string }[],
  index: number,
): readonly string[] {
  return conditions.slice(index).map(({ name }) => name)
}

/** @throws PypetError like `onlyIf` */
export function settleOnlyIf(
  of: ExplorationSpec,
  conditions: readonly NamedFunction[],
  settling: Settling,
): ExplorationSpec {
  const length = explorationLength(of)
  let columns: readonly PartialColumn[] = []
  for (const [index, condition] of conditions.entries()) {
    const before: ExplorationSpec = { kind: 'partial', of, columns }
    const read = pointReader(before, settling, condition, hiddenFrom(conditions, index))
    const isExplored = new Uint8Array(Math.ceil(length / 8))
    for (let run = 0; run < length; run += 1) {
      if (holds(condition, read(run)))
        isExplored[run >>> 3] = (isExplored[run >>> 3] as number) | (1 << (run & 7))
    }
    columns = [...columns, { name: condition.name, isExplored, otherwise: defaultOf(condition, settling) }]
  }
  const partial: ExplorationSpec = { kind: 'partial', of, columns }
  const isRepeated = repetitionOf(of, columns)
  const kept = new RunList()
  for (let run = 0; run < length; run += 1) {
    if (!isRepeated(run)) kept.add(run)
  }
  return kept.length === length ? partial : { kind: 'select', of: partial, runs: kept.toArray() }
}

function defaultOf({ name, where }: NamedFunction, { parameterOf, pools }: Settling): Scalar {
  const parameter = parameterOf(name)
  const value = parameter?.value
  if (parameter !== undefined && isPooled(parameter)) {
    return pools.of(name).numberOf(pooled(rawValue(parameter.stored)))
  }
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value === 'boolean' || typeof value === 'string') return value
  throw new PypetError('PYPET_PARAMETER_TYPE', `${where}: ${name} has no single value as its default`, {
    where,
    hint: `Declare ${name} with a default, in an experiment or a trajectory.`,
  })
}

/** Tells whether a point equals an earlier one, apart from parameters that are explored in neither. */
function repetitionOf(of: ExplorationSpec, columns: readonly PartialColumn[]): (run: number) => boolean {
  const isExplored = (index: number, run: number) => {
    const bits = columns[index]?.isExplored
    return bits === undefined || (((bits[run >>> 3] as number) >>> (run & 7)) & 1) === 1
  }
  const indices = columns.map((_, index) => index)
  const digits = digitReaders(of, columns)
  if (digits !== undefined) {
    // If a parameter of a product is not explored in a point, its first value stands for all its values.
    return (run) => indices.some((index) => !isExplored(index, run) && (digits[index]?.(run) ?? 0) > 0)
  }
  const names = explorationNames(of)
  const conditions = names.map((name) => columns.findIndex((column) => column.name === name))
  const seen = new PointSet(
    names.map((name) => explorationReader(of, name)),
    (column, run) => isExplored(conditions[column] as number, run),
  )
  return (run) => indices.some((index) => !isExplored(index, run)) && !seen.add(run)
}

/** For a product in which each conditional parameter is a separate factor: the index of its value by run. */
function digitReaders(
  of: ExplorationSpec,
  columns: readonly PartialColumn[],
): readonly ((run: number) => number)[] | undefined {
  if (of.kind !== 'product') return undefined
  const digits: ((run: number) => number)[] = []
  let stride = 1
  for (const factor of [...of.factors].reverse()) {
    const length = explorationLength({ kind: 'zip', columns: factor })
    const digitStride = stride
    stride *= length
    const index = columns.findIndex(({ name }) => factor.some((column) => column.name === name))
    if (index < 0) continue
    if (factor.length > 1) return undefined
    digits[index] = (run) => Math.floor(run / digitStride) % length
  }
  return digits
}
