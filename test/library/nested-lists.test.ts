/** Lists of lists, the whole way: what a job is given, what the file holds, and what comes back. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Environment } from '../../src/library/environment.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { continueRun, run } from '../../src/library/run.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { verify } from '../../src/library/verify.ts'
import { integer } from '../../src/values/value-forms.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { isSkipped, PYTHON } from '../interop/python.ts'

const MATRICES = {
  numbers: [
    [1, 2, 3],
    [4, 5, 6.5],
  ],
  cube: [
    [[1], [2]],
    [[3], [4]],
  ],
  flags: [
    [true, false],
    [false, true],
  ],
  texts: [
    ['a', 'länger'],
    ['', 'b'],
  ],
  complex: [[{ re: 1, im: -2 }]],
  bigints: [[1n, -5n]],
  whole: [[1, 2]],
  empty: [[], []],
}
type Seen = typeof MATRICES

/** The job tells what it is given, writes into it, and stores it; given a file, its second run fails until that is there. */
function jobFile(): string {
  const folder = fileTree({
    'job.ts': `import { existsSync } from 'node:fs'
import { cartesianProduct, defineExperiment, integer } from 'pypet-ts'
export default defineExperiment({
  name: 'matrices',
  parameters: {
    x: 1,
    m: {
      numbers: [[1, 2, 3], [4, 5, 6.5]], cube: [[[1], [2]], [[3], [4]]], flags: [[true, false], [false, true]],
      texts: [['a', 'länger'], ['', 'b']], complex: [[{ re: 1, im: -2 }]], bigints: [[1n, -5n]],
      whole: [[integer(1), integer(2)]], empty: [[], []] as number[][],
    },
  },
  explore: cartesianProduct({ x: [1, 2] }),
  run(traj, mended?: string) {
    const { m, x } = traj.par
    if (x === 2 && mended !== undefined && !existsSync(mended)) throw new Error('not yet')
    const row = m.numbers[0] as number[]
    const first = row[0]
    // The run's own: no other run finds this.
    row[0] = 100 * x
    traj.addResult('again', { ...m, whole: m.whole.map((inner) => inner.map((n) => integer(n))) })
    return JSON.stringify([first, m.flags, m.texts, m.complex, typeof m.bigints[0]?.[0], m.whole, m.empty, traj.seed])
  },
})
`,
  })
  return join(folder, 'job.ts')
}

const TOLD = JSON.stringify([
  1,
  MATRICES.flags,
  MATRICES.texts,
  MATRICES.complex,
  'bigint',
  [[1, 2]],
  [[], []],
])
const withoutSeed = (told: unknown) => JSON.stringify(JSON.parse(String(told)).slice(0, -1))

test('a job is given the same lists of lists in every executor, after continue, expand and verify', async () => {
  const job = jobFile()
  const folder = join(job, '..')
  const options = (name: string) => ({ filename: join(folder, `${name}.h5`), logging: false })
  const told: string[] = []
  for (const executor of ['inline', 'pool', 'process'] as const) {
    const { returned } = await run(job, { options: { ...options(executor), executor }, collect: true })
    told.push(JSON.stringify(returned))
    expect(returned?.map(({ value }) => withoutSeed(value))).toEqual([TOLD, TOLD])
  }
  expect(new Set(told).size).toBe(1)

  const mended = join(folder, 'mended')
  await run(job, { options: options('continued'), args: [mended], collect: true })
  writeFileSync(mended, '')
  const continued = await continueRun(join(folder, 'continued.h5'), {
    retryFailed: true,
    collect: true,
    options: { ncores: 2, logging: false },
  })
  expect(JSON.stringify(continued.returned)).toBe(told[0])

  const { identicalCount } = await verify(join(folder, 'pool.h5'), { runs: 'all' })
  expect(identicalCount).toBe(2)
  const expanded = await pypet(folder, ['expand', 'pool.h5', '--explore', 'x=3', '--no-log'])
  expect([expanded.exitCode, expanded.stderr]).toEqual([0, ''])

  using traj = await loadTrajectory<{ m: Seen }>(join(folder, 'pool.h5'))
  for (const [name, value] of Object.entries(MATRICES)) {
    const read = name === 'bigints' ? [[1, -5]] : value
    expect(traj.value(`parameters.m.${name}`)).toEqual(read)
    for (const run of [0, 1, 2]) {
      const stored = traj.get(`results.runs.${traj.runNames[run]}.again`) as unknown as {
        get(item: string): unknown
      }
      const again = name === 'numbers' ? [[100 * (run + 1), 2, 3], MATRICES.numbers[1]] : read
      expect(stored.get(name)).toEqual(again)
    }
  }
})

