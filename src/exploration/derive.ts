import { PypetError } from '../errors.ts'
import type { Widen } from '../run/parameter.ts'
import type { StorableValue } from '../values/value.ts'
import {
  type Column,
  type Exploration,
  type ExplorationDraft,
  type ExplorationSpec,
  exploration,
  explorationLength,
  explorationNames,
  type NamedFunction,
  type Point,
} from './exploration.ts'
import { type GivenValue, toGiven } from './explored-object.ts'
import { answerOf, pointReader, pointText } from './point-reader.ts'
import { type Range, rangeOf } from './range.ts'
import { type Settling, settleRange } from './settle-range.ts'
import { namedFunctions } from './where.ts'

/** Formulas by the dotted name of the parameter whose value they compute. */
export type Formulas<Values> = Readonly<Record<string, (point: Readonly<Values>) => StorableValue>>

type DerivedValues<Given> = {
  [Name in keyof Given]: Given[Name] extends (...point: never[]) => infer Value ? Widen<Value> : never
}

/**
 * Computes further parameters from each point:
 * `derive(cartesianProduct({ x: [1, 2] }), { z: (point) => point.x * 2 })`.
 * Declare these parameters like any other. A formula is called once for each point, when the experiment is prepared.
 *
 * @throws PypetError `PYPET_NAME_TAKEN` for a parameter that is already explored, `PYPET_EXPLORATION_INVALID`; later
 *   `PYPET_PARAMETER_TYPE` for a value of another type than the default's
 */
export function derive<Values, const Given extends Formulas<Values>>(
  explored: Exploration<Values>,
  formulas: Given,
): Exploration<Values & DerivedValues<Given>> {
  return exploration(deriveDraft(explored.spec, namedFunctions(formulas, 'derive')))
}

/** @throws PypetError `PYPET_NAME_TAKEN` */
export function deriveDraft(of: ExplorationDraft, formulas: readonly NamedFunction[]): ExplorationDraft {
  const taken = new Set(explorationNames(of))
  for (const { name, where } of formulas) {
    if (taken.has(name)) {
      throw new PypetError('PYPET_NAME_TAKEN', `${where}: ${name} is already explored`, {
        where,
        hint: 'Remove its range or the formula.',
      })
    }
    taken.add(name)
  }
  return { kind: 'derive', of, formulas }
}

/** @throws PypetError like `derive` */
export function settleDerive(
  of: ExplorationSpec,
  formulas: readonly NamedFunction[],
  settling: Settling,
): ExplorationSpec {
  let columns: readonly Column[] = []
  for (const formula of formulas) {
    // A formula sees the results of earlier formulas.
    const range = derivedRange({ kind: 'derived', of, columns }, formula, settling)
    columns = [...columns, { name: formula.name, range }]
  }
  return { kind: 'derived', of, columns }
}

function derivedRange(of: ExplorationSpec, formula: NamedFunction, settling: Settling): Range {
  const length = explorationLength(of)
  const read = pointReader(of, settling, formula)
  const isBigint = typeof settling.parameterOf(formula.name)?.value === 'bigint'
  const at = (index: number) => placeOf(formula, read(index))
  const valueAt = (run: number): GivenValue => {
    const point = read(run)
    const answer = answerOf(formula, point)
    // Build the place in words only if it is needed.
    const value = typeof answer === 'number' ? answer : toGiven(answer, placeOf(formula, point))
    return isBigint && typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  }
  // Most formulas give numbers. A typed array keeps a million of them small.
  const numbers = new Float64Array(length)
  for (let run = 0; run < length; run += 1) {
    const value = valueAt(run)
    if (typeof value !== 'number') {
      const others = Array.from({ length: length - run - 1 }, (_, index) => valueAt(run + 1 + index))
      const range = rangeOf([...numbers.subarray(0, run), value, ...others])
      return settleRange(formula.name, range, settling, at)
    }
    numbers[run] = value
  }
  return settleRange(formula.name, { kind: 'values', values: numbers }, settling, at)
}

function placeOf({ where }: NamedFunction, point: Point): string {
  return `${where} for ${pointText(point)}`
}
