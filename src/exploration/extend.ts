/** An exploration that has grown: what post-processing, or a script, has added while the experiment runs. */
import type { Parameter } from '../run/parameter.ts'
import { rawValue } from '../values/raw-value.ts'
import type { Scalar } from '../values/stored-value.ts'
import { type ExplorationSpec, explorationNames, type Pools } from './exploration.ts'
import { isPooled } from './explored-object.ts'
import { rangeOf } from './range.ts'
import { pooled } from './value-pool.ts'

/**
 * An exploration with points behind its own. Where nothing was explored so far, the one run had the defaults, and they
 * are its point from now on.
 *
 * @param added names exactly what is explored already, or anything where nothing is; `planRuns` checks the result
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
  // With pools of its own it stays as it is: `planRuns` finds numbers for all.
  if (joined === undefined) return { kind: 'concat', parts: [first, added] }
  // Flat, because an adaptive search may add points a thousand times.
  const of: ExplorationSpec = { kind: 'concat', parts: [...partsOf(own), ...partsOf(more)] }
  return Object.keys(joined).length === 0 ? of : { kind: 'pooled', of, pools: joined }
}

/**
 * What `extendedExploration` has added, when it has been settled: with the lists and arrays that its pools have gained.
 *
 * @param partCount how many parts were added
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
    // Of what was not explored, the default has the first number.
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

/** Undefined where the numbers of one are not those behind the other's. */
function joinedPools(before: Pools, gained: Pools): Pools | undefined {
  const joined: Record<string, Pools[string]> = { ...before }
  for (const [name, { first, values }] of Object.entries(gained)) {
    const known = before[name]
    if (known === undefined || first !== known.first + known.values.length) return undefined
    joined[name] = { first: known.first, values: [...known.values, ...values] }
  }
  return joined
}

/** The point of a run that had the defaults. */
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
