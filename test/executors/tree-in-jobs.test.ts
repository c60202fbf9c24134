/** What a job sees of the trajectory, in every executor and mode, and when the experiment goes on later. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  continueRun,
  Environment,
  loadTrajectory,
  MemoryStorage,
  Trajectory,
  verify,
} from '../../dist/index.js'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** Asks for names, and keeps the answers: in the job, and afterwards of the trajectory. */
const ANSWERS = `
export const NAMES = ['x', 'par.x', 'tau', 'neuron.tau', 'neuron', 'weights', 'area', 'dpar.cell.area', 'cell', 'baseline', 'res.baseline',
  'table', 'owner', 'conf.owner', 'hdf5.complib', 'short', 'z', 'crun.z', '$.z', 'results.runs.$.z', 'sub.a', 'by.$.b', 'w', 'best', 'nothing', 'taux']
export function answers(traj) {
  const plain = (value) => JSON.parse(JSON.stringify(value, (_, inner) => (ArrayBuffer.isView(inner) ? [...inner] : inner)) ?? 'null')
  const ask = (question) => {
    try {
      return question()
    } catch (error) {
      return error.code ?? String(error)
    }
  }
  return Object.fromEntries(NAMES.map((name) => [name, {
    at: ask(() => traj.get(name).fullName),
    comment: ask(() => traj.get(name).comment),
    annotations: ask(() => plain(traj.get(name).annotations)),
    value: ask(() => plain(traj.value(name))),
    contains: ask(() => traj.contains(name)),
  }]))
}
`

const JOB = `
import { answers } from './answers.mjs'
import { existsSync } from 'node:fs'
export function run(traj, stop) {
  traj.addResult('z', traj.par.x * traj.par.tau)
  traj.getResult('z').annotate({ unit: 'mV' })
  traj.addResult('sub.a', 'text')
  traj.addResult('by.$.b', [1, 2])
  traj.addDerivedParameter('w', traj.dpar.area / 2, { comment: 'half of it' })
  traj.addLink('best', 'z')
  traj.get('results.runs.$.sub').comment = 'a group of its own'
  traj.getResult('z').set(traj.value('z') + 1)
  if (traj.idx === 1 && existsSync(stop)) throw new Error('not yet')
  traj.addResult('answers', JSON.stringify(answers(traj)))
}
export default { run }
`

function prepared(name: string, options: object): { env: Environment; folder: string; file: string } {
  const folder = fileTree({
    'job.mjs': JOB.replace('export default { run }', 'export default run'),
    'answers.mjs': ANSWERS,
  })
  const file = join(folder, `${name}.h5`)
  const env = new Environment({
    trajectory: name,
    filename: file,
    logFolder: join(folder, 'logs'),
    provenance: false,
    // Each run keeps its own, so that all are there to compare.
    purgeDuplicateComments: false,
    ...options,
  })
  const traj = env.trajectory as unknown as Trajectory
  traj.addParameter('x', 1, { comment: 'explored' })
  traj.addParameter('neuron.tau', 20, { comment: 'time constant' }).annotate({ unit: 'ms' })
  traj.addParameter('neuron.weights', Float64Array.of(1, 2))
  traj.get('parameters.neuron').comment = 'all of the neuron'
  traj.addDerivedParameter('cell.area', 4).annotate({ unit: 'mm2', of: [1, 2] })
  traj.addResult('baseline', { first: Float64Array.of(5, 6), second: 'text' }, { comment: 'before all runs' })
  traj.addResult('table', [{ a: 1, b: 'x' }])
  traj.addConfig('owner', 'me')
  traj.addLink('short', 'parameters.neuron.tau')
  traj.explore({ x: [10, 20, 30] })
  return { env, folder, file }
}

/** What the trajectory says now, with what each run's job was told. */
async function compared(traj: Trajectory, folder: string, runs: readonly number[] = [0, 1, 2]) {
  const { answers } = (await import(join(folder, 'answers.mjs'))) as {
    readonly answers: (traj: Trajectory) => object
  }
  for (const run of runs) {
    traj.idx = run
    expect({ run, ...JSON.parse(traj.value<string>('answers')) }).toEqual({ run, ...answers(traj) })
  }
}

const LOCK = { executor: 'pool', ncores: 2, wrapMode: 'lock' }

