/** pypet's example 20: no environment; a script performs the runs by hand, and each is stored as completed. */
import { arange, cartesianProduct, loadTrajectory, Trajectory } from '../../src/index.ts'
import { GENERATIONS, OneMax } from './one-max.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_20.h5`
  const traj = new Trajectory({ name: 'onemax', filename, parameters: { generation: 0, ind_idx: 0 } })
  const search = new OneMax()
  let start = 0
  for (let generation = 0; generation < GENERATIONS; generation += 1) {
    const { unknown } = search
    traj.expand(cartesianProduct({ generation: [generation], ind_idx: arange(0, unknown.length) }))
    const found: number[] = []
    for (const run of traj.iterRuns(start)) {
      const individual = unknown[run - start] ?? []
      const fitness = individual.reduce((sum, bit) => sum + bit, 0)
      traj.addResult('$set.$.individual', individual)
      traj.addResult('$set.$.fitness', fitness)
      traj.finishRun()
      found.push(fitness)
    }
    await traj.store()
    start += unknown.length
    search.learn(found)
    if (generation < GENERATIONS - 1) search.breed()
  }
  traj.close()

  using again = await loadTrajectory(filename)
  return {
    history: search.history,
    runs: again.length,
    fitness: Object.values(again.getFromRuns('fitness')),
    completed: again.isCompleted(),
  }
}
