/** pypet's example 4: the same job on several cores, with a queue to the one process that writes. */
import { cartesianProduct, Environment, loadTrajectory } from '../../src/index.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_04.h5`
  await using env = new Environment({
    trajectory: 'Example_04_MP',
    filename,
    logStdout: true,
    comment: 'Multiprocessing example!',
    ncores: 2,
    wrapMode: 'queue',
    parameters: { x: 1, y: 1 },
  })
  const range = Array.from({ length: 20 }, (_, index) => index)
  env.trajectory.explore(cartesianProduct({ x: range, y: range }))
  await env.run(new URL('./multiply.ts', import.meta.url))

  using traj = await loadTrajectory(filename)
  const zs = Object.values(traj.getFromRuns<number>('z'))
  return { count: zs.length, sum: zs.reduce((sum, z) => sum + z), last: zs.at(-1) }
}
