/** The plan of all runs. It grows when post-processing or a script adds points. */
import { PypetError } from '../errors.ts'
import { type Column, type ExplorationSpec, explorationNames } from '../exploration/exploration.ts'
import { addedPart, extendedExploration, partsOf } from '../exploration/extend.ts'
import { planRuns } from '../exploration/plan.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import type { Parameter } from '../run/parameter.ts'
import type { Scalar } from '../values/stored-value.ts'

export class GrowingPlan {
  #plan: ExplorationPlan
  readonly #parameters: readonly Parameter[]

  constructor(plan: ExplorationPlan, parameters: readonly Parameter[]) {
    this.#plan = plan
    this.#parameters = parameters
  }

  /** The current plan. */
  get now(): ExplorationPlan {
    return this.#plan
  }

  get runCount(): number {
    return this.#plan.runCount
  }

  /**
   * The plan with these points appended, and the points as the job sees them. Changes nothing; `take` does.
   *
   * @throws PypetError as `planRuns`, and `PYPET_EXPLORATION_INVALID` if they do not name exactly the explored
   *   parameters
   */
  with(given: ExplorationSpec): { readonly plan: ExplorationPlan; readonly added: ExplorationSpec } {
    const { exploration } = this.#plan
    const parameters = this.#parameters
    if (exploration !== undefined) assertSameNames(explorationNames(exploration), explorationNames(given))
    const added = typed(given, parameters)
    // Plan the added points alone first, so that messages name their places.
    planRuns({ parameters, exploration: added, where: 'added points' })
    const plan = planRuns({ parameters, exploration: extendedExploration(exploration, added, parameters) })
    const part = addedPart(exploration, plan.exploration as ExplorationSpec, partsOf(added).length)
    return { plan, added: part }
  }

  take(plan: ExplorationPlan): void {
    this.#plan = plan
  }
}

/** A file does not distinguish bigints from other integers. A job sees bigints if the default is one. */
function typed(spec: ExplorationSpec, parameters: readonly Parameter[]): ExplorationSpec {
  if (spec.kind === 'concat')
    return { kind: 'concat', parts: spec.parts.map((part) => typed(part, parameters)) }
  if (spec.kind !== 'points') return spec
  const columns = spec.columns.map((column): Column => {
    const { name, range } = column
    const isBigint = typeof parameters.find((parameter) => parameter.name === name)?.value === 'bigint'
    if (range.kind !== 'values' || !Array.isArray(range.values)) return column
    const values = range.values.map((value: Scalar): Scalar => {
      if (isBigint) return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
      return typeof value === 'bigint' ? Number(value) : value
    })
    return { name, range: { kind: 'values', values } }
  })
  return { kind: 'points', columns }
}

function assertSameNames(explored: readonly string[], given: readonly string[]): void {
  const missing = explored.filter((name) => !given.includes(name))
  const others = given.filter((name) => !explored.includes(name))
  if (missing.length + others.length === 0) return
  const found =
    missing.length > 0 ? `${missing.join(', ')} is missing` : `${others.join(', ')} is not explored`
  throw new PypetError('PYPET_EXPLORATION_INVALID', `cannot add points: ${found}`, {
    where: 'added points',
    hint: `Name exactly the explored parameters: ${explored.join(', ')}.`,
  })
}
