import { assertEqualLengths, columnsOf } from './columns.ts'
import { type Column, type Exploration, type ExplorationSpec, exploration } from './exploration.ts'
import type { ExploredValues, RangeTree } from './explored-values.ts'

/**
 * Explores parameters side by side: run 0 takes the first value of each range, run 1 the second.
 * A bare mapping given as `explore` means the same; so does pypet's `f_explore` of a dictionary.
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
