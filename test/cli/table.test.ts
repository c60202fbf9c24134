/** `pypet-ts table` and `pypet-ts export`, as a shell calls them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet, start } from './pypet.ts'

const JOB = `
import { defineExperiment, parameter } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: parameter(1, { unit: 'mV' }), mode: 'fast', tau: 20 },
  explore: { x: [1, 1.5, 2, 3], mode: ['fast', 'slow', 'fast', 'slow'] },
  run(traj) {
    const { x } = traj.par
    if (x === 3) throw new TypeError('three is "bad", \\u001b[31mred')
    traj.addResult('z', x * x, { unit: 'V' })
    traj.addResult('n', 2n ** 62n + BigInt(traj.idx))
    traj.addResult('label', x === 2 ? 'a,b' : '')
    traj.addResult('trace', Float64Array.of(x, NaN, -0))
    if (x > 1) traj.addResult('rare', true)
  },
})`
const LONG_JOB = `
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
export default { name: 'long', parameters: { x: 0, stop: '' }, async run(traj) {
  while (traj.par.x > 5 && !existsSync(traj.par.stop)) await delay(10)
  traj.addResult('z', traj.par.x)
} }`

let folder = ''

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB, 'long.mjs': LONG_JOB })
  for (const layout of ['tree', 'columns'])
    await pypet(folder, [
      'run',
      'job.mjs',
      '--layout',
      layout,
      '--file',
      `${layout}.h5`,
      '--ncores',
      '1',
      '--quiet',
    ])
}, 60_000)

const table = (...words: readonly string[]) => pypet(folder, ['table', ...words])

describe.each(['tree', 'columns'])('the table of the layout %s', (layout) => {
  const file = `${layout}.h5`

  test('has every run, with units and types in the head, and the error of a failed run', async () => {
    const { stdout, stderr, exitCode } = await table(file)
    expect([stderr, exitCode]).toEqual(['', 0])
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      '  run        x  mode  label                    n  rare        z  status  failure',
      '            mV                                                V',
      'int32  float64  str   str                  int64  bool  float64  str     str',
      '    0        1  fast         4611686018427387904  –           1  stored  –',
      '    1      1.5  slow         4611686018427387905  true     2.25  stored  –',
      '    2        2  fast  a,b    4611686018427387906  true        4  stored  –',
      '    3        3  slow  –                        –  –           –  failed  TypeError: three is "bad", �[31mred',
      '',
    ])
  })

  test('is CSV, JSON lines and JSON for programs', async () => {
    const columns = ['--select', 'run,x,n,label,rare,z,failure']
    const csv = await table(file, '--csv', ...columns)
    expect(csv.stdout).toBe(
      [
        'run,x,n,label,rare,z,failure',
        '0,1,4611686018427387904,"",,1,',
        '1,1.5,4611686018427387905,"",true,2.25,',
        '2,2,4611686018427387906,"a,b",true,4,',
        '3,3,,,,,"TypeError: three is ""bad"", \u001b[31mred"',
        '',
      ].join('\n'),
    )
    const lines = await table(file, '--jsonl', '--select', 'run,n,trace,failure', '--where', 'run in [2, 3]')
    expect(lines.stdout).toBe(
      `${[
        '{"run":2,"n":4611686018427387906,"trace":[2,"NaN",-0.0],"failure":null}',
        '{"run":3,"n":null,"trace":null,"failure":"TypeError: three is \\"bad\\", \\u001b[31mred"}',
      ].join('\n')}\n`,
    )
    const { stdout } = await table(file, '--json', '--limit', '1')
    expect(JSON.parse(stdout)).toMatchObject({
      trajectory: 'demo',
      run_count: 4,
      stored: 3,
      failed: 1,
      missing: 0,
      row_count: 1,
      rows: [{ run: 0, x: 1, mode: 'fast', z: 1, status: 'stored' }],
    })
    expect(JSON.parse(stdout).columns[1]).toEqual({
      name: 'x',
      kind: 'parameter',
      dtype: 'float64',
      shape: [],
      unit: 'mV',
      comment: '',
    })
  })

  test.each([
    ['z > 1 && (x < 2 || status == "failed")', [1]],
    ['status == "failed" || z == 1', [0, 3]],
    ['z == null', [3]],
    ['!(z > 1)', [0, 3]],
    ['mode in ["slow", "other"]', [1, 3]],
    ['n == 4611686018427387905', [1]],
    ['rare', [1, 2]],
    ['trace[0] >= 1.5 && isnan(trace[1])', [1, 2]],
    ['length(trace) == 3 && sum(trace) > 0', []],
    ['max(x, 2) == 2', [0, 1, 2]],
    ['label + "!" == "a,b!"', [2]],
    ['tau == 20 && failure == null', [0, 1, 2]],
  ])('finds %s', async (where, runs) => {
    const { stdout } = await pypet(folder, ['query', file, '--jsonl', '--select', 'run', '--where', where])
    expect(
      stdout
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).run),
    ).toEqual(runs)
  })

  test('sorts, groups and limits', async () => {
    const sorted = await table(file, '--csv', '--select', 'x,z', '--sort', '-z,x')
    expect(sorted.stdout).toBe('x,z\n2,4\n1.5,2.25\n1,1\n3,\n')
    const grouped = await table(
      file,
      '--csv',
      '--group-by',
      'mode',
      '--agg',
      'mean(z), n = count(), count(z)',
      '--sort',
      '-mode',
    )
    expect(grouped.stdout).toBe('mode,mean(z),n,count(z)\nslow,2.25,2,1\nfast,2.5,2,2\n')
  })

  test('is exported to every format', async () => {
    const select = ['--select', 'run,x,n,label,z,trace', '--where', 'status == "stored"']
    for (const ending of ['jsonl', 'parquet', 'nc']) {
      const { exitCode } = await pypet(folder, ['export', file, `${layout}.${ending}`, ...select])
      expect(exitCode).toBe(0)
    }
    const lines = readFileSync(join(folder, `${layout}.jsonl`), 'utf8')
      .trim()
      .split('\n')
    expect(lines).toHaveLength(3)
    const bytes = readFileSync(join(folder, `${layout}.parquet`))
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    })
    expect(rows).toEqual([
      { run: 0, x: 1, n: 4611686018427387904n, label: '', z: 1, trace: [1, Number.NaN, -0] },
      { run: 1, x: 1.5, n: 4611686018427387905n, label: '', z: 2.25, trace: [1.5, Number.NaN, -0] },
      { run: 2, x: 2, n: 4611686018427387906n, label: 'a,b', z: 4, trace: [2, Number.NaN, -0] },
    ])
    const long = await pypet(folder, [
      'export',
      file,
      `${layout}.csv`,
      '--select',
      'x,trace',
      '--long',
      '--limit',
      '2',
    ])
    expect(long.exitCode).toBe(0)
    expect(readFileSync(join(folder, `${layout}.csv`), 'utf8')).toBe(
      'x,index,trace\n1,0,1\n1,1,NaN\n1,2,-0.0\n1.5,0,1.5\n1.5,1,NaN\n1.5,2,-0.0\n',
    )
  })
})

test('an export says what it left out, replaces only with --force, and leaves nothing when it fails', async () => {
  const { stderr, stdout } = await pypet(folder, ['export', 'columns.h5', 'all.csv', '--all'])
  expect(stderr).toContain('left out, because they are not single values: trace')
  expect(stdout).toContain('all.csv: 4 rows')
  expect(readFileSync(join(folder, 'all.csv'), 'utf8').split('\n')[0]).toContain('tau')
  const again = await pypet(folder, ['export', 'columns.h5', 'all.csv'])
  expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('Replace it with --force')])
  const json = await pypet(folder, [
    'export',
    'columns.h5',
    'all.csv',
    '--force',
    '--json',
    '--where',
    'x > 100',
  ])
  expect(JSON.parse(json.stdout)).toMatchObject({
    event: 'export',
    file: 'all.csv',
    format: 'csv',
    row_count: 0,
  })
  expect(readFileSync(join(folder, 'all.csv'), 'utf8').trim().split('\n')).toHaveLength(1)
  const wrong = await pypet(folder, ['export', 'columns.h5', 'new.csv', '--select', 'zz'])
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean z?')])
  expect(existsSync(join(folder, 'new.csv'))).toBe(false)
  expect(readdirSync(folder).filter((name) => name.includes('.export.'))).toEqual([])
})

test.each([
  [['table', 'none.h5'], 'none.h5'],
  [['table', 'job.mjs'], 'it has no HDF5 signature'],
  [['table', 'tree.h5', '--select', 'modes'], 'Did you mean mode?'],
  [['table', 'tree.h5', '--where', 'x > "a"'], 'takes a number here, found a text at position 5'],
  [['table', 'tree.h5', '--where', 'x'], 'found a number where a condition is expected'],
  [['table', 'tree.h5', '--where', 'x and z'], 'Write && for and'],
  [['table', 'tree.h5', '--limit', 'ten'], '--limit'],
  [['table', 'tree.h5', '--csv', '--json'], 'exclude each other'],
  [['table', 'tree.h5', '--trajectory', 'dem'], 'Did you mean "demo"?'],
  [['table', 'tree.h5', '--agg', 'mean(label)'], 'mean takes numbers'],
  [['table', 'tree.h5', '--agg', 'meann(z)'], 'Did you mean mean?'],
  [['table', 'tree.h5', '--select', 'x,,z'], 'empty part'],
  [['export', 'tree.h5', 'a.xls'], 'Known endings: .csv, .parquet, .jsonl, .nc'],
  [['export', 'tree.h5', 'missing/a.csv'], 'does not exist'],
  [['export', 'tree.h5', '.csv'], 'no ending'],
  [['export', 'tree.h5', 'a.parquet', '--long'], '--long is for CSV'],
])('%j is refused: %s', async (words, message) => {
  const { exitCode, stderr } = await pypet(folder, words)
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)])
})

test('an empty selection is no error: the head is printed, and stderr says so', async () => {
  const { exitCode, stdout, stderr } = await table(
    'tree.h5',
    '--csv',
    '--select',
    'x,z',
    '--where',
    'x > 100',
  )
  expect([exitCode, stdout, stderr]).toEqual([0, 'x,z\n', 'none of the 4 runs matches --where x > 100\n'])
})

test('a file with several trajectories needs a name', async () => {
  await pypet(folder, ['run', 'job.mjs', '--file', 'two.h5', '--quiet', '--ncores', '1'])
  await pypet(folder, ['run', 'job.mjs', '--file', 'two.h5', '--name', 'other', '--quiet', '--ncores', '1'])
  const { exitCode, stderr } = await table('two.h5')
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--trajectory')])
  const other = await table('two.h5', '--trajectory', 'other', '--csv', '--select', 'run')
  expect(other.stdout).toBe('run\n0\n1\n2\n3\n')
})

test.each(['tree', 'columns'])(
  'a running experiment in the layout %s has a table of its last commit',
  async (layout) => {
    const stop = join(folder, `stop-${layout}`)
    const words = [
      'run',
      'long.mjs',
      '--layout',
      layout,
      '--file',
      `long-${layout}.h5`,
      '--name',
      layout,
      '--ncores',
      '1',
    ]
    const running = start(folder, [
      ...words,
      '--json',
      '--explore',
      'x=0,1,2,3,4,5,6,7',
      '--set',
      `stop=${stop}`,
    ])
    await running.until(
      ({ stdout }) =>
        stdout.includes('"stored_count":6') ||
        ((stdout.match(/"runs":\[/g)?.length ?? 0) > 0 && stdout.includes('5]')),
    )
    const { stdout, exitCode } = await table(`long-${layout}.h5`, '--csv', '--select', 'run,z,status')
    expect(exitCode).toBe(0)
    const rows = stdout.trim().split('\n').slice(1)
    expect(rows).toHaveLength(8)
    expect(rows.slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5].map((run) => `${run},${run},stored`))
    expect(rows.slice(6)).toEqual(['6,,missing', '7,,missing'])
    writeFileSync(stop, '')
    expect((await running.ended()).exitCode).toBe(0)
  },
)
