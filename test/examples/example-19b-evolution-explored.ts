/** pypet's example 19b: the same evolution with less overhead: individuals are explored, and results collected in one list. */
import { Environment } from '../../src/index.ts'
import { addParameters, evaluate, population, stored } from './individuals.ts'
import { GENERATIONS, OneMax } from './one-max.ts'

export default async function example(folder: string) {
  const filename = `${folder}/deap_b.h5`
  await using env = new Environment({ trajectory: 'deap', filename })
  const { trajectory } = env
  addParameters(trajectory)
  const search = new OneMax()
  const fitnesses: number[] = []
  for (let generation = 0; generation < GENERATIONS; generation += 1) {
    trajectory.expand(population(search, generation))
    const found = (await env.run(evaluate)).map(([, fitness]) => fitness as number)
    search.learn(found)
    fitnesses.push(...found)
    if (generation < GENERATIONS - 1) search.breed()
  }
  trajectory.addResult('fitnesses', fitnesses, { comment: 'Fitnesses of all individuals' })
  await trajectory.store()
  return { history: search.history, ...(await stored(filename)) }
}
