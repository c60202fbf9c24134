/** An exploration that has grown: post-processing or a script has added points while the experiment runs. */
import type { Parameter } from '../run/parameter.ts'
import { rawValue } from '../values/raw-value.ts'
import type { Scalar } from '../values/stored-value.ts'
import { type ExplorationSpec, explorationNames, type Pools } from './exploration.ts'
import { isPooled } from './explored-object.ts'
import { rangeOf } from './range.ts'
import { pooled } from './value-pool.ts'

/**
 * An exploration with added points at its end. If nothing was explored before, its first point is the one run with the
 * defaults.
 *
 * @param added explores exactly the same names, or any names if nothing is explored. `planRuns` checks the result
 */
export function extendedExploration(
  before: ExplorationSpec | undefined,
  added: ExplorationSpec,
  parameters: readonly Parameter[],
): ExplorationSpec {
  const first = before ?? defaultPoint(explorationNames(added), parameters)
  const [own, pools] = withoutPools(first)
  const [more, gained] = withoutPools(added)
  const joined = joinedPools(pools, gained)
  // With its own pools it stays as it is: `planRuns` assigns numbers for all.
  if (joined === undefined) return { kind: 'concat', parts: [first, added] }
  // Flat, because an adaptive search may add points a thousand times.
  const of: ExplorationSpec = { kind: 'concat', parts: [...partsOf(own), ...partsOf(more)] }
  return Object.keys(joined).length === 0 ? of : { kind: 'pooled', of, pools: joined }
}

/**
 * The part that `extendedExploration` has added, after it was settled, with the lists and arrays that its pools gained.
 *
 * @param partCount number of added parts
 */
export function addedPart(
  before: ExplorationSpec | undefined,
  grown: ExplorationSpec,
  partCount: number,
): ExplorationSpec {
  const [of, pools] = withoutPools(grown)
  const parts = partsOf(of).slice(-partCount)
  const added: ExplorationSpec =
    parts.length === 1 ? (parts[0] as ExplorationSpec) : { kind: 'concat', parts }
  const known = before === undefined ? undefined : withoutPools(before)[1]
  const gained = Object.entries(pools).map(([name, { values }]) => {
    // If the parameter was not explored, its default has the first number.
    const first = known === undefined ? 1 : (known[name]?.values.length ?? 0)
    return [name, { first, values: values.slice(first) }] as const
  })
  return gained.length === 0 ? added : { kind: 'pooled', of: added, pools: Object.fromEntries(gained) }
}

export function partsOf(spec: ExplorationSpec): readonly ExplorationSpec[] {
  return spec.kind === 'concat' ? spec.parts : [spec]
}

export function withoutPools(spec: ExplorationSpec): [of: ExplorationSpec, pools: Pools] {
  return spec.kind === 'pooled' ? [spec.of, spec.pools] : [spec, {}]
}

/** Undefined if the numbers of one do not continue those of the other. */
function joinedPools(before: Pools, gained: Pools): Pools | undefined {
  const joined: Record<string, Pools[string]> = { ...before }
  for (const [name, { first, values }] of Object.entries(gained)) {
    const known = before[name]
    if (known === undefined || first !== known.first + known.values.length) return undefined
    joined[name] = { first: known.first, values: [...known.values, ...values] }
  }
  return joined
}

/** The point of a run with the defaults. */
export function defaultPoint(names: readonly string[], parameters: readonly Parameter[]): ExplorationSpec {
  const pools: Record<string, Pools[string]> = {}
  const columns = names.map((name) => {
    const parameter = parameters.find((candidate) => candidate.name === name)
    if (parameter === undefined || !isPooled(parameter))
      return { name, range: rangeOf([parameter?.value as Scalar]) }
    pools[name] = { first: 0, values: [pooled(rawValue(parameter.stored))] }
    return { name, range: { kind: 'numbers', numbers: Uint32Array.of(0) } } as const
  })
  const of: ExplorationSpec = { kind: 'points', columns }
  return Object.keys(pools).length === 0 ? of : { kind: 'pooled', of, pools }
}
