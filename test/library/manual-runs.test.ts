/** Runs that a script performs by hand, as in pypet's example 20. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Environment, loadTrajectory, Trajectory } from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'

test('runs that a script performs count as completed, with their times, when they are stored', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const beforeMs = Date.now()
  const traj = new Trajectory({
    name: 'onemax',
    filename,
    parameters: { generation: 0, individual: 0, size: 4 },
  })
  await traj.store({ onlyInit: true })
  let first = 0
  for (const generation of [0, 1]) {
    traj.expand({ generation: [generation, generation], individual: [0, 1] })
    for (const run of traj.iterRuns(first)) {
      traj.addResult('$set.$.fitness', 10 * generation + run)
      traj.finishRun()
      expect(traj.isCompleted(run)).toBe(true)
    }
    first = traj.length
    await traj.store()
  }
  // Begun, and not finished.
  traj.expand({ generation: [2, 2], individual: [0, 1] })
  traj.startRun(4)
  traj.addResult('$set.$.fitness', 24)
  await traj.store()
  traj.startRun(5)
  traj.finishRun()
  traj.close()
  using stored = await loadTrajectory(filename)
  expect(stored.length).toBe(6)
  expect(stored.runNames.map((run) => stored.isCompleted(run))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ])
  expect(Object.values(stored.getFromRuns('results.$set.$.fitness'))).toEqual([0, 1, 12, 13, 24])
  for (const run of [0, 3]) {
    const { startTimestamp, finishTimestamp, runtime, parameterSummary } = stored.runInformation(run)
    expect(startTimestamp).toBeGreaterThanOrEqual(beforeMs / 1000 - 0.001)
    expect(finishTimestamp).toBeGreaterThanOrEqual(startTimestamp)
    expect(runtime).toBeCloseTo(finishTimestamp - startTimestamp, 6)
    expect(parameterSummary).toBe(`generation: ${run < 2 ? '0.0' : '1.0'},   individual: ${run % 2}.0`)
  }
})

test('an experiment performs only what the script has not, and its runs keep their times', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const traj = new Trajectory({ name: 'half', filename, parameters: { x: 0 } })
  traj.explore({ x: [1, 2, 3] })
  traj.startRun(1)
  traj.addResult('z', 20)
  traj.finishRun()
  await traj.store()
  const { finishTimestamp } = traj.runInformation(1)
  traj.close()
  await using env = new Environment({
    trajectory: await loadTrajectory(filename),
    logging: false,
    provenance: false,
  })
  await env.run((run) => {
    run.addResult('z', (run.par as { x: number }).x)
  })
  const { trajectory } = env
  expect(Object.values(trajectory.getFromRuns('z'))).toEqual([1, 20, 3])
  trajectory.startRun(0)
  trajectory.finishRun()
  const performed = trajectory.runInformation(0).startTimestamp
  await trajectory.store()
  expect(trajectory.runInformation(0).startTimestamp).toBe(performed)
  expect(trajectory.runInformation(1).finishTimestamp).toBe(finishTimestamp)
})
