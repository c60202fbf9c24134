import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { planCommand } from '../../src/cli/plan/perform.ts'
import { type ExplorationSpec, explorationReader } from '../../src/exploration/exploration.ts'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { pypet, treeOf } from './pypet.ts'

const JOB = `
import { cartesianProduct, defineExperiment, integer } from 'pypet-ts'
export default defineExperiment({
  name: 'planned',
  parameters: { x: 1, n: integer(1), kind: 'a', big: 1n, neuron: { tau: 20 } },
  explore: cartesianProduct({ x: [0.1, Infinity], kind: ['a,b', 'say "c"'], big: [2n ** 60n] }),
  run(traj) { traj.addResult('z', traj.par.x) },
})`

test('plan shows facts and the first points as a table, without colours on a pipe, and touches nothing', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const before = treeOf(folder)
  const { exitCode, stdout, stderr } = await pypet(folder, [
    ...[
      'plan',
      'job.mjs',
      '--sample',
      'sobol:1000',
      '--explore',
      'x=0:1',
      '--explore',
      'neuron.tau=1:100:log',
    ],
    ...['--derive', 'n = floor(x * 4)', '--where', 'n > 1', '--repeat', '2', '--limit', '3'],
  ])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/^planned: 1,000 runs would be run; nothing was run\n/)
  expect(stdout).toContain('explored:    x, neuron.tau, n, trial\n')
  expect(stdout.split('\n').slice(7)).toEqual([
    '  run  x     neuron.tau  n  trial',
    '  0    0.5   10          2  0',
    '  1    0.5   10          2  1',
    '  2    0.75  3.16227766  3  0',
    '  ... 997 more; --limit shows more, --csv all',
    '',
  ])
  expect(treeOf(folder)).toEqual(before)
})

test('--csv has a row for each point, with texts in quotes where they need some', async () => {
  const { exitCode, stdout } = await pypet(fileTree({ 'job.mjs': JOB }), ['plan', 'job.mjs', '--csv'])
  expect(exitCode).toBe(0)
  expect(stdout).toBe(
    'run,x,kind,big\n' +
      '0,0.1,"a,b",1152921504606846976\n' +
      '1,0.1,"say ""c""",1152921504606846976\n' +
      '2,Infinity,"a,b",1152921504606846976\n' +
      '3,Infinity,"say ""c""",1152921504606846976\n',
  )
})

test('--json has a line of facts and one for each point', async () => {
  const { stdout } = await pypet(fileTree({ 'job.mjs': JOB }), ['plan', 'job.mjs', '--json', '--limit', '3'])
  const [facts, ...points] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(facts).toMatchObject({
    event: 'plan',
    trajectory: 'planned',
    run_count: 4,
    explored: ['x', 'kind', 'big'],
  })
  expect(points).toEqual([
    { event: 'point', run: 0, point: { x: 0.1, kind: 'a,b', big: '1152921504606846976' } },
    { event: 'point', run: 1, point: { x: 0.1, kind: 'say "c"', big: '1152921504606846976' } },
    { event: 'point', run: 2, point: { x: 'Infinity', kind: 'a,b', big: '1152921504606846976' } },
  ])
})

test('when the reader of a million points goes away, plan ends', async () => {
  const words = ['plan', 'job.mjs', '--csv', '--sample', 'random:1000000', '--explore', 'x=0:1']
  const child = spawn(process.execPath, [join(ROOT, 'bin/pypet-ts.js'), ...words], {
    cwd: fileTree({ 'job.mjs': JOB }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === 3) break
  }
  child.stdout.destroy()
  const [exitCode] = await once(child, 'close')
  expect({ exitCode, header: lines[0] }).toEqual({ exitCode: 0, header: 'run,x' })
})

test('what is shaped is run, recorded and expanded', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const shape = ['--explore', 'x=0:1', '--explore', 'n=1:4', '--only-if', 'n: x >= 0.5', '--repeat', '2']
  const first = await pypet(folder, ['run', 'job.mjs', '--keep-cnt', '--sample', 'sobol:4', ...shape])
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('8 runs stored') })
  const { exploration } = readCnt(join(folder, 'hdf5/planned.cnt')).experiment.request
  const spec = exploration as ExplorationSpec
  expect(['x', 'n', 'trial'].map((name) => explorationReader(spec, name)(3))).toEqual([0.5, 3, 1])
  expect(explorationReader(spec, 'n')(0)).toBe(1)
  rmSync(join(folder, 'hdf5/planned.cnt'))
  // The first four points of eight are those of four, so only the others are run.
  const more = await pypet(folder, ['expand', 'hdf5/planned.h5', '--sample', 'sobol:8', ...shape])
  expect(more).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('8 points added, 8 existed already; 8 runs to compute'),
  })
})

test.each([
  [{ limit: '0' }, '--limit: expected a whole number >= 1, found "0"'],
  [{ limit: '20000' }, 'a table has at most 10000 rows'],
  [{ csv: true, json: true }, '--csv and --json cannot be combined'],
])('plan with %j is refused before the job is loaded', async (flags, message) => {
  await expect(planCommand('absent.ts', flags, process.stdout)).rejects.toMatchObject({
    code: 'PYPET_USAGE',
    message: expect.stringContaining(message),
  })
})
