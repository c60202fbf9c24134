import { PypetError } from '../errors.ts'
import { parameterName } from '../values/path.ts'
import {
  type Exploration,
  type ExplorationDraft,
  type ExplorationSpec,
  exploration,
  explorationLength,
  type NamedFunction,
  type PointFunction,
} from './exploration.ts'
import { holds, pointReader } from './point-reader.ts'
import type { Settling } from './settle-range.ts'

/**
 * Only the points for which the condition is true: `where(cartesianProduct({ x, y }), (point) => point.x < point.y)`.
 *
 * A point has the explored values by dotted name, `point['neuron.tau']`. The condition is called once for each point,
 * when the experiment is prepared. Continuing does not call it again.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`; later, when points are counted, also for a condition that throws or
 *   does not return true or false, and `PYPET_EXPLORATION_EMPTY` if no point is left
 */
export function where<Values>(
  explored: Exploration<Values>,
  condition: (point: Readonly<Values>) => boolean,
): Exploration<Values> {
  return exploration(whereDraft(explored.spec, { where: 'where', call: asFunction(condition, 'where') }))
}

export function whereDraft(of: ExplorationDraft, condition: PointFunction): ExplorationDraft {
  return { kind: 'where', of, condition }
}

/** @throws PypetError `PYPET_EXPLORATION_INVALID` */
export function asFunction(given: unknown, place: string): PointFunction['call'] {
  if (typeof given === 'function') return given as PointFunction['call']
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${place}: expected a function, found ${typeof given}`, {
    where: place,
    hint: 'Give a function of the point, as in (point) => point.x < 2.',
  })
}

/** A builder's functions by the names of parameters. @throws PypetError `PYPET_EXPLORATION_INVALID` */
export function namedFunctions(given: object, builder: string): NamedFunction[] {
  return Object.entries(given).map(([key, call]) => {
    const name = parameterName(key)
    return { name, where: `${builder}.${name}`, call: asFunction(call, `${builder}.${key}`) }
  })
}

/** @throws PypetError like `where` */
export function settleWhere(
  of: ExplorationSpec,
  condition: PointFunction,
  settling: Settling,
): ExplorationSpec {
  const length = explorationLength(of)
  const read = pointReader(of, settling, condition)
  const kept = new RunList()
  for (let run = 0; run < length; run += 1) {
    if (holds(condition, read(run))) kept.add(run)
  }
  if (kept.length === length) return of
  if (kept.length > 0) return { kind: 'select', of, runs: kept.toArray() }
  throw new PypetError(
    'PYPET_EXPLORATION_EMPTY',
    `${condition.where} is true for none of the ${length} points: nothing would run`,
    { where: condition.where, hint: 'Explore other values, or fix the condition.' },
  )
}

/** A growing list of ascending run indices, four bytes each. */
export class RunList {
  #runs = new Uint32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(run: number): void {
    if (this.#length === this.#runs.length) {
      const larger = new Uint32Array(this.#runs.length * 2)
      larger.set(this.#runs)
      this.#runs = larger
    }
    this.#runs[this.#length] = run
    this.#length += 1
  }

  /** A copy of exactly this length: a view would also send the spare space. */
  toArray(): Uint32Array {
    return this.#runs.slice(0, this.#length)
  }
}
