/** `docs/environment.md`, `docs/continuing.md`, `docs/configuration.md`: what they show, done; what they list, complete. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configReference } from '../src/experiment/config-reference.ts'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'
import { ROOT } from './source-tree.ts'

const page = (name: string) => readFileSync(join(ROOT, 'docs', name), 'utf8')
const blocks = (name: string, language: string) => codeIn(page(name), language)

describe('docs/environment.md', () => {
  const examples = blocks('environment.md', 'js')

  test('has its examples', () => expect(examples).toHaveLength(7))

  test.each(examples.map((code, index) => [index, code] as const))(
    'example %i prints what it says',
    (_, code) => {
      const folder = fileTree({})
      const runnable = code.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js')))
      writeFileSync(join(folder, 'script.mjs'), runnable)
      const printed = execFileSync(process.execPath, ['script.mjs'], { cwd: folder, encoding: 'utf8' })
      const said = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)]
        .map(([, text]) => `${text}\n`)
        .join('')
      expect(said).not.toBe('')
      expect(printed).toBe(said)
    },
  )
})

test("docs/environment.md: a class of one's own is a parameter and a result", async () => {
  const written = [...blocks('environment.md', 'ts'), ...blocks('environment.md', 'mjs')]
  const files = written.map((code) => [
    /^\/\/ (\S+)/.exec(code)?.[1] ?? '',
    code.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js'))),
  ])
  const folder = fileTree(Object.fromEntries(files))
  const [command = ''] = blocks('environment.md', 'sh')
  const ran = await pypet(folder, command.trim().split(' ').slice(1))
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  expect(execFileSync(process.execPath, ['look.mjs'], { cwd: folder, encoding: 'utf8' })).toBe('3\n30\n')
})

test('docs/continuing.md: its commands stop, show and go on', async () => {
  const folder = fileTree({
    'job.ts': `import { existsSync } from 'node:fs'
import { arange, cartesianProduct, defineExperiment } from 'pypet-ts'
export default defineExperiment({
  parameters: { x: 0 },
  explore: cartesianProduct({ x: arange(0, 30) }),
  run(traj) {
    if (traj.par.x === 3 && !existsSync('mended')) throw new Error('not yet')
    traj.addResult('z', traj.par.x)
  },
})
`,
  })
  const [, commands = ''] = blocks('continuing.md', 'sh')
  const [begin, look, goOn] = commands
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(1))
  expect((await pypet(folder, begin ?? [])).exitCode).toBe(3)
  const shown = await pypet(folder, look ?? [])
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' })
  expect(shown.stdout).toContain('failed:   1')
  writeFileSync(join(folder, 'mended'), '')
  const ended = await pypet(folder, goOn ?? [])
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toContain('30 runs stored in runs.h5')
})

test('docs/continuing.md: its script gives a function again', () => {
  const [code = ''] = blocks('continuing.md', 'js')
  const folder = fileTree({
    'script.mjs': code.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js'))),
  })
  const printed = execFileSync(process.execPath, ['script.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(printed).toBe('1\n1,4,9\n')
})

test('docs/configuration.md is what the table of options says', () => {
  expect(page('configuration.md')).toBe(configReference())
})

test('arguments behind -- reach the job, and its post-processing', async () => {
  const folder = fileTree({
    'job.mjs': `export default (traj, ...args) => traj.addResult('args', { all: args })
export const postprocess = (traj, results, ...args) => void traj.addResult('later', { all: args })
`,
  })
  const words = ['run', 'job.mjs', '--file', 'f.h5', '--quiet', '--', '--any=flag', 'two']
  expect(await pypet(folder, words)).toMatchObject({ exitCode: 0, stderr: '' })
  const { stdout } = await pypet(folder, ['overview', 'f.h5', '--json'])
  expect(stdout).toContain('--any=flag')
  const refused = await pypet(folder, ['run', 'job.mjs', 'extra'])
  expect(refused.exitCode).toBe(2)
})

test('docs/logging.md: its commands and its script do what they say', async () => {
  const folder = fileTree({
    'job.ts': `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  parameters: { x: 0 },
  explore: { x: [1, 2, 3, 4] },
  run: (traj) => traj.log.info('x is ' + traj.par.x),
})
`,
  })
  const [commands = ''] = blocks('logging.md', 'sh')
  for (const line of commands.trim().split('\n')) {
    const words = line
      .split(' ')
      .slice(1)
      .map((word) => word.replaceAll("'", ''))
    expect(await pypet(folder, words)).toMatchObject({ exitCode: 0, stderr: '' })
  }
  const logs = join(folder, 'logs', 'job')
  expect(readFileSync(join(logs, 'run_00000002.txt'), 'utf8')).toContain('x is 3')
  const [script = ''] = blocks('logging.md', 'js')
  writeFileSync(
    join(folder, 'script.mjs'),
    script.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js'))),
  )
  expect(execFileSync(process.execPath, ['script.mjs'], { cwd: folder, encoding: 'utf8' })).toBe('4\n')
})
