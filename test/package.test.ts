import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'
import { ROOT } from './source-tree.ts'

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')

test('every dependency is pinned to one version', () => {
  const ranges = Object.entries<string>({ ...manifest.dependencies, ...manifest.devDependencies })
  expect(ranges.filter(([, range]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))).toEqual([])
})

test('the lock file names no registry', () => {
  expect(lock).not.toMatch(/"resolved"/)
})

test('the package holds what it needs to run, and nothing else', () => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const packed: { files: { path: string }[] } = Object.values(JSON.parse(listed))[0] as never
  const paths = packed.files.map(({ path }) => path)
  const expected = ['bin/pypet-ts.js', 'dist/index.js', 'dist/index.d.ts', 'dist/pypet.schema.json']
  expect(expected.filter((path) => !paths.includes(path))).toEqual([])
  const strange = paths.filter(
    (path) =>
      !/^(bin|dist|docs)\/|^(README|CHANGELOG|ARCHITECTURE)\.md$|^LICENSE$|^package\.json$/.test(path),
  )
  expect(strange).toEqual([])
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const linked = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string)
  expect(linked.length).toBeGreaterThan(12)
  expect(linked.filter((path) => !paths.includes(path))).toEqual([])
})

test('the entries of the package resolve, with types first', async () => {
  const { publint } = await import('publint')
  const { messages } = await publint({ pkgDir: ROOT, pack: 'npm' })
  expect(messages).toEqual([])
})

test('the library exports these names', async () => {
  const library = await import('pypet-ts')
  expect(Object.keys(library).sort()).toEqual([
    'Environment',
    'MemoryStorage',
    'PypetError',
    'Trajectory',
    'arange',
    'between',
    'cartesianProduct',
    'choice',
    'concat',
    'continueRun',
    'convertFile',
    'defineExperiment',
    'derive',
    'findUniquePoints',
    'integer',
    'isPypetError',
    'latinHypercube',
    'linspace',
    'loadTrajectory',
    'logBetween',
    'logspace',
    'mergeFiles',
    'mergeFolder',
    'mergeInto',
    'onlyIf',
    'parameter',
    'points',
    'random',
    'repeat',
    'restore',
    'run',
    'sobol',
    'table',
    'verify',
    'where',
    'zip',
  ])
})

test('the compiled modules import compiled modules', () => {
  const dist = join(ROOT, 'dist')
  const wrong = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .filter((path) => /(?:from|import\()\s*["'][^"']*\.ts["']/.test(readFileSync(join(dist, path), 'utf8')))
  expect(wrong).toEqual([])
})

test('the first example of docs/environment.md compiles strictly where nothing else is installed, and so does the package', () => {
  const [example = ''] = codeIn(readFileSync(join(ROOT, 'docs/environment.md'), 'utf8'), 'js')
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    preserveSymlinks: true,
    types: [],
    noEmit: true,
  }
  const folder = fileTree({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['script.ts'] }),
  })
  writeFileSync(join(folder, 'script.ts'), example)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(ROOT, join(folder, 'node_modules/pypet-ts'))
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const told = (() => {
    try {
      return execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
    } catch (error) {
      return (error as { readonly stdout: string }).stdout
    }
  })()
  expect(told).toBe('')
})
