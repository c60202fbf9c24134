/** pypet's example 1: two parameters, a cartesian product, a job, and a look at what is stored. */
import { cartesianProduct, Environment, loadTrajectory, parameter, type Run } from '../../src/index.ts'

function multiply(traj: Run<{ x: number; y: number }>) {
  traj.addResult('z', traj.par.x * traj.par.y, { comment: 'Result of our simulation!' })
}

export default async function example(folder: string) {
  const filename = `${folder}/example_01.h5`
  await using env = new Environment({
    trajectory: 'Multiplication',
    filename,
    fileTitle: 'Example_01_First_Steps',
    comment: 'The first example!',
    parameters: {
      x: parameter(1, { comment: 'I am the first dimension!' }),
      y: parameter(1, { comment: 'I am the second dimension!' }),
    },
  })
  env.trajectory.explore(cartesianProduct({ x: [1, 2, 3, 4], y: [6, 7, 8] }))
  await env.run(multiply)

  using traj = await loadTrajectory(filename, { index: -1, parameters: 'data', results: 'data' })
  return { z: Object.values(traj.getFromRuns('z')), run_1: traj.value('run_00000001.z') }
}
