/** pypet's example 19: an evolution adds the runs of each generation, with an individual for each as its argument. */
import { arange, cartesianProduct, Environment, loadTrajectory, type Run } from '../../src/index.ts'
import { GENERATIONS, OneMax } from './one-max.ts'

function evaluate(traj: Run, individual: readonly number[]): number {
  const fitness = individual.reduce((sum, bit) => sum + bit, 0)
  traj.addResult('$set.$.individual', individual)
  traj.addResult('$set.$.fitness', fitness)
  return fitness
}

export default async function example(folder: string) {
  const filename = `${folder}/deap.h5`
  await using env = new Environment({
    trajectory: 'deap',
    filename,
    parameters: { generation: 0, ind_idx: 0 },
  })
  const { trajectory } = env
  const search = new OneMax()
  for (let generation = 0; generation < GENERATIONS; generation += 1) {
    const { unknown } = search
    trajectory.expand(cartesianProduct({ generation: [generation], ind_idx: arange(0, unknown.length) }))
    const results = await env.runMap(evaluate, unknown)
    search.learn(results.map(([, fitness]) => fitness as number))
    if (generation < GENERATIONS - 1) search.breed()
  }

  using traj = await loadTrajectory(filename)
  return { history: search.history, runs: traj.length }
}
