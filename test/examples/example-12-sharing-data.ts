/** pypet's example 12: the threads write into one shared array, which is stored in the end. */
import { cartesianProduct, Environment, loadTrajectory } from '../../src/index.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_12.h5`
  await using env = new Environment({
    trajectory: 'Multiplication',
    filename,
    ncores: 2,
    parameters: { x: 1, y: 1 },
  })
  const { trajectory } = env
  trajectory.explore(cartesianProduct({ x: [1, 2, 3, 4], y: [6, 7, 8] }))
  const shared = new Int32Array(new SharedArrayBuffer(4 * trajectory.length))
  await env.run(new URL('./into-shared.ts', import.meta.url), shared)
  trajectory.addResult('z', Int32Array.from(shared))
  await trajectory.store()

  using traj = await loadTrajectory(filename)
  return { z: [...(traj.value('results.z') as Int32Array)] }
}
