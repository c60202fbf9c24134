/** What people write at first, and what they are told: each was a trap. */
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet, start, treeOf } from './pypet.ts'

test('a plain object with run is an experiment, on threads, too; what has no effect is told, and so is what failed runs need', async () => {
  const folder = fileTree({
    'job.ts': `export default {
      name: 'plain',
      parameters: { way: 'fine', factor: 2 },
      explore: { way: ['fine', 'promise', 'set', 'object'] },
      run(traj: any) {
        const { way, factor } = traj.par
        if (way === 'promise') traj.addResult('z', Promise.resolve(1))
        if (way === 'set') traj.par.factor = 3
        if (way === 'object') throw { a: 1 }
        traj.addResult('z', factor)
      },
    }`,
  })
  const words = ['run', 'job.ts', '--ncores', '2', '--set', 'way=fine', '--set', 'factor=5']
  const { exitCode, stdout } = await pypet(folder, words, { PYPET_HOME: '/opt/pypet' })
  expect(exitCode).toBe(3)
  const lines = stdout.split('\n')
  const after = (start: string) => lines[lines.findIndex((line) => line.startsWith(start)) + 1]
  expect(lines).toContain(
    'warning: the environment variable PYPET_HOME is ignored: there is no such option; did you mean PYPET_NAME?',
  )
  expect(lines).toContain(
    'warning: --set way=fine has no effect on the runs: way is explored; to run other values, write --explore way=…',
  )
  expect(stdout).not.toContain('--set factor')
  expect(after('run_00000001 failed:')).toBe('  hint: It is a promise: await it in an async job.')
  expect(stdout).toContain('parameters.factor cannot be changed: in a job, parameters are fixed')
  expect(after('run_00000002 failed:')).toMatch(
    /let factor = traj\.par\.factor.*traj\.get\('factor'\)\.set\(/,
  )
  expect(stdout).toContain('run_00000003 failed: thrown: { a: 1 }')
  const shown = await pypet(folder, ['overview', 'hdf5/plain.h5', '--json'])
  const [{ parameters, runs }] = JSON.parse(shown.stdout).trajectories
  expect(JSON.stringify(parameters)).toContain('"factor"')
  expect(JSON.stringify(runs)).toContain('thrown: { a: 1 }')
})

test('errors after the end of runs are told twice: the first at once, with its hint, and all in the summary', async () => {
  const late = `export default { parameters: { i: 0 }, explore: { i: [0, 1, 2] }, async run(traj: any) {
    setTimeout(() => traj.addResult('z', 1), 5)
    if (traj.par.i === 2) await new Promise((resolve) => setTimeout(resolve, 100))
  } }`
  const { exitCode, stdout } = await pypet(fileTree({ 'late.ts': late }), ['run', 'late.ts'])
  expect(exitCode).toBe(3)
  expect(stdout.match(/after the end of a run/g)).toHaveLength(1)
  expect(stdout).toMatch(
    /error: run_0000000\d: after its run had ended: .*\n {2}hint: Await everything that adds results/,
  )
})

test('a top-level await that never comes is told; Ctrl-C and SIGTERM before the first run are, too', async () => {
  const folder = fileTree({
    'never.ts': 'await new Promise((r) => setTimeout(r, 1e9))\nexport default () => 1',
  })
  const before = treeOf(folder)
  const told = 'loading never.ts …: its top-level await has not finished yet\n'
  await Promise.all(
    (
      [
        ['SIGINT', 130, 'run'],
        ['SIGTERM', 143, 'run'],
        ['SIGINT', 130, 'plan'],
      ] as const
    ).map(async ([signal, exitCode, command]) => {
      const started = start(folder, [command, 'never.ts'])
      await started.until(({ stderr }) => stderr === told)
      started.process.kill(signal)
      const ended = await started.ended()
      const left = command === 'run' ? ': no run was started' : ''
      expect([ended.exitCode, ended.stderr]).toEqual([exitCode, `${told}interrupted by ${signal}${left}\n`])
    }),
  )
  expect(treeOf(folder)).toEqual(before)
  const quiet = start(folder, ['run', 'never.ts', '--json'])
  quiet.process.kill('SIGTERM')
  expect((await quiet.ended()).stdout).toBe('')
})

test('1e400 in a config file is refused with its place, and an infinity that is written as one is taken', async () => {
  const job = `export default { parameters: { x: 1 }, explore: { x: [1] }, run(traj: any) { traj.addResult('z', 1) } }`
  const files = {
    'job.ts': job,
    'a.json': '{\n  "explore": { "x": [1, 1e400] }\n}\n',
    'b.toml': '[explore]\nx = [1.0, -1e400]\n',
    'c.yaml': 'explore:\n  x: [1, -.inf]\n',
  }
  const folder = fileTree(files)
  for (const [file, place, found] of [
    ['a.json', '2:25', '1e400'],
    ['b.toml', '2:11', '-1e400'],
  ]) {
    const { exitCode, stderr } = await pypet(folder, ['plan', 'job.ts', '--config', file as string])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`${file}:${place}: ${found} is beyond the largest number`)
    expect(stderr).toMatch(/^ {2}hint: /m)
  }
  const { stdout } = await pypet(folder, ['plan', 'job.ts', '--config', 'c.yaml', '--csv'])
  expect(stdout).toBe('run,x\n0,1\n1,-Infinity\n')
})
