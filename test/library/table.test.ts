/** `traj.table`: what runs stored comes back, from either layout and any state of a file. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { convertFile, isPypetError, loadTrajectory, run, type Trajectory } from '../../dist/index.js'
import { randomFrom } from '../crash/long-form.ts'
import { stoppedAfter } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'

const SEED = Number(process.env.PYPET_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const LAYOUTS = ['tree', 'columns'] as const

/** What each run stores, the same in the job and in the test. */
const RESULTS = `
export const failsIn = (seed, run) => hash(seed, run, 99) % 9 === 0
export function resultsOf(seed, run) {
  const pick = (number) => hash(seed, run, number)
  const results = {}
  const shape = hash(seed, 0, 1) % 3 + 1
  results.z = [0.5 * run, -0, NaN, Infinity, 1e-300, 123456789.125][pick(2) % 6]
  results['neuron.rate'] = pick(3) % 1000
  results.big = 2n ** 62n + BigInt(run)
  results.flag = pick(4) % 2 === 0
  results.label = ['', 'a,b', 'quote "q"', 'päper', 'line\\nbreak'][pick(5) % 5]
  results.trace = Float64Array.from({ length: shape }, (_, at) => run + at / 10)
  if (pick(6) % 3 > 0) results.rare = run
  if (pick(7) % 4 > 0) results.other = pick(7) % 4 === 1 ? 'text ' + run : run + 0.25
  if (pick(8) % 5 === 0) results.status = 'mine'
  results.ragged = Array.from({ length: pick(9) % 3 + 1 }, (_, at) => at)
  if (pick(10) % 2 === 0) results.nothing = null
  return results
}
export function hash(...numbers) {
  let state = 2166136261
  for (const number of numbers) state = Math.imul(state ^ number, 16777619) ^ (state >>> 13)
  return (state >>> 0) % 1_000_003
}`

const JOB = `
import { defineExperiment } from 'pypet-ts'
import { failsIn, resultsOf } from './results.mjs'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0, seed: 0, mode: 'fast' },
  run(traj) {
    const { x, seed } = traj.par
    if (failsIn(seed, x)) throw new TypeError('run ' + x + ' is broken')
    for (const [name, value] of Object.entries(resultsOf(seed, x))) traj.addResult(name, value)
    traj.addResult('fit', { slope: x / 3, c: { re: x, im: -x } })
    traj.addDerivedParameter('d', x + 1)
  },
})`

interface Results {
  readonly failsIn: (seed: number, run: number) => boolean
  readonly resultsOf: (seed: number, run: number) => Record<string, unknown>
}

function folderOf(): string {
  return fileTree({ 'job.mjs': JOB, 'results.mjs': RESULTS })
}

async function experiment(
  folder: string,
  layout: (typeof LAYOUTS)[number],
  seed: number,
  { runs = 12, stopAfter = Number.POSITIVE_INFINITY } = {},
): Promise<string> {
  const filename = join(folder, `${layout}.h5`)
  await run(join(folder, 'job.mjs'), {
    options: { filename, layout, logging: false, ncores: 2 },
    set: { seed: String(seed) },
    explore: [`x=0:${runs}:1`],
    ...(stopAfter < runs && stoppedAfter(stopAfter)),
  })
  return filename
}

/** The column of each result. The fact \`status\` comes before a result of this name. */
const columnOf = (name: string) => (name === 'status' ? 'results.status' : name)

function expectStored(traj: Trajectory, { resultsOf, failsIn }: Results, seed: number): void {
  const rows = [...traj.table({ columns: '*', sort: 'run' })]
  expect(rows).toHaveLength(traj.length)
  for (const [run, row] of rows.entries()) {
    const isFailed = failsIn(seed, run)
    expect(row).toMatchObject({ run, x: run, mode: 'fast', seed })
    if (row.status === 'missing') continue
    expect(row).toMatchObject({
      status: isFailed ? 'failed' : 'stored',
      failure: isFailed ? `TypeError: run ${run} is broken` : null,
      attempts: 1,
      d: isFailed ? null : run + 1,
      'fit.slope': isFailed ? null : run / 3,
      'fit.c': isFailed ? null : { re: run, im: -run },
    })
    const expected = isFailed ? {} : resultsOf(seed, run)
    const names = [...'z,neuron.rate,big,flag,label,trace,rare,other,status,ragged,nothing'.split(',')]
    for (const name of names) {
      const value = row[columnOf(name)] ?? null
      const plain = ArrayBuffer.isView(value) && name === 'ragged' ? [...(value as Float64Array)] : value
      expect(plain, `${name} of run ${run}, seed ${seed}`).toEqual(expected[name] ?? null)
    }
  }
}

test(`what runs stored comes back as rows, the same from both layouts, seed ${SEED}`, async () => {
  const random = randomFrom(SEED)
  for (let round = 0; round < 2; round += 1) {
    const seed = Math.floor(random() * 100_000)
    const folder = folderOf()
    const results = (await import(pathToFileURL(join(folder, 'results.mjs')).href)) as Results
    const tables: unknown[] = []
    for (const layout of LAYOUTS) {
      using traj = await loadTrajectory(await experiment(folder, layout, seed))
      expectStored(traj, results, seed)
      // Times differ.
      const rows = [...traj.table({ columns: '*' })].map(({ start: _, runtime: __, ...row }) => row)
      tables.push(rows.map((row) => ({ ...row, ragged: row.ragged && Array.from(row.ragged as number[]) })))
    }
    expect(tables[1]).toEqual(tables[0])
  }
}, 120_000)

