/** What the build makes of `src`: few files for each process, one copy of each class, and nothing it did not expect. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { bundleJob } from '../../src/experiment/job-source.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'

const DIST = join(ROOT, 'dist')

/** The files of `dist` that loading these loads, as static imports say. */
function reach(files: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  for (const file of files) {
    if (seen.has(file)) continue
    seen.add(file)
    reach(ownImports(readFileSync(join(DIST, file), 'utf8')), seen)
  }
  return seen
}

function ownImports(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+\.js)"/g)].map(([, file]) => file as string)
}

/** Those that a bundled job addresses. */
async function importsOfJob(source: string): Promise<string[]> {
  const bundle = await bundleJob(join(fileTree({ 'job.ts': source }), 'job.ts'))
  onTestFinished(() => bundle.dispose())
  const text = readFileSync(fileURLToPath(bundle.url), 'utf8').split('//# sourceMappingURL')[0] as string
  return [...text.matchAll(/"file:\/\/[^"]*\/dist\/([^"]+)"/g)].map(([, file]) => file as string)
}

test('a thread loads few files of ours for a job that defines and explores', async () => {
  const imports = await importsOfJob(`import { cartesianProduct, defineExperiment, parameter } from 'pypet-ts'
    export default defineExperiment({
      parameters: { x: parameter(1) },
      explore: cartesianProduct({ x: [1, 2] }),
      run(traj) { traj.addResult('z', traj.par.x) },
    })`)
  expect(imports.length).toBeGreaterThan(0)
  const files = reach(['run-thread.js', ...imports])
  // The goal is 60 modules.
  expect(files.size).toBeLessThanOrEqual(12)
})

test('a job that uses the library loads it, and the same files as a script does', async () => {
  const imports = await importsOfJob(`import * as pypet from 'pypet-ts'
    export default (traj) => traj.addResult('z', Object.keys(pypet).length)`)
  expect(reach(imports)).toEqual(new Set([...reach(['index.js'])].filter((file) => file !== 'index.js')))
})

test('the writer is one file, and the library of HDF5 beside it', () => {
  expect([...reach(['writer-process.js'])]).toEqual(['writer-process.js'])
  const text = readFileSync(join(DIST, 'writer-process.js'), 'utf8')
  expect(
    [...text.matchAll(/new URL\("\.\/([^"]+)",\s*import\.meta\.url\)/g)].map(([, file]) => file),
  ).toEqual(['hdf5.wasm'])
})

test('the command line begins with few files', () => {
  const main = readdirSync(DIST).find((name) => /^main-\w+\.js$/.test(name)) as string
  const run = readdirSync(DIST).find(
    (name) =>
      /^perform-\w+\.js$/.test(name) &&
      /export\{[^}]*\brunCommand\b/.test(readFileSync(join(DIST, name), 'utf8')),
  ) as string
  expect(reach(['launch.js']).size).toBeLessThanOrEqual(4)
  expect(reach(['launch.js', main]).size).toBeLessThanOrEqual(12)
  expect(reach(['launch.js', main, run]).size).toBeLessThanOrEqual(24)
})

test('the bundles hold no path of the machine that made them, and the licences of what they hold', () => {
  const names = readdirSync(DIST).filter((name) => name.endsWith('.js'))
  expect(names.filter((name) => readFileSync(join(DIST, name), 'utf8').includes(ROOT))).toEqual([])
  const licenses = readFileSync(join(DIST, 'bundled-licenses.txt'), 'utf8')
  const bundled = [
    'commander',
    'h5wasm',
    'picocolors',
    'fastest-levenshtein',
    '@observablehq/plot',
    'linkedom',
    'd3-scale',
  ]
  for (const name of bundled) {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'))
    expect(licenses).toContain(`${name} ${version}\n`)
  }
})

test('what draws pictures is one file, loaded for these only, which needs none of the packages in it', () => {
  expect([...reach(['pictures.js'])]).toEqual(['pictures.js'])
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const text = readFileSync(join(DIST, 'pictures.js'), 'utf8')
  const imported = [...text.matchAll(/^import\b[^;]*?from"([^"]+)"/gm)].map(([, name]) => name as string)
  expect(imported.filter((name) => !name.startsWith('node:') && !(name in dependencies))).toEqual([])
  const others = readdirSync(DIST).filter((name) => name.endsWith('.js') && name !== 'pictures.js')
  const users = others.filter((name) => readFileSync(join(DIST, name), 'utf8').includes('pictures.js'))
  expect(users).toHaveLength(1)
  for (const name of users)
    expect(readFileSync(join(DIST, name), 'utf8')).toContain('import("./pictures.js")')
})

test('the build refuses an h5wasm that it does not know', () => {
  const folder = fileTree({})
  for (const name of ['bin', 'src', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== 'h5wasm') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  cpSync(join(ROOT, 'node_modules/h5wasm'), join(modules, 'h5wasm'), { recursive: true })
  appendFileSync(join(modules, 'h5wasm/dist/node/hdf5_util.js'), '\n')
  const { status, stderr } = spawnSync(process.execPath, ['bin/build.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(status).not.toBe(0)
  expect(stderr).toMatch(
    /hdf5_util\.js is not the one that bin\/build\.mjs knows: its SHA-256 is [0-9a-f]{64}/,
  )
})