test('a script gives lists of lists to its jobs, as parameters, derived parameters, results and annotations', async () => {
  const filename = join(fileTree({}), 'f.h5')
  await using env = new Environment({ trajectory: 'script', filename, logging: false })
  env.trajectory.addParameter('m', [[1, 2]])
  env.trajectory.addParameter('big', [[1n]])
  env.trajectory.addParameter('whole', [[integer(1)]])
  env.trajectory.addDerivedParameter('d', [['a']])
  env.trajectory.addResult('r', { deep: { flags: [[true]] } }).annotate({ unit: [[1, 2]] })
  const told = await env.run((traj) => {
    const { m, big, whole } = traj.par as unknown as { m: number[][]; big: bigint[][]; whole: number[][] }
    return [m, big, whole]
  })
  expect(told).toEqual([[0, [[[1, 2]], [[1n]], [[1]]]]])
  using traj = await loadTrajectory(filename)
  expect([traj.value('derived_parameters.d'), traj.value('r'), traj.get('r').annotations]).toEqual([
    [['a']],
    { flags: [[true]] },
    { unit: { data: Float64Array.of(1, 2), shape: [1, 2] } },
  ])
})

test('lists of lists are explored, and a run gets a copy of its own', async () => {
  const folder = fileTree({
    'job.ts': `import { cartesianProduct, defineExperiment } from 'pypet-ts'
export default defineExperiment({
  parameters: { m: [[1, 2]], flags: [[true]], big: [[1n]], plain: { data: new Float64Array(2), shape: [1, 2] } },
  explore: cartesianProduct({ m: [[[1, 2]], [[3], [4]]], flags: [[[false]]], big: [[[5n]]] }),
  run(traj) {
    const { m, flags, big, plain } = traj.par
    const told = [JSON.stringify(m), flags[0]?.[0], typeof big[0]?.[0], 'shape' in plain]
    const row = m[0] as number[]
    row[0] = 7
    return told
  },
})
`,
  })
  const options = { filename: join(folder, 'f.h5'), logging: false }
  const { returned } = await run(join(folder, 'job.ts'), { options, collect: true })
  expect(returned?.map(({ value }) => value)).toEqual([
    ['[[1,2]]', false, 'bigint', true],
    ['[[3],[4]]', false, 'bigint', true],
  ])
  const explored = await pypet(folder, [
    'run',
    'job.ts',
    '--explore',
    'm=[[5,6]],[[7,8]]',
    '--point',
    '1',
    '--no-log',
  ])
  expect([explored.exitCode, explored.stdout]).toEqual([0, expect.stringContaining('[[7,8]]')])
})

test.skipIf(isSkipped)('PyTables sees arrays of that shape', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const traj = new Trajectory({ name: 't', filename, parameters: { m: MATRICES.numbers } })
  traj.addResult('all', { texts: MATRICES.texts, flags: MATRICES.flags, whole: [[integer(1), integer(2)]] })
  await traj.store()
  traj.close()
  const script = `
import sys, json, tables
f = tables.open_file(sys.argv[1]); r = f.root.t.results.all
m = f.root.t.parameters.m
text = lambda b: b.decode() if isinstance(b, bytes) else str(b)
print(json.dumps([m.data__rr__.read().tolist(), text(m._v_attrs.SRVC_INIT_CLASS_NAME), r.flags.read().tolist(), str(r.whole.dtype),
  [[text(x) for x in row] for row in r.texts.read().tolist()], text(r.texts.attrs.SRVC_DATA_COLL_TYPE)]))
`
  const { stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', '-c', script, filename], { encoding: 'utf8' })
  expect(stderr).not.toContain('Error')
  expect(JSON.parse(stdout)).toEqual([
    MATRICES.numbers,
    'ArrayParameter',
    [
      [1, 0],
      [0, 1],
    ],
    'int64',
    MATRICES.texts,
    'COLL_NDARRAY',
  ])
})
