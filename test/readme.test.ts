/** What README.md and the experiments' READMEs say, done. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { codeIn } from './code-blocks.ts'
import { ROOT } from './source-tree.ts'

const CLI = join(ROOT, 'bin/pypet-ts.js')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-test-readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function pypet(...command: string[]) {
  return spawnSync(process.execPath, [CLI, ...command], { cwd: folder, encoding: 'utf8' })
}

/** The words of each line, without what it says of itself. */
function linesOf(commands: string): string[] {
  return commands
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, ''))
}

describe('README.md', () => {
  const [firstCommands, walk, results] = codeIn(README, 'sh') as [string, string, string]
  const [experiment, script] = codeIn(README, 'ts') as [string, string]
  const [python] = codeIn(README, 'python') as [string]

  test('its first two commands run the example and the tests', () => {
    expect(firstCommands.trim().split('\n')).toEqual([
      'npm ci && npx pypet-ts run experiments/multiply/job.ts --ncores 2',
      'npm ci && npm test',
    ])
    const run = pypet('run', join(ROOT, 'experiments/multiply/job.ts'), '--ncores', '2')
    expect(run.stderr).toBe('')
    expect(run.stdout).toMatch(
      /^12 runs stored in hdf5\/multiply\.h5, in .* s \(.* runs\/s\)\nlogs: {2}logs\/multiply\nnext: {2}pypet-ts overview hdf5\/multiply\.h5\n/m,
    )
    expect(run.status).toBe(0)
  })

  test('its five commands lead a newcomer from nothing to an overview', () => {
    const lines = linesOf(walk)
    expect(lines).toHaveLength(5)
    const [init = '', ...others] = lines
    expect(init).toBe('pypet-ts init my-experiment && cd my-experiment')
    expect(pypet('init', 'my-experiment').status).toBe(0)
    for (const line of others) {
      const { status, stderr } = spawnSync(process.execPath, [CLI, ...line.split(/\s+/).slice(1)], {
        cwd: join(folder, 'my-experiment'),
        encoding: 'utf8',
      })
      expect(`${line}: ${stderr}${status}`).toBe(`${line}: 0`)
    }
  })

  test('its commands show the results of the example', () => {
    for (const line of linesOf(results)) {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
      const { status, stdout } = pypet(...words.slice(1))
      expect([line, status, stdout.length > 0]).toEqual([line, 0, true])
    }
  })

  test('its experiment is that of experiments/multiply', () => {
    const [, code = ''] = experiment.split('// job.ts\n')
    expect(readFileSync(join(ROOT, 'experiments/multiply/job.ts'), 'utf8')).toContain(code)
  })

  test('its picture shows what the commands print', () => {
    const own = join(folder, 'picture')
    mkdirSync(own)
    writeFileSync(join(own, 'job.ts'), experiment)
    const shown = [
      ...readFileSync(join(ROOT, 'docs/terminal.svg'), 'utf8').matchAll(/<text[^>]*>(.*)<\/text>/g),
    ]
      .map(([, text = '']) => text.replaceAll(/<[^>]*>/g, ''))
      .filter((line) => !line.includes('█'))
    const [, run, , overview] = shown
      .join('\n')
      .split(/^\$ ?(.*)$/m)
      .map((text) => text.trim())
    expect([run, overview]).toEqual(['pypet-ts run job.ts --ncores 2', 'pypet-ts overview hdf5/multiply.h5'])
    const printed = [run, overview].flatMap((command = '') => {
      const { stdout } = spawnSync(process.execPath, [CLI, ...command.split(' ').slice(1)], {
        cwd: own,
        encoding: 'utf8',
      })
      return stdout.split('\n').map(unmeasured)
    })
    const claimed = shown.filter((line) => line !== '' && !line.startsWith('$')).map(unmeasured)
    expect(claimed.filter((line) => !printed.includes(line))).toEqual([])
  })

  test('its script runs the experiment', () => {
    writeFileSync(join(folder, 'job.ts'), experiment)
    const installed = script.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js')))
    writeFileSync(join(folder, 'script.mjs'), installed)
    const printed = execFileSync(process.execPath, ['script.mjs'], { cwd: folder, encoding: 'utf8' })
    expect(printed).toBe('3\n{ run_00000000: 6, run_00000001: 12, run_00000002: 18 }\n')
    expect(existsSync(join(folder, 'experiments.h5'))).toBe(true)
  })

  test('its Python reads the file', (context) => {
    const hasH5py = spawnSync('/usr/bin/python3', ['-c', 'import h5py']).status === 0
    if (!hasH5py && process.env.PYPET_TEST_REQUIRE_INTEROP !== '1')
      context.skip('python3-h5py is not installed')
    const printed = execFileSync('/usr/bin/python3', ['-c', python], { cwd: folder, encoding: 'utf8' })
    expect(printed).toMatch(/^12\.0\n/)
    expect(printed).toContain("b'run_00000001'")
  })
})

