/** pypet's example 3: two trajectories of one file, merged; points that both have explored are there once. */
import {
  cartesianProduct,
  Environment,
  loadTrajectory,
  mergeFiles,
  parameter,
  type Run,
} from '../../src/index.ts'

function multiply(traj: Run<{ x: number; y: number }>) {
  traj.addResult('z', traj.par.x * traj.par.y, { comment: 'I am the product of two reals!' })
}

export default async function example(folder: string) {
  const filename = `${folder}/example_03.h5`
  const parameters = {
    x: parameter(1, { comment: 'I am the first dimension!' }),
    y: parameter(1, { comment: 'I am the second dimension!' }),
  }
  await using env1 = new Environment({ trajectory: 'Traj1', addTime: true, filename, parameters })
  await using env2 = new Environment({ trajectory: 'Traj2', addTime: true, filename, parameters })
  env1.trajectory.explore(cartesianProduct({ x: [1, 2, 3, 4], y: [6, 7, 8] }))
  env2.trajectory.explore(cartesianProduct({ x: [3, 4, 5, 6], y: [7, 8, 9] }))
  await env1.run(multiply)
  await env2.run(multiply)

  const merged = `${folder}/merged.h5`
  await mergeFiles(
    [
      { file: filename, name: env1.trajectory.name },
      { file: filename, name: env2.trajectory.name },
    ],
    { file: merged },
    { removeDuplicates: true },
  )
  using traj = await loadTrajectory(merged)
  const points = []
  for (const _ of traj.iterRuns()) points.push([traj.value('x'), traj.value('y'), traj.value('crun.z')])
  return { points }
}