test.each<[how: string, options: object]>([
  ['inline', { ncores: 1 }],
  ['in threads', { executor: 'pool', ncores: 2 }],
  ['in processes', { isolate: true, ncores: 2 }],
  ['in threads that store themselves', LOCK],
])('a job %s sees what the trajectory has at its run', async (_how, options) => {
  const { env, folder, file } = prepared('seen', options)
  await env.run(join(folder, 'job.mjs'))
  await env[Symbol.asyncDispose]()
  expect(env.summary).toMatchObject({ storedCount: 3, failedCount: 0 })
  using traj = await loadTrajectory(file)
  await compared(traj, folder)
  traj.idx = 2
  expect(traj.value('z')).toBe(601)
  expect(traj.get('z').annotations).toEqual({ unit: 'mV' })
  expect(traj.get('results.runs.$.sub').comment).toBe('a group of its own')
  expect(JSON.parse(traj.value<string>('answers'))).toMatchObject({
    x: { value: 30, comment: 'explored' },
    tau: { at: 'parameters.neuron.tau', value: 20, annotations: { unit: 'ms' } },
    area: { value: 4, annotations: { unit: 'mm2', of: [1, 2] } },
    baseline: { comment: 'before all runs', value: 'PYPET_NAME_AMBIGUOUS' },
    short: { at: 'parameters.neuron.tau' },
    z: { value: 601, annotations: { unit: 'mV' } },
    best: { value: 601 },
    nothing: { at: 'PYPET_NODE_NOT_FOUND' },
  })
})

test('a job whose runs a service keeps sees the same', async () => {
  const storageService = new MemoryStorage()
  const { env, folder, file } = prepared('kept', { executor: 'pool', ncores: 2, storageService })
  await env.run(join(folder, 'job.mjs'))
  await env[Symbol.asyncDispose]()
  await storageService.writeHdf5(file)
  using traj = await loadTrajectory(file)
  await compared(traj, folder)
})

test('what a script has added is seen by runs of continue, verify, expand, and of the environment again', async () => {
  const { env, folder, file } = prepared('later', { executor: 'pool', ncores: 1 })
  const stop = join(folder, 'stop')
  writeFileSync(stop, '')
  await env.run(join(folder, 'job.mjs'), stop)
  await env[Symbol.asyncDispose]()
  expect(env.summary).toMatchObject({ storedCount: 2, failedCount: 1 })
  rmSync(stop)
  const options = { logFolder: join(folder, 'logs') }
  const continued = await continueRun(join(folder, 'later.cnt'), { retryFailed: true, options })
  expect(continued).toMatchObject({ storedCount: 3, failedCount: 0 })
  expect(existsSync(join(folder, 'later.cnt'))).toBe(false)
  {
    using traj = await loadTrajectory(file)
    await compared(traj, folder)
  }
  const report = await verify(file, { job: join(folder, 'job.mjs'), runs: [0, 1], args: [stop] })
  expect(report.verdicts.map(({ state }) => state)).toEqual(['identical', 'identical'])

  const again = new Environment({
    trajectory: await loadTrajectory(file),
    provenance: false,
    ncores: 1,
    ...options,
  })
  again.trajectory.expand({ x: [40] })
  await again.run(join(folder, 'job.mjs'), stop)
  await again[Symbol.asyncDispose]()
  const words = ['expand', file, '--explore', 'x=50', '--job', join(folder, 'job.mjs'), '--ncores', '1']
  const { exitCode, stderr } = await pypet(folder, words)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  using traj = await loadTrajectory(file)
  for (const run of [3, 4]) {
    traj.idx = run
    const told = JSON.parse(traj.value<string>('answers'))
    expect(told).toMatchObject({
      tau: { at: 'parameters.neuron.tau', value: 20 },
      area: { value: 4, annotations: { unit: 'mm2', of: [1, 2] } },
      table: { at: 'results.table', value: { columns: { a: [1], b: ['x'] } } },
      owner: { value: 'me' },
      short: { at: 'parameters.neuron.tau' },
      neuron: { comment: 'all of the neuron' },
      z: { value: (10 + 10 * run) * 20 + 1 },
    })
  }
})

test('noClobber of the script counts in its jobs, and after an interruption', async () => {
  const folder = fileTree({
    'job.mjs': `
import { existsSync } from 'node:fs'
export default function run(traj, stop) {
  traj.addResult('z', 1)
  traj.addResult('z', 2)
  if (existsSync(stop)) throw new Error('not yet')
}`,
  })
  const stop = join(folder, 'stop')
  writeFileSync(stop, '')
  const trajectory = new Trajectory({ name: 'kept', filename: join(folder, 'kept.h5'), noClobber: true })
  const env = new Environment({ trajectory, provenance: false, logFolder: join(folder, 'logs') })
  await env.run(join(folder, 'job.mjs'), stop)
  await env[Symbol.asyncDispose]()
  expect(env.summary).toMatchObject({ failedCount: 1 })
  rmSync(stop)
  await continueRun(join(folder, 'kept.cnt'), {
    retryFailed: true,
    options: { logFolder: join(folder, 'logs') },
  })
  using traj = await loadTrajectory(join(folder, 'kept.h5'))
  expect(traj.value('z')).toBe(1)
})
