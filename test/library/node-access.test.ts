/** What a script meets at the nodes of a trajectory: words for them, names of one kind, properties that do not exist. */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import {
  continueRun,
  Environment,
  integer,
  loadTrajectory,
  MemoryStorage,
  run,
  Trajectory,
} from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-access-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const QUIET = { logging: false, provenance: false } as const

function thrown(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    const { code, message, hint } = error as { code?: string; message?: string; hint?: string }
    return { code, message, hint }
  }
  return undefined
}

test('a node as text says its name, its value and its comment', () => {
  const traj = new Trajectory({ name: 'T', comment: 'all of it', parameters: { y: 1 } })
  const x = traj.addParameter('neuron.x', integer(1), { comment: 'first factor' })
  traj.explore({ y: [1, 2] })
  const z = traj.addResult('z', { mean: 0.5, all: new Float64Array(3), name: 'a' })
  traj.addResult('w', [true, false], { annotations: { unit: 'mV' } })
  expect([x, traj.getParameter('y'), z, traj.getResult('w')].map(String)).toEqual([
    'parameters.neuron.x: 1 (first factor)',
    'parameters.y: 1, explored with 2 values',
    'results.z: mean=0.5, all=float64 3 [0, 0, 0], name="a"',
    'results.w: [true, false]',
  ])
  expect(inspect([x, traj.getGroup('results')])).toBe(
    '[\n  Parameter parameters.neuron.x: 1 (first factor),\n  Group results: z, w\n]',
  )
  expect(inspect(traj)).toBe(
    'Trajectory T: 2 runs, config, parameters, derived_parameters, results (all of it)',
  )
  expect(traj.get('w').annotations).toEqual({ unit: 'mV' })
})

test('a getter of one kind finds nodes of that kind only', () => {
  const traj = new Trajectory({ name: 'T' })
  traj.addDerivedParameter('neuron.I', 3)
  traj.addResult('neuron.I', 2)
  traj.addResult('only.result', 1)
  expect(traj.getParameter('neuron.I').fullName).toBe('derived_parameters.neuron.I')
  traj.addParameter('neuron.I', 1)
  expect([
    traj.getParameter('neuron.I').get(),
    traj.getParameter('I').get(),
    traj.getParameter('derived_parameters.neuron.I').get(),
    traj.getResult('I').get(),
    traj.getGroup('only').fullName,
  ]).toEqual([1, 1, 3, 2, 'results.only'])
  expect(thrown(() => traj.getParameter('result'))).toMatchObject({
    code: 'PYPET_NODE_NOT_FOUND',
    message: 'results.only.result is not a parameter',
  })
})

test('branches that were not loaded are there when they are asked for', async () => {
  const filename = join(folder, 'levels.h5')
  using traj = new Trajectory({ name: 'T', filename })
  traj.addResult('z', 7)
  await traj.store()
  using loaded = await loadTrajectory(filename, { results: 0, derivedParameters: 'nothing' })
  expect([loaded.value('z'), loaded.res.z]).toEqual([7, 7])
  using bare = await loadTrajectory(filename, { results: 0, autoLoad: false })
  expect(bare.contains('z')).toBe(false)
  await expect(loadTrajectory(filename, { results: 'all' as never })).rejects.toMatchObject({
    code: 'PYPET_USAGE',
  })
})

test('what does not exist cannot be set, and the nearest name is told', () => {
  const traj = new Trajectory({ name: 'T' }) as unknown as Record<string, unknown>
  const result = (traj as unknown as Trajectory).addResult('r', 1) as unknown as Record<string, unknown>
  const env = new Environment({ trajectory: 'T' }) as unknown as Record<string, unknown>
  const set = (object: Record<string, unknown>, name: string) =>
    thrown(() => {
      object[name] = 1
    })
  expect(set(traj, 'autoload')).toEqual({
    code: 'PYPET_USAGE',
    message: 'the trajectory T has no property autoload that can be set',
    hint: 'Did you mean autoLoad?',
  })
  expect(set(result, 'coment')).toMatchObject({
    message: expect.stringContaining('results.r'),
    hint: 'Did you mean comment?',
  })
  expect(set(env, 'ncores')).toMatchObject({ hint: expect.stringContaining('new Environment({ ncores') })
  // The setters that there are work all the same.
  traj.autoLoad = true
  result.comment = 'c'
})

