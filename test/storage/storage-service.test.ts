/** A user's own storage service, as the command line uses it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jobFixture, pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'

const SERVICE = join(ROOT, 'test/fixtures/entries/file-service.mjs')
const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ parameters: { x: 0 }, explore: { x: [0, 1, 2, 3, 4, 5] }, run(traj) { traj.addResult('z', traj.par.x * 2) } })`

test('a service keeps each run; one that it refuses fails, and is tried again when the experiment goes on', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const kept = join(folder, 'kept')
  const words = ['run', 'job.mjs', '--ncores', '2', '--storage-service', SERVICE]
  const first = await pypet(folder, words, { SERVICE_FOLDER: kept, SERVICE_REFUSES: '4' })
  expect(first.stdout + first.stderr).toContain('the disk is in the cupboard')
  expect(first.exitCode).toBe(3)
  expect(readdirSync(kept)).toContain('4.failed.json')
  expect(readdirSync(join(folder, 'hdf5'))).toEqual(['job.cnt'])
  const elsewhere = await pypet(folder, ['continue', 'hdf5/job.cnt', '--retry-failed'], {
    SERVICE_FOLDER: kept,
  })
  expect(elsewhere).toMatchObject({ exitCode: 2, stdout: '' })
  const command = `continue hdf5/job.cnt --storage-service ${SERVICE} --retry-failed`
  expect(elsewhere.stderr).toContain(`name it: pypet-ts ${command}\n`)
  const again = await pypet(folder, [...command.split(' '), '--json'], { SERVICE_FOLDER: kept })
  expect(again.exitCode).toBe(0)
  expect(again.stdout).toContain('"stored_count":6')
  expect(readdirSync(kept).filter((name) => name.endsWith('.run.json'))).toHaveLength(6)
  const [leaf] = JSON.parse(readFileSync(join(kept, '4.run.json'), 'utf8'))
  expect(leaf).toMatchObject({ location: 'results.runs.run_00000004.z', values: { z: 8 } })
  expect(readdirSync(join(folder, 'hdf5'))).toEqual([])
})

/** A main half that does nothing, as plain JavaScript may have it: `open` says nothing. */
const HALF = 'open() {}, failRun() {}, close() {}'

describe.each([
  ['inline', []],
  ['on two threads', ['--ncores', '2']],
  ['in processes', ['--isolate']],
])('a worker half, %s', (_name, cores) => {
  const perform = async (openWorker: string) => {
    const service = `export default { ${HALF} }\nexport const openWorker = ${openWorker}`
    const folder = fileTree({ 'job.mjs': JOB, 'service.mjs': service })
    const ended = await pypet(folder, [
      'run',
      'job.mjs',
      '--storage-service',
      'service.mjs',
      '--json',
      ...cores,
    ])
    // It is given free, whatever happens.
    expect(
      readdirSync(folder).flatMap((name) => (name === 'hdf5' ? readdirSync(join(folder, name)) : [])),
    ).not.toContain('job.h5.lock')
    return ended
  }

  test('of a service whose open says nothing is called without data', async () => {
    const { exitCode, stdout } = await perform(
      '(data) => { if (data !== undefined) throw new Error("there is data"); return { storeRun() {} } }',
    )
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('"stored_count":6')])
  })

  test.each([
    [
      'that throws',
      '() => { throw new Error("not today") }',
      'openWorker of the storage service threw Error: not today',
    ],
    [
      'without storeRun',
      '() => ({})',
      'openWorker of the storage service returned no object with a storeRun()',
    ],
  ])('%s ends the experiment, which names it', async (_, openWorker, message) => {
    const { exitCode, stdout, stderr } = await perform(openWorker)
    expect([exitCode, stdout + stderr]).toEqual([1, expect.stringContaining(message)])
    expect(stderr).not.toContain('bug in pypet-ts')
  })
})

