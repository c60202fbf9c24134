/** `expand` where nothing is explored, and what is given to the runs that it adds. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Environment, loadTrajectory, type Run, run as runJob, Trajectory, verify } from '../../dist/index.js'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1, y: 2 },
  run(traj) { traj.addResult('z', traj.par.x * traj.par.y + traj.random.uniform()) },
})`

const sum = (traj: Run, ...args: number[]) => {
  const { x } = traj.par as { x: number }
  traj.addResult('z', x)
  return [x, ...args]
}

function environmentIn(folder: string): Environment {
  return new Environment({
    trajectory: 'demo',
    filename: join(folder, 'demo.h5'),
    logFolder: join(folder, 'logs'),
    parameters: { x: 1, y: 2 },
  })
}

test('expand begins an exploration where none is: as explore does, before anything has run', async () => {
  const traj = new Trajectory({
    name: 'demo',
    filename: join(fileTree({}), 'demo.h5'),
    parameters: { x: 1, y: 2 },
  })
  traj.expand({ x: [5, 6] })
  expect([traj.length, traj.getParameter('x').getRange()]).toEqual([2, [5, 6]])
  expect(() => traj.expand({ y: [1] })).toThrow('x is missing')
  traj.shrink()
  await traj.store()
  // @ts-expect-error A text is no number.
  expect(() => traj.expand({ x: ['no'] })).toThrow('is a str')
  traj.expand({ x: [7, 8, 9] })
  await traj.store()
  traj.close()
  using again = await loadTrajectory(traj.filename)
  expect([again.length, again.getParameter('x').getRange()]).toEqual([3, [7, 8, 9]])
  expect(again.runInformation(0).parameterSummary).toBe('x: 7.0')
})

test('a run that has been performed is the first point, with its defaults, and is not performed again', async () => {
  const folder = fileTree({})
  await using env = environmentIn(folder)
  expect(await env.run(sum)).toEqual([[0, [1]]])
  const { trajectory: traj } = env
  const before = traj.runInformation(0)
  expect(() => traj.explore({ x: [5] })).toThrow('is already stored')
  // Whether the file is open or not.
  traj.close()
  traj.expand({ x: [5, 6] })
  expect(await env.run(sum)).toEqual([
    [1, [5]],
    [2, [6]],
  ])
  expect(traj.getParameter('x').getRange()).toEqual([1, 5, 6])
  expect(traj.runInformation(0)).toEqual({ ...before, parameterSummary: 'x: 1.0' })
  expect(Object.values(traj.getFromRuns('z'))).toEqual([1, 5, 6])
})

test('a trajectory that somebody else has run meanwhile is not begun anew', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const file = join(folder, 'demo.h5')
  const traj = new Trajectory({ name: 'demo', filename: file, parameters: { x: 1, y: 2 } })
  await traj.store()
  traj.expand({ x: [5, 6] })
  traj.close()
  const other = await loadTrajectory(file)
  await using env = new Environment({ trajectory: other, filename: file, logFolder: join(folder, 'logs') })
  await env.run(sum)
  await env[Symbol.asyncDispose]()
  await expect(traj.store()).rejects.toMatchObject({ code: 'PYPET_TRAJECTORY_CHANGED' })
  using now = await loadTrajectory(file)
  expect([now.length, now.isCompleted(0)]).toEqual([1, true])
})

test('the command adds points behind a single run, knows it among them, and refuses to count repeats that it had not', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const file = join(folder, 'demo.h5')
  await runJob(join(folder, 'job.mjs'), { options: { filename: file, logFolder: join(folder, 'logs') } })
  const repeated = await pypet(folder, ['expand', 'demo.h5', '--explore', 'x=1,2', '--repeat', '2'])
  expect([repeated.exitCode, repeated.stderr]).toEqual([2, expect.stringContaining('has no parameter trial')])
  const { exitCode, stdout } = await pypet(folder, ['expand', 'demo.h5', '--explore', 'x=1,2,3'])
  expect([exitCode, stdout]).toEqual([
    0,
    expect.stringContaining('2 points added, 1 existed already; 2 runs to compute\n'),
  ])
  using traj = await loadTrajectory(file)
  expect(traj.getParameter('x').getRange()).toEqual([1, 2, 3])
  expect(await verify(file, { runs: 'all' })).toMatchObject({ identicalCount: 3 })
})

test('where a script has stored a trajectory and run nothing, the command explores it, repeats and all', async () => {
  const folder = fileTree({})
  const file = join(folder, 'demo.h5')
  const traj = new Trajectory({ name: 'demo', filename: file, parameters: { x: 1, y: 2 } })
  await traj.store()
  traj.close()
  writeFileSync(join(folder, 'job.mjs'), JOB)
  const words = ['expand', 'demo.h5', '--job', 'job.mjs', '--explore', 'x=4,5', '--repeat', '2']
  expect((await pypet(folder, words)).exitCode).toBe(0)
  using now = await loadTrajectory(file)
  expect(now.getParameter('x').getRange()).toEqual([4, 4, 5, 5])
  expect(now.getParameter('trial').getRange()).toEqual([0, 1, 0, 1])
  expect(now.isCompleted()).toBe(true)
})

test('runMap after expand gives its values to the new runs', async () => {
  await using env = environmentIn(fileTree({}))
  env.trajectory.explore({ x: [1, 2] })
  expect(await env.runMap(sum, [10, 20])).toEqual([
    [0, [1, 10]],
    [1, [2, 20]],
  ])
  env.trajectory.expand({ x: [3, 4] })
  // Lists for all runs would give the new ones the values of the old.
  await expect(env.runMap(sum, [10, 20, 30, 40])).rejects.toMatchObject({
    code: 'PYPET_EXPLORATION_LENGTH',
    message: '2 runs to do, but iterable 0 of runMap has 4 values',
  })
  await expect(env.runMap(sum, [30])).rejects.toMatchObject({
    message: '2 runs to do, but iterable 0 of runMap has 1 value',
  })
  expect(await env.runMap(sum, [30, 40], new Set([3, 4, 5]))).toEqual([
    [2, [3, 30, 3]],
    [3, [4, 40, 4]],
  ])
})
