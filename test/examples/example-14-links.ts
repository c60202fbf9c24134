/** pypet's example 14: links lead to parameters, in the script and in the job. */
import { Environment, loadTrajectory, type Run } from '../../src/index.ts'

function multiply(traj: Run) {
  const z = traj.value<number>('mylink1') * traj.value<number>('mylink2')
  traj.addResult('runs.$.z', z, { comment: 'Result of our simulation!' })
}

export default async function example(folder: string) {
  const filename = `${folder}/example_14.h5`
  await using env = new Environment({ trajectory: 'Multiplication', filename, parameters: { x: 1, y: 2 } })
  const { trajectory } = env
  trajectory.explore({ x: [3, 4] })
  trajectory.addLink('mylink1', 'parameters.x')
  trajectory.addLink('parameters.mynewgroup.mylink2', 'parameters.y')
  await env.run(multiply)

  using traj = await loadTrajectory(filename)
  return { z: Object.values(traj.getFromRuns('z')) }
}
