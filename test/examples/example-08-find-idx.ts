/** pypet's example 8: runs are found by a predicate of their parameters. */
import { cartesianProduct, Environment, loadTrajectory, type Run } from '../../src/index.ts'

function multiply(traj: Run<{ x: number; y: number }>) {
  traj.addResult('z', traj.par.x * traj.par.y)
}

export default async function example(folder: string) {
  const filename = `${folder}/example_08.h5`
  await using env = new Environment({ trajectory: 'Example08', filename, parameters: { x: 1, y: 1 } })
  env.trajectory.explore(cartesianProduct({ x: [1, 2, 3, 4], y: [6, 7, 8] }))
  await env.run(multiply)

  using traj = await loadTrajectory<{ x: number; y: number }>(filename, { results: 'data' })
  const found = []
  for (const idx of traj.findIdx(['x', 'y'], (x, y) => x === 2 || y === 8)) {
    traj.idx = idx
    found.push([traj.crun, traj.par.x, traj.par.y, traj.value('crun.z')])
  }
  traj.restoreDefault()
  return { found }
}
