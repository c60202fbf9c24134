import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { pypet } from './pypet.ts'

test('run --help lists what people need every day, with one line for each, and says where the rest is', async () => {
  const { exitCode, stdout, stderr } = await pypet(fileTree({}), ['run', '--help'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const options = stdout.slice(stdout.indexOf('Options:\n'), stdout.indexOf('\n\nA trajectory is one tree'))
  const lines = options.split('\n').slice(1)
  expect(lines.map((line) => /(--[a-z-]+)/.exec(line)?.[1])).toEqual([
    '--ncores',
    '--seed',
    '--explore',
    '--sample',
    '--where',
    '--repeat',
    '--set',
    '--file',
    '--name',
    '--add-time',
    '--overwrite',
    '--comment',
    '--config',
    '--dry-run',
    '--point',
    '--retries',
    '--timeout',
    '--quiet',
    '--verbose',
    '--json',
    '--help-all',
    '--help',
  ])
  expect(stdout).toMatch(/^Examples:\n {2}\$ pypet-ts run job\.ts/m)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

test('run --help-all lists every flag, the common ones first, with examples, on 80 columns', async () => {
  const { exitCode, stdout, stderr } = await pypet(fileTree({}), ['run', '--help-all'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const flags = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z0-9-]+)/gm)].map(([, flag]) => flag)
  expect(flags).toEqual([
    '--ncores',
    '--config',
    '--file',
    '--name',
    '--add-time',
    '--comment',
    '--set',
    '--explore',
    '--sample',
    '--only-if',
    '--derive',
    '--where',
    '--repeat',
    '--log-folder',
    '--log-level',
    '--overwrite',
    '--dry-run',
    '--point',
    '--inspect',
    '--quiet',
    '--verbose',
    '--json',
    '--help-all',
    '--help',
    '--executor',
    '--multiproc',
    '--no-multiproc',
    '--isolate',
    '--memory-limit',
    '--cpu-cap',
    '--memory-cap',
    '--swap-cap',
    '--niceness',
    '--retries',
    '--timeout',
    '--on-error',
    '--max-failures',
    '--no-continuable',
    '--immediate-postprocessing',
    '--keep-cnt',
    '--no-log',
    '--log-runs',
    '--no-log-stdout',
    '--log-transports',
    '--progress',
    '--progress-step',
    '--file-title',
    '--seed',
    '--no-provenance',
    '--provenance-max-bytes',
    '--require-clean',
    '--no-purge-duplicate-comments',
    '--results-per-run',
    '--derived-parameters-per-run',
    '--complevel',
    '--commit-interval-ms',
    '--reader-wait-ms',
    '--cnt-compact-bytes',
    '--layout',
    '--wrap-mode',
    '--no-use-hdf5',
    '--storage-service',
    '--queue-maxsize',
    '--break-lock',
  ])
  expect(stdout).toMatch(/^Examples:\n {2}\$ pypet-ts run job\.ts/m)
  // Words of the machinery behind the help, and of documentation elsewhere.
  expect(stdout).not.toMatch(/default: \[\]|Whether|undefined/)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

test('continue --help-all lists what may differ from the start, and nothing else', async () => {
  const { exitCode, stdout } = await pypet(fileTree({}), ['continue', '--help-all'])
  expect(exitCode).toBe(0)
  const flags = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z0-9-]+)/gm)].map(([, flag]) => flag)
  expect(flags).toEqual([
    '--ncores',
    '--dry-run',
    '--retry-failed',
    '--only',
    '--job',
    '--allow-changed-job',
    '--quiet',
    '--verbose',
    '--json',
    '--help-all',
    '--help',
    '--executor',
    '--multiproc',
    '--no-multiproc',
    '--isolate',
    '--memory-limit',
    '--cpu-cap',
    '--memory-cap',
    '--swap-cap',
    '--niceness',
    '--retries',
    '--timeout',
    '--on-error',
    '--max-failures',
    '--keep-cnt',
    '--immediate-postprocessing',
    '--log-folder',
    '--log-level',
    '--no-log',
    '--log-runs',
    '--no-log-stdout',
    '--log-transports',
    '--progress',
    '--progress-step',
    '--commit-interval-ms',
    '--reader-wait-ms',
    '--cnt-compact-bytes',
    '--wrap-mode',
    '--queue-maxsize',
    '--storage-service',
    '--break-lock',
  ])
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

const COMMANDS = [
  'run',
  'plan',
  'continue',
  'expand',
  'merge',
  'snapshot',
  'convert',
  'restore',
  'verify',
  'overview',
  'table',
  'export',
  'show',
  'compare',
  'plot',
  'view',
  'init',
  'completion',
]

test.each(['', ...COMMANDS])('the help of pypet-ts %s fits on 80 columns', async (command) => {
  const { exitCode, stdout } = await pypet(fileTree({}), [...(command === '' ? [] : [command]), '--help'])
  expect(exitCode).toBe(0)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  // Each command but help has its case.
  if (command === '') expect(stdout.match(/^ {2}[a-z|]+ [[<]/gm)).toHaveLength(COMMANDS.length + 1)
})

test('plot --help lists its flags and examples', async () => {
  const { exitCode, stdout } = await pypet(fileTree({}), ['plot', '--help'])
  expect(exitCode).toBe(0)
  const flags = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z0-9-]+)/gm)].map(([, flag]) => flag)
  expect(flags).toEqual([
    '--trajectory',
    '--x',
    '--y',
    '--color',
    '--facet',
    '--kind',
    '--where',
    '--to',
    '--force',
    '--verbose',
    '--help',
  ])
  expect(stdout).toMatch(/^Examples:\n {2}\$ pypet-ts plot/m)
})