test.each(LAYOUTS)(
  'an interrupted experiment in the layout %s has missing runs in its table',
  async (layout) => {
    const folder = folderOf()
    const results = (await import(pathToFileURL(join(folder, 'results.mjs')).href)) as Results
    using traj = await loadTrajectory(await experiment(folder, layout, 7, { runs: 600, stopAfter: 1 }))
    expectStored(traj, results, 7)
    const missing = traj.table({ columns: 'run,x,z', where: 'status == "missing"' })
    expect(missing.length).toBeGreaterThan(0)
    for (const { run, x, z } of missing) expect([x, z]).toEqual([run, null])
  },
)

test('a converted file has the same table', async () => {
  const folder = folderOf()
  const source = await experiment(folder, 'tree', 5, { runs: 4 })
  // Failed runs can be repeated, so the experiment is finished without them.
  const results = (await import(pathToFileURL(join(folder, 'results.mjs')).href)) as Results
  expect([0, 1, 2, 3].some((x) => results.failsIn(5, x))).toBe(false)
  const target = join(folder, 'converted.h5')
  await convertFile(source, target, { layout: 'columns' })
  using before = await loadTrajectory(source)
  using after = await loadTrajectory(target)
  const rowsOf = (traj: Trajectory) =>
    [...traj.table({ columns: '*' })].map((row) => ({ ...row, ragged: Array.from(row.ragged as number[]) }))
  expect(rowsOf(after)).toEqual(rowsOf(before))
})

describe('of a grid', () => {
  const GRID = `
  import { defineExperiment, parameter } from 'pypet-ts'
  export default defineExperiment({
    parameters: { x: parameter(1, { unit: 'mV' }), mode: 'fast' },
    explore: { x: [1, 2, 3, 1, 2, 3], mode: ['fast', 'fast', 'fast', 'slow', 'slow', 'slow'] },
    run(traj) {
      const { x, mode } = traj.par
      traj.addResult('z', mode === 'slow' ? x * 10 : x, { unit: 'V', comment: 'a product' })
      traj.addResult('trace', Float64Array.of(x, 2 * x, 3 * x))
    },
  })`

  let filename = ''

  beforeAll(async () => {
    const folder = fileTree({ 'job.mjs': GRID })
    filename = join(folder, 'grid.h5')
    await run(join(folder, 'job.mjs'), { options: { filename, layout: 'columns', logging: false } })
  })

  const grid = () => loadTrajectory(filename)

  test('columns are typed arrays with units', async () => {
    using traj = await grid()
    const table = traj.table()
    expect(table.names).toEqual(['run', 'x', 'mode', 'z', 'status', 'runtime'])
    expect(table.columns.z).toEqual(Float64Array.of(1, 2, 3, 10, 20, 30))
    expect(table.column('z')).toMatchObject({
      unit: 'V',
      comment: 'a product',
      dtype: 'float64',
      shape: [],
      present: undefined,
    })
    expect(table.column('x')).toMatchObject({ unit: 'mV', dtype: 'float64' })
    expect(table.columns.mode).toEqual(['fast', 'fast', 'fast', 'slow', 'slow', 'slow'])
    expect(table.column('none')).toBeUndefined()
    const arrays = traj.table({ columns: ['trace'], limit: 2 }).column('trace')
    expect(arrays).toMatchObject({ shape: [3], values: Float64Array.of(1, 2, 3, 2, 4, 6) })
  })

  test('groups are summarised', async () => {
    using traj = await grid()
    const table = traj.table({ groupBy: 'mode', agg: 'mean(z), n = count(), max(x), quantile(z, 0.5)' })
    expect([...table]).toEqual([
      { mode: 'fast', 'mean(z)': 2, n: 3, 'max(x)': 3, 'quantile(z, 0.5)': 2 },
      { mode: 'slow', 'mean(z)': 20, n: 3, 'max(x)': 3, 'quantile(z, 0.5)': 20 },
    ])
    expect(table.column('mean(z)')?.unit).toBe('V')
    expect([...traj.table({ agg: 'sum(z)' })]).toEqual([{ 'sum(z)': 66 }])
  })

  test('expressions, wildcards, conditions, an order and a limit choose', async () => {
    using traj = await grid()
    expect([
      ...traj.table({
        columns: 'x, m = mean(trace), last = trace[-1]',
        where: 'mode in ["slow"]',
        sort: '-x',
        limit: 2,
      }),
    ]).toEqual([
      { x: 3, m: 6, last: 9 },
      { x: 2, m: 4, last: 6 },
    ])
    expect(traj.table({ columns: 'tr*,z' }).names).toEqual(['trace', 'z'])
  })

  test('what does not fit is refused by name', async () => {
    using traj = await grid()
    const codeOf = (options: Parameters<typeof traj.table>[0]) => {
      try {
        traj.table(options)
      } catch (error) {
        return isPypetError(error) ? [error.code, error.message, error.hint] : error
      }
      return undefined
    }
    expect(codeOf({ columns: 'zz' })).toEqual([
      'PYPET_COLUMN_UNKNOWN',
      expect.stringContaining('no column "zz"'),
      'Did you mean z?',
    ])
    expect(codeOf({ where: 'z >' })).toEqual([
      'PYPET_EXPRESSION_INVALID',
      expect.stringContaining('position 4'),
      expect.any(String),
    ])
    expect(codeOf({ wherre: 'z > 1' } as never)).toEqual([
      'PYPET_CONFIG_UNKNOWN_KEY',
      expect.any(String),
      'Did you mean where?',
    ])
    expect(codeOf({ limit: -1 })).toEqual([
      'PYPET_USAGE',
      expect.stringContaining('limit'),
      expect.any(String),
    ])
    expect(codeOf({ columns: 'x', agg: 'mean(z)' })).toEqual([
      'PYPET_USAGE',
      expect.any(String),
      expect.any(String),
    ])
  })
})