test('options that do not exist are refused wherever a script gives some', async () => {
  const traj = new Trajectory({ name: 'T', filename: join(folder, 'options.h5') })
  const refused = (code: string, hint: RegExp) =>
    expect.objectContaining({ code, hint: expect.stringMatching(hint) })
  const unknown = (name: string) => refused('PYPET_CONFIG_UNKNOWN_KEY', new RegExp(`mean ${name}\\?`))
  const wrong: [() => unknown, unknown][] = [
    [() => new Trajectory({ overwrit: true } as never), unknown('overwrite')],
    [() => new Environment({ ncore: 4 } as never), unknown('ncores')],
    [() => traj.addResult('r', 1, { coment: 'c' } as never), unknown('comment')],
    [() => traj.addParameter('p', 1, 'a comment' as never), refused('PYPET_USAGE', /comment/)],
    [() => traj.store({ overwritte: true } as never), unknown('overwrite')],
    [() => loadTrajectory('x.h5', { result: 2 } as never), unknown('results')],
    [() => run('job.mjs', { option: {} } as never), unknown('options')],
    [() => continueRun('x.cnt', { retryFail: true } as never), unknown('retryFailed')],
  ]
  for (const [call, error] of wrong) {
    await expect((async () => await call())()).rejects.toEqual(error)
  }
})

test('options of the original document are set on the trajectory before the run', async () => {
  await using env = new Environment({
    trajectory: 'T',
    filename: join(folder, 'set.h5'),
    ncores: 2,
    ...QUIET,
  })
  const traj = env.trajectory
  traj.multiproc = false
  traj.ncores = 1
  traj.wrapMode = 'LOCK'
  traj.fileTitle = 'a title'
  expect([traj.ncores, traj.wrapMode]).toEqual([1, 'LOCK'])
  expect(
    thrown(() => {
      traj.ncores = -1
    }),
  ).toMatchObject({ code: 'PYPET_CONFIG_INVALID' })
  traj.addParameter('x', 1)
  traj.explore({ x: [1, 2] })
  expect(await env.run((one) => one.par.x * 2)).toEqual([
    [0, 2],
    [1, 4],
  ])
  expect([traj.conf.ncores, traj.conf.fileTitle, traj.conf.wrapMode]).toEqual([1, 'a title', 'LOCK'])
  expect(
    thrown(() => {
      traj.ncores = 3
    }),
  ).toMatchObject({ code: 'PYPET_USAGE' })
  expect(
    thrown(() => {
      new Trajectory({ name: 'alone' }).ncores = 3
    }),
  ).toMatchObject({ message: expect.stringContaining('has none') })
})

test('a storage service is set on the trajectory, as the original document does', async () => {
  const filename = join(folder, 'service.h5')
  await using env = new Environment({ trajectory: 'T', filename, useHdf5: false, ...QUIET })
  const mine = new MemoryStorage()
  env.trajectory.addParameter('x', 1)
  env.trajectory.explore({ x: [1, 2] })
  await expect(env.run(() => 1)).rejects.toMatchObject({
    message: expect.stringMatching(/^useHdf5 is false/),
  })
  env.trajectory.storageService = mine
  expect(await env.run((one) => one.par.x)).toHaveLength(2)
  expect(existsSync(filename)).toBe(false)
  await mine.writeHdf5(filename)
  using loaded = await loadTrajectory(filename)
  expect(loaded.length).toBe(2)
})

test('a trajectory with overwrite replaces the file when it is stored first', async () => {
  const filename = join(folder, 'over.h5')
  using old = new Trajectory({ name: 'old', filename })
  await old.store()
  using traj = new Trajectory({ name: 'T', filename, overwrite: true })
  traj.addResult('a', 1)
  await traj.store()
  traj.addResult('b', 2)
  await traj.store()
  using loaded = await loadTrajectory(filename)
  expect([loaded.name, loaded.value('a'), loaded.value('b')]).toEqual(['T', 1, 2])
  writeFileSync(join(folder, 'text.h5'), 'my thesis')
  const wrong = new Trajectory({ name: 'T', filename: join(folder, 'text.h5'), overwrite: true })
  await expect(wrong.store()).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_HDF5' })
})

test('a file is read by the name of a link, and stored into where the link leads', async () => {
  const filename = join(folder, 'linked.h5')
  using traj = new Trajectory({ name: 'T', filename, parameters: { x: 1 } })
  await traj.store()
  const link = join(folder, 'link.h5')
  symlinkSync('linked.h5', link)
  using linked = await loadTrajectory(link)
  expect(linked.value('x')).toBe(1)
  linked.addResult('z', 2)
  await linked.store()
  using again = await loadTrajectory(filename)
  expect(again.value('z')).toBe(2)
})
