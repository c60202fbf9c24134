import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  cartesianProduct,
  concat,
  Environment,
  integer,
  latinHypercube,
  onlyIf,
  repeat,
  sobol,
  Trajectory,
  where,
} from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'

function trajectoryOf(): Trajectory {
  const traj = new Trajectory({
    name: 'shaped',
    filename: 'nowhere.h5',
    parameters: { x: 1, mode: 'fast', neuron: { tau: 20 } },
  })
  traj.addParameter('n', integer(1))
  traj.addParameter('trial', integer(0))
  return traj
}

test('a script explores by samplers, conditions and repeats, with the types and defaults of its trajectory', () => {
  const traj = trajectoryOf()
  const product = cartesianProduct({ mode: ['fast', 'slow'], 'neuron.tau': [1, 2], n: [5] })
  traj.explore(repeat(onlyIf(product, { 'neuron.tau': ({ mode }) => mode === 'slow' }), 2))
  expect(traj.length).toBe(6)
  expect(traj.getParameter('neuron.tau').getRange()).toEqual([20, 20, 1, 1, 2, 2])
  expect(traj.getParameter('trial').getRange()).toEqual([0, 1, 0, 1, 0, 1])
})

test('whole numbers are drawn for integers, and more points of a sequence are added by expand', () => {
  const traj = trajectoryOf()
  traj.explore(sobol({ x: [0, 1], n: [1, 4] }, { count: 3 }))
  traj.expand(where(sobol({ x: [0, 1], n: [1, 4] }, { count: 8 }), ({ x }) => x > 0 && x < 0.25))
  expect(traj.getParameter('x').getRange()).toEqual([0, 0.5, 0.75, 0.125])
  expect(traj.getParameter('n').getRange()).toEqual([1, 3, 2, 3])
  const other = trajectoryOf()
  other.explore(concat(latinHypercube({ n: [1, 3] }, { count: 3 }), cartesianProduct({ n: [9] })))
  expect([...(other.getParameter('n').getRange() as number[])].sort()).toEqual([1, 2, 3, 9])
})

test('what counts repeats must be declared in a script, and a wrong sampler changes nothing', () => {
  const traj = new Trajectory({ name: 'bare', filename: 'nowhere.h5', parameters: { x: 1, mode: 'a' } })
  expect(() => traj.explore(repeat(cartesianProduct({ x: [1] }), 2))).toThrow(/trial/)
  // @ts-expect-error `mode` is a text.
  expect(() => traj.explore(sobol({ mode: [0, 1] }, { count: 2 }))).toThrow(/bounds need a number/)
  expect(traj.length).toBe(1)
})

test('the option repeat counts in an Environment, of what its trajectory explores or of the defaults', async () => {
  const folder = fileTree({})
  const options = { logFolder: join(folder, 'logs'), repeat: 2 }
  await using env = new Environment({ trajectory: 'explored', filename: join(folder, 'a.h5'), ...options })
  env.trajectory.addParameter('x', 1)
  env.trajectory.explore({ x: [1, 2] })
  await env.run((traj) => traj.addResult('z', 1))
  expect(env.trajectory.getParameter('x').getRange()).toEqual([1, 1, 2, 2])
  expect(env.trajectory.getParameter('trial').getRange()).toEqual([0, 1, 0, 1])
  await using other = new Environment({ trajectory: 'bare', filename: join(folder, 'b.h5'), ...options })
  other.trajectory.addParameter('x', 1)
  await other.run((traj) => traj.addResult('z', 1))
  expect(other.trajectory.getParameter('trial').getRange()).toEqual([0, 1])
})
