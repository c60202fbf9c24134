/** What examples 19b and 19c share: the individuals of an evolution are values of a derived parameter that is explored. */
import { cartesianProduct, integer, loadTrajectory, type Run, type Trajectory } from '../../src/index.ts'
import { LENGTH, type OneMax } from './one-max.ts'

export function addParameters(traj: Trajectory): void {
  traj.addParameter('generation', integer(0), { comment: 'Current generation' })
  traj.addParameter('ind_idx', integer(0), { comment: 'Index of the individual' })
  traj.addDerivedParameter('individual', new Array(LENGTH).fill(integer(0)), {
    comment: 'An individual of the population',
  })
}

export function evaluate(traj: Run): number {
  return traj.value<number[]>('individual').reduce((sum, bit) => sum + bit, 0)
}

/** A point for each individual that is to be evaluated. */
export function population({ unknown }: OneMax, generation: number) {
  return cartesianProduct(
    {
      generation: [generation],
      ind_idx: unknown.map((_, index) => index),
      individual: unknown,
    },
    [['ind_idx', 'individual'], 'generation'],
  )
}

export async function stored(filename: string) {
  using traj = await loadTrajectory(filename, { derivedParameters: 'data', results: 'data' })
  return {
    runs: traj.length,
    fitnesses: traj.value('fitnesses'),
    individuals: traj.getParameter('individual').getRange(),
  }
}
