/** Arguments that no file keeps: functions, for runs in the main thread, and memory that threads share. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Environment } from '../../src/library/environment.ts'
import { continueRun, run } from '../../src/library/run.ts'
import { verify } from '../../src/library/verify.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** Adds its x to a counter that is shared, and fails at the third point until a file is there. */
const JOB = `import { existsSync } from 'node:fs'
import { cartesianProduct, defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'shared',
  parameters: { x: 0 },
  explore: cartesianProduct({ x: [1, 2, 3, 4] }),
  run(traj, { counter }: { counter: Int32Array }, mended: string) {
    if (traj.par.x === 3 && !existsSync(mended)) throw new Error('not yet')
    Atomics.add(counter, 0, traj.par.x)
    traj.addResult('z', traj.par.x)
  },
})
`

test('threads share the memory that a script gives them, and the script alone can continue', async () => {
  const folder = fileTree({ 'job.ts': JOB })
  const [job, filename, mended] = ['job.ts', 'f.h5', 'mended'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const options = { filename, ncores: 2, logging: false }
  const counter = new Int32Array(new SharedArrayBuffer(4))
  const begun = await run(job, { options, args: [{ counter }, mended] })
  expect([begun.storedCount, begun.failedCount, counter[0]]).toEqual([3, 1, 7])

  const refused = await pypet(folder, ['continue', 'f.h5', '--retry-failed'])
  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('arguments[0].counter is a SharedArrayBuffer, and only the script ')
  expect(refused.stderr).toContain(
    'Continue it from its script: await env.continueRun("shared.cnt", { args: […] }).',
  )
  const planned = await pypet(folder, ['continue', 'f.h5', '--retry-failed', '--dry-run'])
  expect(planned.stdout).toContain('can continue it: arguments[0].counter is a SharedArrayBuffer')
  await expect(verify(filename, { job })).rejects.toMatchObject({ code: 'PYPET_USAGE' })

  writeFileSync(mended, '')
  const call = { retryFailed: true, args: [{ counter }, mended] }
  const isolated = continueRun(filename, { ...call, options: { isolate: true, logging: false } })
  await expect(isolated).rejects.toMatchObject({
    code: 'PYPET_VALUE_UNSUPPORTED',
    message: expect.stringContaining(
      'cannot be sent to processes: arguments[0].counter is a SharedArrayBuffer',
    ),
  })
  const continued = await continueRun(filename, call)
  expect([continued.storedCount, counter[0], existsSync(join(folder, 'shared.cnt'))]).toEqual([4, 10, false])
})

test('a job in the main thread gets the very functions and objects of its script', async () => {
  const folder = fileTree({})
  const [filename, cnt] = ['f.h5', 'listed.cnt'].map((name) => join(folder, name)) as [string, string]
  const list: number[] = []
  let isMended = false
  const job = (
    traj: { readonly par: { readonly x?: unknown } },
    keep: (x: number) => void,
    own: () => number,
  ) => {
    if (traj.par.x === 2 && !isMended) throw new Error('not yet')
    keep(Number(traj.par.x))
    return own()
  }
  const keep = (x: number) => void list.push(x)
  await using env = new Environment({ trajectory: 'listed', filename, parameters: { x: 0 }, logging: false })
  env.trajectory.explore({ x: [1, 2, 3] })
  const results = await env.runMap(
    job,
    [keep, keep, keep],
    [1, 2, 3].map((n) => () => 10 * n),
  )
  expect([results, list]).toEqual([
    [
      [0, 10],
      [2, 30],
    ],
    [1, 3],
  ])
  await expect(env.continueRun(cnt, { job, retryFailed: true })).rejects.toMatchObject({
    code: 'PYPET_USAGE',
    hint: 'Continue it from its script: await env.continueRun("listed.cnt", { job: theFunction, args: […] }).',
  })
  isMended = true
  const iterables = [[keep, keep, keep], [1, 2, 3].map((n) => () => 100 * n)]
  expect(await env.continueRun(cnt, { job, retryFailed: true, iterables })).toEqual([
    [0, 10],
    [1, 200],
    [2, 30],
  ])
  expect(list).toEqual([1, 3, 2])
})

test('iterables of runMap after an expansion are given again as they were: for its runs, and not for those before', async () => {
  const folder = fileTree({})
  const [filename, cnt] = ['f.h5', 'grown.cnt'].map((name) => join(folder, name)) as [string, string]
  let isMended = false
  const job = (traj: { readonly par: { readonly x?: unknown } }, own: () => number) => {
    if (traj.par.x === 4 && !isMended) throw new Error('not yet')
    return own()
  }
  const ten = (n: number) => () => 10 * n
  await using env = new Environment({ trajectory: 'grown', filename, parameters: { x: 0 }, logging: false })
  env.trajectory.explore({ x: [1, 2] })
  await env.runMap(job, [1, 2].map(ten))
  env.trajectory.expand({ x: [3, 4] })
  expect(await env.runMap(job, [3, 4].map(ten))).toEqual([[2, 30]])
  isMended = true
  const call = { job, retryFailed: true }
  await expect(env.continueRun(cnt, { ...call, iterables: [[ten(3)]] })).rejects.toMatchObject({
    code: 'PYPET_EXPLORATION_LENGTH',
    message: 'runMap was for 2 runs, but iterable 0 has 1 value',
    hint: 'Give the same iterables as to runMap, including the values of stored runs.',
  })
  const generated = (function* () {
    yield ten(3)
    yield ten(4)
  })()
  expect(await env.continueRun(cnt, { ...call, iterables: [generated] })).toEqual([
    [2, 30],
    [3, 40],
  ])
})

test.each([
  [{ ncores: 2 }, 'cannot be sent to threads: arguments[1].of[0] is a function, and '],
  [{ isolate: true }, 'cannot be sent to processes: arguments[1].of[0] is a function, and '],
])(
  'workers are not given functions: %j is refused by name, and nothing is written',
  async (options, message) => {
    const folder = fileTree({ 'job.ts': JOB })
    const filename = join(folder, 'f.h5')
    const call = { options: { ...options, filename, logging: false }, args: [1, { of: [() => 1] }] }
    await expect(run(join(folder, 'job.ts'), call)).rejects.toMatchObject({
      code: 'PYPET_VALUE_UNSUPPORTED',
      message: expect.stringContaining(message),
    })
    expect(existsSync(filename)).toBe(false)
  },
)

test('arguments that are recorded are not given again', async () => {
  const folder = fileTree({ 'job.ts': JOB })
  const filename = join(folder, 'f.h5')
  const args = [{ counter: new Int32Array(1) }, join(folder, 'mended')]
  const { failedCount } = await run(join(folder, 'job.ts'), { options: { filename, logging: false }, args })
  expect(failedCount).toBe(1)
  await expect(continueRun(filename, { retryFailed: true, args })).rejects.toMatchObject({
    code: 'PYPET_USAGE',
    message: expect.stringContaining('the arguments of the job are already in'),
  })
})
