import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { parameterName } from '../values/path.ts'
import { assertDistinctNames, assertEqualLengths, columnsOf } from './columns.ts'
import { type Column, type Exploration, type ExplorationSpec, exploration } from './exploration.ts'
import type { ExploredValues, RangeTree } from './explored-values.ts'

/** The order of the factors. Names in one inner list advance together. */
export type CombinedGroups<Name extends string = string> = readonly (Name | readonly Name[])[]

/**
 * Explores every combination of the ranges. The last parameter varies fastest.
 *
 * `cartesianProduct({ p: [1, 2, 3], q: [42, 52.5] })` runs p 1, 1, 2, 2, 3, 3 with q 42, 52.5, 42, ….
 * With groups, `cartesianProduct({ p, q, r }, ['r', ['p', 'q']])`, p and q advance together inside r.
 * The meaning is that of pypet's `cartesian_product` (`utils/explore.py`), except that a group of unequal
 * lengths and a range that no group names are errors here.
 *
 * @throws PypetError `PYPET_EXPLORATION_LENGTH`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`,
 *   `PYPET_NAME_TAKEN`, `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`
 */
export function cartesianProduct<const Ranges extends RangeTree>(
  ranges: Ranges,
  combined?: CombinedGroups<NoInfer<keyof ExploredValues<Ranges> & string>>,
): Exploration<ExploredValues<Ranges>, ExplorationSpec> {
  return exploration(productSpec(columnsOf(ranges, 'explore'), combined, 'explore'))
}

export function productSpec(
  columns: readonly Column[],
  combined: CombinedGroups | undefined,
  where: string,
): ExplorationSpec {
  assertDistinctNames(columns, where)
  if (combined === undefined || combined.length === 0) {
    return { kind: 'product', factors: columns.map((column) => [column]) }
  }
  const factors = groupColumns(columns, combined, where)
  for (const factor of factors) assertEqualLengths(factor, where)
  return { kind: 'product', factors }
}

function groupColumns(columns: readonly Column[], combined: CombinedGroups, where: string): Column[][] {
  const ungrouped = new Map(columns.map((column) => [column.name, column]))
  const factors: Column[][] = []
  for (const group of combined) {
    const factor = (typeof group === 'string' ? [group] : group).map((written) => {
      const name = parameterName(written)
      const column = ungrouped.get(name)
      if (column === undefined) throw notInRanges(name, columns, where)
      ungrouped.delete(name)
      return column
    })
    if (factor.length > 0) factors.push(factor)
  }
  const [forgotten] = ungrouped.keys()
  if (forgotten === undefined) return factors
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: no combined group names ${forgotten}`, {
    where: `${where}.${forgotten}`,
    hint: `Add '${forgotten}' to the groups, or remove its range.`,
  })
}

function notInRanges(name: string, columns: readonly Column[], where: string): PypetError {
  const names = columns.map((column) => column.name)
  if (names.includes(name)) {
    return new PypetError('PYPET_NAME_TAKEN', `${where}: the combined groups name ${name} twice`, {
      where: `${where}.${name}`,
      hint: 'A parameter belongs to one group.',
    })
  }
  return new PypetError(
    'PYPET_PARAMETER_UNKNOWN',
    `${where}: a combined group names ${name}, which has no range`,
    {
      where: `${where}.${name}`,
      hint: nearestHint(name, names),
    },
  )
}

/**
 * Explores parameters side by side: run 0 takes the first value of each range, run 1 the second.
 * A plain mapping given as `explore` means the same, like pypet's `f_explore` of a dictionary.
 *
 * `zip({ x: [1, 2, 3], neuron: { tau: [10, 20, 30] } })` has three points.
 *
 * @throws PypetError `PYPET_EXPLORATION_LENGTH`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`,
 *   `PYPET_NAME_TAKEN`, `PYPET_PARAMETER_TYPE`
 */
export function zip<const Ranges extends RangeTree>(
  ranges: Ranges,
): Exploration<ExploredValues<Ranges>, ExplorationSpec> {
  return exploration(zipSpec(columnsOf(ranges, 'explore'), 'explore'))
}

export function zipSpec(columns: readonly Column[], where: string): ExplorationSpec {
  assertEqualLengths(columns, where)
  return { kind: 'zip', columns }
}
