/** pypet's example 10: one result of all runs at once, as for a plot. */
import { cartesianProduct, Environment, loadTrajectory, type Run } from '../../src/index.ts'

function multiply(traj: Run<{ x: number; y: number }>) {
  traj.addResult('z', traj.par.x * traj.par.y)
}

export default async function example(folder: string) {
  const filename = `${folder}/example_10.h5`
  const range = Array.from({ length: 12 }, (_, index) => index)
  await using env = new Environment({ trajectory: 'Example10', filename, parameters: { x: 1, y: 1 } })
  env.trajectory.explore(cartesianProduct({ x: range, y: range }))
  await env.run(multiply)

  using traj = await loadTrajectory(filename, { results: 'data' })
  const zs = Object.values(traj.getFromRuns<number>('z'))
  const rows = range.map((row) => zs.slice(12 * row, 12 * row + 12).reduce((sum, z) => sum + z))
  return { x_range: traj.getParameter('x').getRange()?.slice(0, 13), rows }
}