test('a worker half that throws in close is named, and what it has stored is stored', async () => {
  const service = `export default { ${HALF} }
export const openWorker = () => ({ storeRun() {}, close() { throw new Error('will not close') } })`
  const folder = fileTree({ 'job.mjs': JOB, 'service.mjs': service })
  const { exitCode, stdout, stderr } = await pypet(folder, [
    'run',
    'job.mjs',
    '--storage-service',
    'service.mjs',
    '--json',
  ])
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringContaining('close of the storage service threw Error: will not close'),
  ])
  expect(stderr).not.toContain('bug in pypet-ts')
  expect(stdout).toMatch(/"runs-stored".*5\]/)
})

test('a service without extend keeps the runs of an experiment that grows, which then ends', async () => {
  const growing = JOB.replace('run(traj)', 'postprocess: () => [{ x: 9 }], run(traj)')
  const service = `export default { ${HALF} }\nexport const openWorker = () => ({ storeRun() {} })`
  const folder = fileTree({ 'job.mjs': growing, 'service.mjs': service })
  const { exitCode, stderr } = await pypet(folder, ['run', 'job.mjs', '--storage-service', 'service.mjs'])
  expect(exitCode).toBe(3)
  expect(stderr).toContain('post-processing failed: the storage service has no extend()')
  expect(stderr).toContain('pypet-ts continue hdf5/job.cnt')
})

describe('what is refused before anything starts, with exit code 2', () => {
  const SERVICES = {
    'no-close.mjs': 'export default { open() {}, failRun() {} }\nexport const openWorker = () => ({})',
    'no-worker.mjs': 'export default { open() {}, failRun() {}, close() {} }',
    'main-half.mjs': 'export default { open() {}, failRun() {}, close() {} }',
    'no-open.mjs': 'export default { failRun() {}, close() {} }\nexport const openWorker = () => ({})',
    'no-fail.mjs': 'export default { open() {}, close() {} }\nexport const openWorker = () => ({})',
    'no-module.mjs': `export default { ${HALF}, workerModule: 'gone.mjs' }`,
    'other-module.mjs': `export default { ${HALF}, workerModule: new URL('main-half.mjs', import.meta.url) }`,
  }

  test.each([
    ['wrap mode none without a service', ['--wrap-mode', 'none'], '--wrap-mode is none'],
    ['no HDF5 file without a service', ['--no-use-hdf5'], '--use-hdf5 is false'],
    [
      'a service with the lock',
      ['--storage-service', 'no-worker.mjs', '--wrap-mode', 'lock'],
      '--wrap-mode is lock',
    ],
    ['a service without close', ['--storage-service', 'no-close.mjs'], 'has no close()'],
    ['a service without open', ['--storage-service', 'no-open.mjs'], 'has no open()'],
    ['a service without failRun', ['--storage-service', 'no-fail.mjs'], 'has no failRun()'],
    [
      'a worker half in a module that is not there',
      ['--storage-service', 'no-module.mjs'],
      'gone.mjs: Cannot find module',
    ],
    [
      'a worker half in a module without one',
      ['--storage-service', 'other-module.mjs'],
      'main-half.mjs has no openWorker()',
    ],
    ['one without a worker half', ['--storage-service', 'no-worker.mjs'], 'has no openWorker()'],
    [
      'one without a storeRun in main',
      ['--storage-service', 'main-half.mjs', '--wrap-mode', 'queue'],
      'has no storeRun()',
    ],
  ])('%s', async (_, flags, message) => {
    const folder = fileTree(SERVICES)
    const ended = await pypet(folder, ['run', jobFixture('crash.ts'), ...flags])
    expect(ended.stderr).toContain(message)
    expect(ended.exitCode).toBe(2)
    expect(readdirSync(folder).sort()).toEqual(Object.keys(SERVICES).sort())
  })

  test('a service and HDF5', async () => {
    const words = ['run', jobFixture('crash.ts'), '--storage-service', 'any.mjs']
    const ended = await pypet(fileTree({}), words, { PYPET_USE_HDF5: 'true' })
    expect(ended.stderr).toContain('--storage-service is given, and PYPET_USE_HDF5 is true')
    expect(ended.exitCode).toBe(2)
  })
})
