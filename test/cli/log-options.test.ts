import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { jobFixture, pypet } from './pypet.ts'

const RUN = ['run', jobFixture('prints-late.ts')]

describe('--no-log', () => {
  test('writes nothing, loads no winston, and lets the job print to the terminal', async () => {
    const folder = fileTree({})
    const { exitCode, stdout, stderr } = await pypet(folder, [...RUN, '--no-log'])
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'complained in run 0\ncomplained in run 1\n',
    })
    expect(stdout).toContain('\nwinston is not loaded in run 0\n')
    expect(stdout).not.toMatch(/logs|said/)
    expect(readdirSync(folder)).toEqual(['hdf5'])
  })

  test.each(['pool', 'process'])(
    'and with the executor %s, whole lines come through main',
    async (executor) => {
      const folder = fileTree({})
      const { exitCode, stdout, stderr } = await pypet(folder, [
        ...RUN,
        '--no-log',
        '--executor',
        executor,
        '--quiet',
      ])
      expect({ exitCode, stderr }).toEqual({
        exitCode: 0,
        stderr: 'complained in run 0\ncomplained in run 1\n',
      })
      expect(stdout.match(/^winston is not loaded in run [01]$/gm)?.length).toBe(2)
      expect(readdirSync(folder)).toEqual(['hdf5'])
    },
  )
})

test('--no-log-stdout as JSON keeps the output JSON: what the job prints is an event', async () => {
  const folder = fileTree({})
  const { stdout, stderr } = await pypet(folder, [...RUN, '--no-log-stdout', '--progress', 'json'])
  expect(stderr).toBe('')
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const printed = events.filter((event) => event.printed_to !== undefined)
  expect(printed.map(({ printed_to, run }) => [printed_to, run]).sort()).toEqual([
    ['stderr', 0],
    ['stderr', 1],
    ['stdout', 0],
    ['stdout', 1],
  ])
  const log = readFileSync(join(folder, 'logs/prints-late/main.txt'), 'utf8')
  expect(log).toContain('said in run 0')
  expect(log).not.toMatch(/winston|complained/)
})

test('--log-runs and a folder with wildcards, on threads; --progress none shows no progress', async () => {
  const folder = fileTree({})
  const words = [
    ...RUN,
    '--log-runs',
    '--log-folder',
    'logs/$env/$traj',
    '--ncores',
    '2',
    '--progress',
    'none',
  ]
  const { exitCode, stdout, stderr } = await pypet(folder, words)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const [environment = ''] = readdirSync(join(folder, 'logs'))
  expect(environment).toMatch(/^environment_[0-9a-f]{7}_/)
  expect(stdout).toMatch(
    new RegExp(`^2 runs stored .*\nlogs: {2}logs/${environment}/prints-late\nnext: .*\n$`),
  )
  const place = join(folder, 'logs', environment, 'prints-late')
  const runs = readdirSync(place).filter((name) => name.startsWith('run'))
  expect(runs).toEqual(['run_00000000.txt', 'run_00000001.txt'])
  const lines = readFileSync(join(place, 'run_00000001.txt'), 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => line.slice(24))).toEqual([
    'INFO  run_00000001: winston is not loaded in run 1',
    'INFO  run_00000001: complained in run 1',
    'INFO  run_00000001: said in run 1',
  ])
})

const TRANSPORTS = `
import winston from 'winston'
import Transport from 'winston-transport'

class Broken extends Transport {
  log() { throw new Error('no such disk') }
}
class LateBroken extends Transport {
  log(info: object, next: () => void) { setTimeout(() => { throw new Error('late') }); next() }
}
export const transports = ({ trajectory }: { trajectory: string }) => [
  new winston.transports.File({ filename: trajectory + '.log', format: winston.format.json() }),
  new winston.transports.Console({ level: 'info' }),
  new Broken(),
  new LateBroken(),
]`

test('transports of a module get the log, print to the terminal, and fail without failing a run', async () => {
  // winston is not installed there: that of pypet-ts is taken.
  const folder = fileTree({ 'transports.ts': TRANSPORTS, 'pypet.config.yaml': '' })
  const { exitCode, stdout, stderr } = await pypet(folder, [...RUN, '--log-transports', 'transports.ts'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/^2 runs stored/m)
  expect(stdout).toMatch(/^\S+ \S+ INFO {2}run_00000000: said in run 0$/m)
  expect(stdout).toMatch(/^warning: log transport 3 \(Broken\) of .*transports\.ts failed: no such disk/m)
  expect(stdout).toMatch(/^warning: .*a log transport of .*transports\.ts failed: late/m)
  const lines = readFileSync(join(folder, 'prints-late.log'), 'utf8').trimEnd().split('\n')
  const messages = lines.map((line) => JSON.parse(line).message)
  expect(messages).toContain('said in run 1')
  expect(messages.at(-1)).toMatch(/^finished: 2 runs stored/)
})

test.each([
  ['export const a = 1', 'it exports nothing'],
  ['export default [3]', 'item 1 of its list is 3'],
  ['export default () => ({})', 'its function gives an object'],
  ['export default () => { throw new TypeError("x") }', 'its function threw TypeError: x'],
  ['throw new Error("at once")', 'it threw Error: at once'],
])('a module of transports that has none is refused before anything is started: %s', async (text, found) => {
  const folder = fileTree({ 'transports.mjs': text })
  const { run } = await import('../../dist/index.js')
  const running = run(jobFixture('prints-late.ts'), {
    options: {
      logTransports: join(folder, 'transports.mjs'),
      logFolder: join(folder, 'logs'),
      filename: join(folder, 'a.h5'),
    },
  })
  await expect(running).rejects.toMatchObject({
    code: 'PYPET_CONFIG_INVALID',
    message: expect.stringContaining(found),
  })
  expect(existsSync(join(folder, 'a.h5'))).toBe(false)
})

test.each([
  [['--json', '--progress', 'bar'], '--json is given, but --progress is bar'],
  [['--progress', 'fast'], '--progress: expected one of auto, bar, lines, json, none, found "fast"'],
  [['--log-runs', '$rnu'], 'unknown wildcard $rnu'],
])('%j is refused', async (flags, message) => {
  const folder = fileTree({})
  const { exitCode, stderr } = await pypet(folder, [...RUN, ...flags])
  expect(exitCode).toBe(2)
  expect(stderr).toContain(message)
  expect(readdirSync(folder)).toEqual([])
})
