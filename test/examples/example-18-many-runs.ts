/** pypet's example 18: many runs, in buckets, found by wildcards and by shortcuts. */
import { arange, cartesianProduct, Environment, loadTrajectory } from '../../src/index.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_18.h5`
  await using env = new Environment({
    trajectory: 'Multiplication',
    filename,
    ncores: 2,
    parameters: { x: 1, y: 1 },
  })
  env.trajectory.explore(cartesianProduct({ x: arange(0, 45), y: arange(0, 25) }))
  await env.run(new URL('./multiply-in-sets.ts', import.meta.url))

  using traj = await loadTrajectory(filename, { results: 'nothing', autoLoad: true })
  traj.idx = 1042
  const by_wildcard = traj.value('results.crunset.crun.z')
  const full_name = traj.get('results.crunset.crun.z').fullName
  traj.idx = -1
  return { by_wildcard, by_shortcut: traj.value('results.rts_1044.r_1044.z'), full_name }
}
