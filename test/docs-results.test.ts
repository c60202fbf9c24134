/** `docs/results.md`: its examples run, and the tasks of a scientist take three commands. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import * as library from '../dist/index.js'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'
import { PYTHON } from './interop/python.ts'

const page = readFileSync(new URL('../docs/results.md', import.meta.url), 'utf8')
const jobs = [...page.matchAll(/[Tt]he job `(\w+\.ts)`[^`]*```ts\n(.*?)^```$/gms)]
const commands = codeIn(page, 'sh').flatMap((code) => code.trim().split('\n'))

let folder = ''
const printed = new Map<string, string>()

/** The commands in their order. */
beforeAll(async () => {
  folder = fileTree(Object.fromEntries(jobs.map(([, name = '', code = '']) => [name, code])))
  for (const line of commands) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
    const { exitCode, stdout, stderr } = await pypet(folder, words.slice(1))
    // Some points of the search fail.
    expect([line, exitCode, exitCode === 0 ? '' : stderr]).toEqual([
      line,
      line.includes('run search.ts') ? 3 : 0,
      line.includes('run search.ts') ? stderr : '',
    ])
    printed.set(line, stdout)
  }
}, 300_000)

const outputOf = (part: string) => [...printed].find(([line]) => line.includes(part))?.[1] ?? ''

test('the page has three jobs, and each of its commands runs', () => {
  expect(jobs.map(([, name]) => name)).toEqual(['search.ts', 'ising.ts', 'lotka.ts'])
  expect(printed.size).toBeGreaterThan(12)
  for (const name of ['search.csv', 'search.parquet', 'search.jsonl', 'curves.csv', 'lotka.nc'])
    expect([name, existsSync(join(folder, name))]).toEqual([name, true])
})

test('the ten best points of a search are stored runs, the smallest loss first', () => {
  const [names = '', , , ...rows] = outputOf('--sort loss --limit 10').trim().split('\n')
  const at = names.trim().split(/ +/).indexOf('loss')
  const losses = rows.map((row) => Number(row.trim().split(/ +/)[at]))
  expect(losses).toHaveLength(10)
  expect(losses).toEqual(losses.toSorted((one, other) => one - other))
  expect(outputOf('\'status == "failed"\'')).toContain('the loss is not finite')
})

test('the magnetisation falls with the temperature, and has error bars', () => {
  const rows = outputOf("'mean(magnetisation), sem(magnetisation)'").trim().split('\n').slice(2)
  const cells = rows.map((row) => row.trim().split(/ +/).map(Number))
  expect(cells).toHaveLength(12)
  const ofSize8 = cells.filter(([size]) => size === 8).map(([, , mean = 0]) => mean)
  expect(ofSize8.at(0)).toBeGreaterThan(0.9)
  expect(ofSize8.at(-1)).toBeLessThan(0.5)
  for (const [, , , error = 0] of cells) expect(error).toBeLessThan(0.3)
  expect(outputOf('--y magnetisation')).toContain('mean ± standard deviation')
})

test.skipIf(spawnSync(PYTHON, ['-c', 'import xarray, netCDF4']).status !== 0)(
  'xarray selects a point of the ODE scan by its parameters',
  () => {
    const [code = ''] = codeIn(page, 'python')
    const { stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', '-c', code], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect([stderr, stdout]).toEqual([expect.any(String), expect.stringMatching(/^\d+\.\d+ animals\n$/)])
  },
)

test('the script', async () => {
  const code = codeIn(page, 'ts').at(-1) ?? ''
  const lines = code
    .replace(/^import.*\n/m, '')
    .replace('using traj', 'const traj')
    .replace('hdf5/', `${folder}/hdf5/`)
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<unknown>
  const shown: unknown[][] = []
  const names = ['loadTrajectory', 'console']
  const values = [library.loadTrajectory, { log: (...words: unknown[]) => shown.push(words) }]
  const result = await new AsyncFunction(
    ...names,
    `${lines}\ntry { return [best.column('rate').unit, groups.length] } finally { traj.close() }`,
  )(...values)
  expect(result).toEqual(['1/step', 2])
  expect(shown).toHaveLength(10)
})