/** A line without what each run of a command measures anew. */
function unmeasured(line: string): string {
  return line.replaceAll(/\d+(\.\d+)? (kB|s|runs\/s)(?=\b)/g, '… $2').trimEnd()
}

describe('docs/commands.md', () => {
  const [experiment] = codeIn(README, 'ts') as [string]
  const [commands] = codeIn(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8'), 'sh') as [string]
  const lines = linesOf(commands)

  test('its commands run the experiment of the README', () => {
    writeFileSync(join(folder, 'job.ts'), experiment)
    expect(lines.filter((line) => line.startsWith('pypet-ts run'))).toHaveLength(3)
    for (const line of lines) {
      const words = line.split(/\s+/).slice(1)
      // They need files that the example does not have: the next test.
      if (words[0] === 'merge' || words[0] === 'expand') continue
      // The example has the same name as the one before; each command writes a file of its own.
      const own = words[0] === 'run' ? ['--file', join(folder, 'own.h5'), '--overwrite'] : []
      // The first command ran a job elsewhere.
      if (words[0] === 'verify') own.push('--job', join(ROOT, 'experiments/multiply/job.ts'))
      const result = pypet(...words, ...own)
      expect(`${line}: ${result.stderr}`).toBe(`${line}: `)
      expect(result.status).toBe(0)
    }
  })

  test('its experiment is expanded, and merged with another', () => {
    const own = join(folder, 'grows')
    mkdirSync(own)
    writeFileSync(join(own, 'job.ts'), experiment)
    const words = (name: string) =>
      (lines.find((line) => line.startsWith(`pypet-ts ${name} `)) ?? '').split(' ').slice(1)
    const inOwn = (command: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...command], {
        cwd: own,
        encoding: 'utf8',
      })
      expect(`${command.join(' ')}: ${stderr}${status}`).toBe(`${command.join(' ')}: 0`)
      return stdout
    }
    inOwn(['run', 'job.ts', '--file', 'a.h5', '--explore', 'x=1,2', '--explore', 'y=6,7'])
    mkdirSync(join(own, 'hdf5'))
    copyFileSync(join(own, 'a.h5'), join(own, 'hdf5/multiply.h5'))
    expect(inOwn(words('expand'))).toMatch(/points added, 4 existed already/)
    inOwn(['run', 'job.ts', '--file', 'b.h5', '--explore', 'x=1,3', '--explore', 'y=6,7'])
    expect(inOwn(words('merge'))).toContain('c.h5: multiply, ')
  })
})

test.skipIf(process.platform === 'win32')(
  'docs/continuing.md: its crash loses nothing, and the experiment goes on to its end',
  () => {
    const page = readFileSync(join(ROOT, 'docs/continuing.md'), 'utf8')
    const [sweep] = codeIn(page, 'ts') as [string]
    const [crash] = codeIn(page, 'sh') as [string]
    writeFileSync(join(folder, 'sweep.ts'), sweep)
    const command = join(folder, 'pypet-ts')
    writeFileSync(
      command,
      `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@"\n`,
      { mode: 0o755 },
    )
    const { status, stdout, stderr } = spawnSync('bash', ['-c', crash], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    })
    expect(status, stderr).toBe(0)
    const [, stored, missing] = /stored: +(\d+) of 100 runs\n.*\n +missing: +(\d+)\n/.exec(stdout) ?? []
    expect(Number(stored) + Number(missing)).toBe(100)
    expect(Number(missing)).toBeGreaterThan(0)
    expect(stdout).toContain('continue pypet-ts continue hdf5/sweep.cnt')
    expect(stdout).toMatch(/\n100 runs stored in hdf5\/sweep\.h5(, \d+ of them before)?, in /)
    expect(existsSync(join(folder, 'hdf5/sweep.cnt'))).toBe(false)
  },
)

test.each([
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'experiments')).map((name) => `experiments/${name}/README.md`),
])('%s: every relative link names a file', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] as string)
  const dead = links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))
  expect(dead).toEqual([])
})

test.each(readdirSync(join(ROOT, 'experiments')))(
  'experiments/%s/README.md: what its commands run is there',
  (name) => {
    const text = readFileSync(join(ROOT, 'experiments', name, 'README.md'), 'utf8')
    const paths = [...text.matchAll(/(?<![\w/])experiments\/[\w./-]+\.\w+/g)].map(([path]) => path)
    const scripts = [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, script]) => script as string)
    expect(paths.length + scripts.length).toBeGreaterThan(0)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    const known = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts
    expect(scripts.filter((script) => known[script] === undefined)).toEqual([])
  },
)