test('overview --help lists its flags and examples', async () => {
  const { exitCode, stdout } = await pypet(fileTree({}), ['help', 'overview'])
  expect(exitCode).toBe(0)
  for (const flag of ['--trajectory <name>', '--runs', '--json']) expect(stdout).toContain(flag)
  expect(stdout).toMatch(/^Examples:\n {2}\$ pypet-ts overview/m)
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const { exitCode, stdout } = await pypet(fileTree({}), ['--version'])
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${version}\n` })
})

test('without a command the help is printed, on stderr and with exit code 2: nothing was done', async () => {
  const asked = await pypet(fileTree({}), ['--help'])
  expect(asked.stdout).toMatch(/Usage: pypet-ts[\s\S]*run [\s\S]*overview [\s\S]*Exit codes:/)
  const bare = await pypet(fileTree({}), [])
  expect(bare).toEqual({ ...asked, exitCode: 2, stdout: '', stderr: asked.stdout })
})

test.each([
  ['show', ['--trajectory <name>', '--all', '--json']],
  ['compare', ['--trajectory <name>', '--json']],
])('%s --help lists its flags and examples', async (command, flags) => {
  const { exitCode, stdout } = await pypet(fileTree({}), [command, '--help'])
  expect(exitCode).toBe(0)
  for (const flag of flags) expect(stdout).toContain(flag)
  expect(stdout).toMatch(new RegExp(`^Examples:\n {2}\\$ pypet-ts ${command} hdf5/job.h5`, 'm'))
})

test('plan --help lists the flags that change points, with examples, on 80 columns', async () => {
  const { exitCode, stdout } = await pypet(fileTree({}), ['plan', '--help'])
  expect(exitCode).toBe(0)
  for (const flag of [
    '--csv',
    '--json',
    '--limit <n>',
    '--sample <method:count>',
    '--where <condition>',
    '--repeat <n>',
  ]) {
    expect(stdout).toContain(flag)
  }
  expect(stdout).toMatch(/^Examples:\n {2}\$ pypet-ts plan job\.ts/m)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})
