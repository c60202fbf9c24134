/** pypet's example 19c: the same evolution in post-processing, which adds the next generation until it is content. */
import { Environment, type JobResults, type PostprocessTrajectory } from '../../src/index.ts'
import { addParameters, evaluate, population, stored } from './individuals.ts'
import { GENERATIONS, OneMax } from './one-max.ts'

export default async function example(folder: string) {
  const filename = `${folder}/deap_c.h5`
  await using env = new Environment({ trajectory: 'postproc_deap', filename })
  const { trajectory } = env
  addParameters(trajectory)
  const search = new OneMax()
  const fitnesses: number[] = []
  trajectory.explore(population(search, 0))
  env.addPostprocessing((traj: PostprocessTrajectory, results: JobResults) => {
    const found = results.slice(fitnesses.length).map(([, fitness]) => fitness as number)
    search.learn(found)
    fitnesses.push(...found)
    if (search.history.length < GENERATIONS) {
      search.breed()
      traj.expand(population(search, search.history.length))
    } else traj.addResult('fitnesses', fitnesses, { comment: 'Fitnesses of all individuals' })
  })
  await env.run(evaluate)
  return { history: search.history, ...(await stored(filename)) }
}
