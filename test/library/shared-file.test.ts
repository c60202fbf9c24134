/** Several trajectories and environments of one process have one file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Environment, loadTrajectory, type Run, Trajectory } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-shared-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PARAMETERS = { x: 1 }
type Tree = typeof PARAMETERS

function double(run: Run<Tree>): number {
  run.addResult('z', run.par.x * 2)
  return run.par.x * 2
}

function environment(filename: string, trajectory: string, more: object = {}): Environment<Tree> {
  const env = new Environment({
    trajectory,
    filename: join(folder, filename),
    parameters: PARAMETERS,
    logging: false,
    provenance: false,
    ...more,
  })
  env.trajectory.explore({ x: [1, 2] })
  return env
}

async function stored(filename: string, name: string): Promise<Trajectory<Tree>> {
  const traj = new Trajectory({
    name,
    filename: join(folder, filename),
    parameters: PARAMETERS,
    autoLoad: true,
  })
  traj.addResult('r', 7)
  return await traj.store()
}

test('the time is added to the name of a new trajectory once, and a given trajectory keeps its name', async () => {
  await using env = environment('time.h5', 'T', { addTime: true })
  expect(await env.run(double)).toEqual([
    [0, 2],
    [1, 4],
  ])
  expect(env.trajectory.name).toMatch(/^T_\d{4}_\d\d_\d\d_\d\dh\d\dm\d\ds$/)
  await using again = new Environment({ trajectory: env.trajectory, addTime: true, logging: false })
  again.trajectory.expand({ x: [3] })
  expect(await again.run(double)).toEqual([[2, 6]])
  expect(again.trajectory.value('r_2.z')).toBe(6)
})

test('two environments on one file run one after the other, and both trajectories stay readable', async () => {
  await using a = environment('two.h5', 'T1')
  await using b = environment('two.h5', 'T2')
  expect(await a.run(double)).toHaveLength(2)
  const loaded = await loadTrajectory(join(folder, 'two.h5'))
  expect(await b.run(double)).toHaveLength(2)
  expect([a, b].map(({ trajectory }) => trajectory.value('r_1.z'))).toEqual([4, 4])
  a.trajectory.expand({ x: [3] })
  expect(await a.run(double)).toEqual([[2, 6]])
  expect(b.trajectory.value('r_1.z')).toBe(4)
  // It was loaded before the third run.
  expect([loaded.name, loaded.length, loaded.value('r_2.z')]).toEqual(['T1', 3, 6])
  loaded.close()
})

test('an open trajectory is in nobody’s way, and sees what others store in the file', async () => {
  const first = await stored('open.h5', 'A')
  const loaded = await loadTrajectory(join(folder, 'open.h5'))
  expect(loaded.value('r')).toBe(7)
  const second = await stored('open.h5', 'B')
  first.addResult('later', 8)
  first.addResult('group.one', 1)
  await first.store()
  expect([first, second, loaded].map((traj) => traj.value('r'))).toEqual([7, 7, 7])
  expect(loaded.value('later')).toBe(8)
  // A group that both have made holds what both add.
  loaded.addResult('group.two', 2)
  await loaded.store()
  expect(first.value('group.two')).toBe(2)
  first.explore({ x: [1, 2] })
  await first.store()
  expect([loaded.length, loaded.getParameter('x').getRange()]).toEqual([2, [1, 2]])
  await first.deleteItem('later', { fromTrajectory: true })
  await second.compact()
  expect([first.contains('later'), first.value('r'), second.value('r')]).toEqual([false, 7, 7])
  for (const traj of [first, second, loaded]) traj.close()
})

test('points that two trajectories add to the same runs are refused for the second, and nothing is written', async () => {
  const first = await stored('points.h5', 'A')
  first.explore({ x: [1, 2] })
  await first.store()
  const second = await loadTrajectory(join(folder, 'points.h5'))
  first.expand({ x: [3] })
  second.expand({ x: [4] })
  await first.store()
  await expect(second.store()).rejects.toMatchObject({ code: 'PYPET_TRAJECTORY_CHANGED' })
  second.close()
  first.close()
  using third = await loadTrajectory(join(folder, 'points.h5'))
  expect(third.getParameter('x').getRange()).toEqual([1, 2, 3])
})

test('a name that another trajectory of the process has stored meanwhile is told as such', async () => {
  using first = await stored('names.h5', 'A')
  using second = await loadTrajectory(join(folder, 'names.h5'))
  first.addResult('new', 1)
  second.addResult('new', 2)
  await first.store()
  await expect(second.store()).rejects.toMatchObject({
    code: 'PYPET_TRAJECTORY_CHANGED',
    message: expect.stringContaining('results.new'),
  })
  expect(first.value('new')).toBe(1)
})

test('a trajectory that an overwritten file does not hold any more says so', async () => {
  const first = await stored('replaced.h5', 'A')
  first.getResult('r').empty()
  await using env = environment('replaced.h5', 'B', { overwrite: true })
  expect(await env.run(double)).toHaveLength(2)
  expect(() => first.value('r')).toThrow(expect.objectContaining({ code: 'PYPET_TRAJECTORY_NOT_FOUND' }))
})
