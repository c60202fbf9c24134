/** What belongs to one pipeline, and what a script sees when post-processing has failed. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Environment, type Run } from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'

const job = (traj: Run) => {
  const { x } = traj.par as { x: number }
  traj.addResult('z', x)
  return x
}

function environmentIn(folder: string): Environment {
  return new Environment({
    trajectory: 'piped',
    filename: join(folder, 'file.h5'),
    logFolder: join(folder, 'logs'),
    parameters: { x: 0 },
  })
}

test('the post-processing of a pipeline is called for its own runs only, also where the first is refused', async () => {
  await using env = environmentIn(fileTree({}))
  const calls: string[] = []
  const pipeline = (name: string, given: unknown, xs: readonly number[]) =>
    env.pipeline((traj) => {
      if (traj.length <= 1) traj.explore({ x: [...xs] })
      else traj.expand({ x: [...xs] })
      return {
        job: given as typeof job,
        args: [],
        postprocess: () => void calls.push(name),
        postprocessArgs: [],
      }
    })
  await expect(pipeline('refused', join(fileTree({}), 'nope.mjs'), [1, 2])).rejects.toMatchObject({
    code: 'PYPET_JOB_NOT_FOUND',
  })
  await pipeline('first', job, [3, 4])
  await pipeline('second', job, [5])
  expect(calls).toEqual(['first', 'second'])
})

test('when post-processing fails, the runs are seen all the same, and continueRun calls it again', async () => {
  const folder = fileTree({})
  await using env = environmentIn(folder)
  env.trajectory.explore({ x: [1, 2] })
  let isMended = false
  env.addPostprocessing(() => {
    if (!isMended) throw new Error('no luck')
  })
  await expect(env.run(job)).rejects.toMatchObject({ code: 'PYPET_POSTPROCESSING_FAILED' })
  expect(Object.values(env.trajectory.getFromRuns('z'))).toEqual([1, 2])
  isMended = true
  expect(await env.continueRun(join(folder, 'piped.cnt'), { job })).toEqual([
    [0, 1],
    [1, 2],
  ])
})
