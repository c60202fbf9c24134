/** What jobs see of what a file holds outside of runs: those of `verify`, of `expand`, and of a script's next `run`. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { storedNodes } from '../../src/environment/stored-nodes.ts'
import { Environment } from '../../src/library/environment.ts'
import { prepareExpansion } from '../../src/library/expand.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { performPrepared } from '../../src/library/run.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { verify } from '../../src/library/verify.ts'
import type { Run } from '../../src/tree/run.ts'
import { fileTree } from '../experiment/file-tree.ts'

const QUIET = { ncores: 1, logging: false, provenance: false } as const

test('a leaf that is too large is left out with its value, and those after it are not', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const traj = new Trajectory({ name: 'demo', filename, parameters: { x: 1 } })
  traj.addDerivedParameter('big', new Float64Array(1000))
  traj.addDerivedParameter('small', 2)
  traj.addResult('z', 3)
  await traj.store()
  traj.close()
  const { leaves } = await storedNodes(filename, 'demo', { bytesMax: 1000 })
  const counts = Object.fromEntries(leaves.map(({ location, items }) => [location, items.length]))
  expect(counts).toMatchObject({
    'derived_parameters.big': 0,
    'derived_parameters.small': 1,
    'results.z': 1,
  })
})

test('what post-processing has added is not found in the place of what a run adds, by verify and expand', async () => {
  const folder = fileTree({
    'job.mjs': `
export default function run(traj) {
  const { x } = traj.par
  traj.addResult('mean', x)
  traj.addResult('twice', 2 * traj.value('mean') + traj.value('offset'))
}`,
  })
  const filename = join(folder, 'f.h5')
  const job = join(folder, 'job.mjs')
  const env = new Environment({ trajectory: 't', filename, ...QUIET, parameters: { x: 0 } })
  env.trajectory.addDerivedParameter('offset', 0.5)
  env.trajectory.explore({ x: [1, 2] })
  env.addPostprocessing((traj) => {
    traj.addResult('mean', 100)
  })
  await env.run(job)
  await env[Symbol.asyncDispose]()

  expect(await verify(filename, { runs: 'all', job })).toMatchObject({ identicalCount: 2 })
  const { experiment } = await prepareExpansion({ file: filename, explore: ['x=3'], job, flags: QUIET })
  await performPrepared(experiment, {})
  await experiment[Symbol.asyncDispose]()
  {
    using traj = await loadTrajectory(filename)
    expect(traj.getFromRuns('twice')).toEqual({ run_00000000: 2.5, run_00000001: 4.5, run_00000002: 6.5 })
    expect(traj.value('results.mean')).toBe(100)
  }
  expect(await verify(filename, { runs: 'all', job })).toMatchObject({ identicalCount: 3 })
})

test('a script shows its next runs what it has added, and each run is verified with what it has seen', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const job = (traj: Run) => {
    traj.addResult('found', traj.getDefault('extra', 0))
  }
  const first = new Environment({ trajectory: 't', filename, ...QUIET, parameters: { x: 0 } })
  first.trajectory.explore({ x: [1, 2] })
  await first.run(job)
  first.trajectory.addDerivedParameter('extra', 7)
  first.trajectory.expand({ x: [3] })
  await first.run(job)
  await first[Symbol.asyncDispose]()
  {
    using traj = await loadTrajectory(filename)
    expect(traj.getFromRuns('found')).toEqual({ run_00000000: 0, run_00000001: 0, run_00000002: 7 })
  }
  expect(await verify(filename, { runs: 'all', job })).toMatchObject({ identicalCount: 3 })
})

test('noClobber, shortcuts and maxDepth of the script hold where its runs are performed again', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const job = (traj: Run) => {
    traj.addResult('z', 1)
    traj.addResult('z', 2)
    traj.addResult('found', [traj.contains('tau'), traj.contains('parameters.neuron.tau')])
  }
  const trajectory = new Trajectory({ name: 't', filename, noClobber: true, shortcuts: false, maxDepth: 3 })
  trajectory.addParameter('neuron.tau', 1)
  const env = new Environment({ trajectory, ...QUIET })
  await env.run(job)
  await env[Symbol.asyncDispose]()
  {
    using traj = await loadTrajectory(filename)
    expect(traj.getFromRuns('found')).toEqual({ run_00000000: [false, true] })
    const [, environment] =
      /environment\.(environment_[^.]+)\.no_clobber/.exec(traj.get('no_clobber').fullName) ?? []
    const group = traj.getGroup(`config.environment.${environment}`)
    expect(['no_clobber', 'shortcuts', 'max_depth'].map((name) => group.value(name))).toEqual([
      true,
      false,
      3,
    ])
  }
  expect(await verify(filename, { job })).toMatchObject({ identicalCount: 1 })
})
