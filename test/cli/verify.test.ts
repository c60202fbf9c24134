/** `pypet-ts verify` and `run --point`: what was stored is computed again, and nothing is written. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mergeFiles, run as runJob, verify } from '../../dist/index.js'
import { type VerifyFlags, verifyCommand } from '../../src/cli/verify/perform.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet, start, treeOf } from './pypet.ts'

const JOB = `
import { defineExperiment, cartesianProduct, integer } from 'pypet-ts'
import { offset } from './model.mjs'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1, n: integer(2), big: 5n, list: [1, 2], matrix: { data: Float64Array.of(1, 2), shape: [1, 2] }, text: 'a' },
  explore: cartesianProduct({ x: [1, 2, 3], text: ['a', 'b'] }),
  run(traj) {
    console.log('at', traj.par.x)
    if (process.env.FAIL) throw new Error('no more')
    const odd = process.env.OTHER && traj.idx === 3
    const noise = traj.random.normal(0, 1, 50)
    if (odd) noise[7] += 1e-12
    traj.addResult('noise', noise, { annotations: { unit: 'mV' } })
    traj.addResult('all', { nan: NaN, zero: -0, yes: true, none: null, when: new Date(0), record: { a: 1, b: 'c' },
      list: [1, 2], texts: ['a', 'b'], big: 2n ** 60n, whole: integer(3), complex: { re: 1, im: 2 }, flags: new Uint8Array([1, 2]),
      sparse: { format: 'csr', data: Float64Array.of(1), indices: Int32Array.of(0), indptr: Int32Array.of(0, 1, 1), shape: [2, 2] } })
    traj.addResult('group.$.seed', integer(traj.seed))
    traj.addDerivedParameter('sum', traj.par.x + traj.par.n + Number(traj.par.big * 2n) + offset)
    traj.addLink('best', 'noise')
    return noise[0]
  },
})`

let folder: string
const file = () => join(folder, 'hdf5/demo.h5')

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pypet-ts-test-')))
  writeFileSync(join(folder, 'job.mjs'), JOB)
  writeFileSync(join(folder, 'model.mjs'), 'export const offset = 1')
  const options = { seed: 7, ncores: 2, filename: file(), logFolder: join(folder, 'logs') }
  expect(await runJob(join(folder, 'job.mjs'), { options })).toMatchObject({ storedCount: 6, failedCount: 0 })
})

describe('verify', () => {
  test('runs that give the same are identical, values of every form among them, and no file changes', async () => {
    const before = treeOf(folder)
    const { exitCode, stdout } = await pypet(folder, ['verify', 'hdf5/demo.h5', '--all', '--ncores', '2'])
    expect(stdout).toContain('6 of 6 runs identical, of 6 stored\n')
    expect(stdout).toContain('seed 7')
    expect(exitCode).toBe(0)
    expect(treeOf(folder)).toEqual(before)
  })

  test('the first element that differs is named, with both values', async () => {
    const env = { OTHER: '1' }
    const { exitCode, stdout } = await pypet(
      folder,
      ['verify', 'hdf5/demo.h5', '--runs', '2..4', '--json'],
      env,
    )
    const report = JSON.parse(stdout)
    expect(exitCode).toBe(3)
    expect(report).toMatchObject({ identical_count: 2, different_count: 1, failed_count: 0, job_changes: '' })
    const [, differing] = report.runs
    expect(differing).toMatchObject({
      run: 3,
      result: 'results.runs.run_00000003.noise',
      item: 'noise',
      index: 7,
    })
    expect(Number(differing.computed) - Number(differing.stored)).toBeCloseTo(1e-12, 14)
  })

  test('a run that fails now is told with its line', async () => {
    const { exitCode, stdout } = await pypet(
      folder,
      ['verify', 'hdf5/demo.h5', '--sample', '1', '--sample-seed', '1'],
      {
        FAIL: '1',
      },
    )
    expect(stdout).toMatch(/run \d failed: Error: no more \(job\.mjs:\d+:\d+\)/)
    expect(exitCode).toBe(3)
  })

  test('a job that changed is refused by the names of its files, unless it is allowed', async () => {
    writeFileSync(join(folder, 'model.mjs'), 'export const offset = 2')
    try {
      const { exitCode, stderr } = await pypet(folder, ['verify', 'hdf5/demo.h5'])
      expect(stderr).toContain('model.mjs changed')
      expect(exitCode).toBe(2)
      const report = await verify(file(), { allowChangedJob: true, runs: [0] })
      expect(report).toMatchObject({ jobChanges: 'model.mjs changed', differentCount: 1, seeds: [7] })
      expect(report.verdicts[0]).toMatchObject({
        difference: { result: 'derived_parameters.runs.run_00000000.sum', stored: '14', computed: '15' },
      })
    } finally {
      writeFileSync(join(folder, 'model.mjs'), 'export const offset = 1')
    }
  })

  test('adding points changes no run: as they were, and as if the new ones had been there', async () => {
    const copy = fileTree({ 'job.mjs': JOB, 'model.mjs': 'export const offset = 1' })
    const options = { seed: 7, filename: join(copy, 'a.h5'), logFolder: join(copy, 'logs') }
    await runJob(join(copy, 'job.mjs'), { explore: ['x=3', 'text=a,b'], options })
    const { exitCode, stdout } = await pypet(copy, [
      'expand',
      'a.h5',
      '--explore',
      'x=1',
      '--explore',
      'text=a,b',
    ])
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('2 points added')])
    expect(await verify(join(copy, 'a.h5'), { runs: 'all' })).toMatchObject({ identicalCount: 4, seeds: [7] })
  })

  test('runs of merged files are verified with the seeds that each had', async () => {
    const place = fileTree({ 'job.mjs': JOB, 'model.mjs': 'export const offset = 1' })
    const inputs = [5, 6].map((seed) => ({ seed, file: join(place, `${seed}.h5`) }))
    for (const { seed, file: filename } of inputs) {
      const options = { seed, filename, logFolder: join(place, 'logs') }
      await runJob(join(place, 'job.mjs'), { explore: [`x=${seed}`], options })
    }
    const into = join(place, 'all.h5')
    await mergeFiles(
      inputs.map(({ file }) => ({ file })),
      { file: into },
    )
    const report = await verify(into, { runs: 'all' })
    expect(report).toMatchObject({ identicalCount: 2, differentCount: 0, seeds: [5, 6], jobChanges: '' })
    expect(await verify(into, { runs: [1] })).toMatchObject({ identicalCount: 1, seeds: [6] })
  })

  test('what stands behind -- are arguments of the job, as in run', async () => {
    const place = fileTree({
      'job.mjs': `export default (traj, ...args) => { traj.addResult('given', args.join(' ')) }`,
    })
    const words = ['--', '--any=flag', '--json']
    expect(await pypet(place, ['run', 'job.mjs', '--quiet', ...words])).toMatchObject({ exitCode: 0 })
    const same = await pypet(place, ['verify', 'hdf5/job.h5', '--all', ...words])
    expect([same.exitCode, same.stdout]).toEqual([0, expect.stringContaining('1 of 1 runs identical')])
    const without = await pypet(place, ['verify', 'hdf5/job.h5', '--all', '--executor', 'process'])
    expect(without.exitCode).toBe(3)
    expect(without.stdout).toContain('--any=flag --json')
  })

  test('of an experiment with failed runs, what is stored is verified, and nothing changes', async () => {
    const fails = `if (traj.idx > OF && process.env.UNTIL) throw new Error('not yet')\n    const odd`
    const place = fileTree({
      'job.mjs': JOB.replace('const odd', fails.replace('OF', '1')),
      'model.mjs': 'export const offset = 1',
    })
    const begun = await pypet(place, ['run', 'job.mjs'], { UNTIL: '1' })
    expect(begun.exitCode).toBe(3)
    const before = treeOf(place)
    const { exitCode, stdout } = await pypet(place, ['verify', 'hdf5/demo.h5', '--all'])
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('2 of 2 runs identical, of 2 stored\n')])
    expect(treeOf(place)).toEqual(before)
  })

  test('where no run is stored, nothing is compared: exit code 2', async () => {
    const place = fileTree({ 'job.mjs': JOB, 'model.mjs': 'export const offset = 1' })
    await pypet(place, ['run', 'job.mjs'], { FAIL: '1' })
    const { exitCode, stderr, stdout } = await pypet(place, ['verify', 'hdf5/demo.h5'])
    expect(stderr).toContain('it has no completed run')
    expect([exitCode, stdout]).toEqual([2, ''])
  })

  test.each<[VerifyFlags, string, string]>([
    [{ runs: '6' }, 'PYPET_RUN_UNKNOWN', 'it has runs 0 to 5'],
    [{ runs: '3..1' }, 'PYPET_USAGE', '--runs: expected runs as 3,5,7..9'],
    [{ runs: 'x' }, 'PYPET_USAGE', '--runs: expected runs as 3,5,7..9'],
    [
      { sample: '0' },
      'PYPET_USAGE',
      '--sample: expected a whole number from 1 to 9007199254740991, found "0"',
    ],
    [{ sample: 'x' }, 'PYPET_USAGE', '9007199254740991, found "x"'],
    [{ sample: '1.5' }, 'PYPET_USAGE', '9007199254740991, found "1.5"'],
    [
      { sampleSeed: '-1' },
      'PYPET_USAGE',
      '--sample-seed: expected a whole number from 0 to 9007199254740991, found "-1"',
    ],
    [{ sampleSeed: 'x' }, 'PYPET_USAGE', '9007199254740991, found "x"'],
    [{ sampleSeed: '9007199254740992' }, 'PYPET_USAGE', 'found "9007199254740992"'],
    [{ all: true, sampleSeed: '1' }, 'PYPET_USAGE', '--sample-seed and --all cannot be combined'],
    [{ runs: '1', sampleSeed: '1' }, 'PYPET_USAGE', '--sample-seed and --runs cannot be combined'],
    [{ all: true, sample: '1' }, 'PYPET_USAGE', '--sample and --all cannot be combined'],
    [{ all: true, runs: '1' }, 'PYPET_USAGE', '--all and --runs cannot be combined'],
    [{ job: 'none.ts' }, 'PYPET_JOB_NOT_FOUND', 'none.ts'],
    [{ trajectory: 'other' }, 'PYPET_TRAJECTORY_NOT_FOUND', 'other'],
    [{ executor: 'moon' }, 'PYPET_USAGE', '--executor'],
    [{ executor: 'inline', timeout: '1' }, 'PYPET_CONFIG_INVALID', 'cannot be stopped'],
  ])('verify with %j is refused: %s', async (flags, code, message) => {
    const error = await verifyCommand(file(), flags).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test.each(['none.h5', 'job.mjs'])(
    'verify %s, which is no HDF5 file, ends with exit code 2',
    async (name) => {
      const { exitCode, stderr, stdout } = await pypet(folder, ['verify', name])
      expect(stderr).toContain(name)
      expect([exitCode, stdout]).toEqual([2, ''])
    },
  )
})

describe('run --point', () => {
  test('gives what the file has of that run, prints it, and leaves nothing behind', async () => {
    const before = treeOf(folder)
    const { exitCode, stdout } = await pypet(folder, ['run', 'job.mjs', '--point', '3', '--seed', '7'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('run_00000003 of 6, seed 7\n')
    expect(stdout).toContain('\nat 2\n')
    expect(stdout).toContain('results.runs.run_00000003.noise = float64 [50] ')
    expect(stdout).toMatch(/\nreturned -?\d/)
    expect(treeOf(folder)).toEqual(before)
    const found = await pypet(folder, ['verify', 'hdf5/demo.h5', '--runs', '3', '--json'], { OTHER: '1' })
    expect(JSON.parse(found.stdout).runs[0].index).toBe(7)
  })

  test('an error of the job is shown with its stack', async () => {
    const { exitCode, stderr } = await pypet(folder, ['run', 'job.mjs', '--point', '0'], { FAIL: '1' })
    expect(stderr).toMatch(/run_00000000 failed: Error: no more\n\s+at .*job\.mjs:\d+:\d+/)
    expect(exitCode).toBe(3)
  })

  test('--inspect waits for a debugger before the job begins', async () => {
    const command = start(folder, ['run', 'job.mjs', '--point', '0', '--inspect'], {
      NODE_OPTIONS: '--inspect-port=0',
    })
    await command.until(({ stderr }) => stderr.includes('Debugger listening on ws://'))
    expect(command.stdout).not.toContain('at 1')
    command.process.kill('SIGKILL')
  })

  test.each([
    [['--point', '6'], 'points 0 to 5'],
    [['--inspect'], '--inspect requires --point'],
    [['--point', '1', '--seed', '-1'], '--seed: expected a whole number from 0 to 9007199254740991'],
  ])('run %j is refused', async (words, message) => {
    const { exitCode, stderr } = await pypet(folder, ['run', 'job.mjs', ...words])
    expect(stderr).toContain(message)
    expect(exitCode).toBe(2)
  })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the examples of docs/seeds.md run as they are written', async () => {
  const page = readFileSync(new URL('../../docs/seeds.md', import.meta.url), 'utf8')
  const blocks = (kind: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([^]*?)^\`\`\``, 'gm'))].map((found) => found[1] as string)
  const place = fileTree({ 'noise.mjs': blocks('js')[0] as string })
  const lines = blocks('sh').flatMap((block) => block.trim().split('\n'))
  expect(lines.length).toBe(3)
  for (const line of lines) {
    const { exitCode, stderr } = await pypet(place, line.split(' ').slice(1))
    expect([line, exitCode, stderr]).toEqual([line, 0, ''])
  }
})
