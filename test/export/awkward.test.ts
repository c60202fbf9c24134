/** Values that do not fit a column easily reach every format, or are named among what was left out. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import h5wasm, { type Dataset } from 'h5wasm/node'
import { parquetReadObjects } from 'hyparquet'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadTrajectory } from '../../dist/index.js'
import { Hdf5File } from '../../src/hdf5/file.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0, arr: [1, 2] },
  run(traj) {
    const { x } = traj.par
    if (x === 3) throw new Error('three')
    traj.addResult('mat', { data: Float64Array.from({ length: 2 * (x + 1) }, (_, at) => at), shape: [2, x + 1] })
    traj.addResult('sc', x === 1 ? 1.5 : [1.5, 2.5])
    traj.addResult('kind', x === 0 ? Int32Array.of(7, 8) : Float64Array.of(x, 0.5))
    traj.addResult('u', BigUint64Array.of(2n ** 64n - 1n, 1n))
    traj.addResult('neg', -(2n ** 63n) + BigInt(x))
    traj.addResult('flags', [x > 0, true])
    traj.addResult('il', x === 0 ? [1n, 2n] : [0.5])
    traj.addResult('day', new Date(Date.UTC(2026, 0, x + 1)))
    traj.addResult('words', ['a,b', 'c'])
    traj.addResult('nothing', new Float64Array(0))
    traj.addResult('t', Float64Array.of(x, x))
    traj.addResult('t_0', x)
    traj.addResult('string5', 'abcde')
    traj.addResult('c', { re: x, im: 1 })
    traj.addResult('grey', Uint8Array.of(255, x))
    traj.addResult('every', Uint8Array.from({ length: 256 }, (_, at) => at))
    traj.addResult('exact', x === 0 ? 2n ** 53n + 1n : 0.5)
    traj.addResult('exacts', x === 0 ? BigInt64Array.of(2n ** 53n + 1n, 1n) : Float64Array.of(0.5, 1))
    traj.addResult('pair', x === 0 ? BigInt64Array.of(1n, 2n) : Float64Array.of(0.5, 1))
    traj.addResult('wide', x === 0 ? Int32Array.of(-1) : BigInt64Array.of(2n ** 53n + 1n))
    if (x === 2) traj.addResult('flag', true)
  },
})`

let folder = ''
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
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
      '--explore',
      'x=0,1,2,3',
    ])
  await pypet(folder, [
    'run',
    'job.mjs',
    '--file',
    'arrays.h5',
    '--ncores',
    '1',
    '--quiet',
    '--explore',
    'x=0,1',
    '--explore',
    'arr=[1],[2]',
  ])
}, 60_000)

async function exported(file: string, ...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await pypet(folder, ['export', `${file}.h5`, ...words, '--force'])
  expect([stderr, exitCode]).toEqual([stderr, 0])
  return stdout + stderr
}

async function parquetRows(name: string): Promise<Record<string, unknown>[]> {
  const { buffer, byteOffset, byteLength } = readFileSync(at(name))
  return await parquetReadObjects({ file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer })
}

describe.each(['tree', 'columns'])('of the layout %s', (layout) => {
  test('Parquet has every value', async () => {
    await exported(layout, 'all.parquet')
    const rows = await parquetRows('all.parquet')
    expect(rows[0]).toMatchObject({
      mat: [[0], [1]],
      sc: '[1.5,2.5]',
      kind: [7, 8],
      u: [2n ** 64n - 1n, 1n],
      neg: -(2n ** 63n),
      flags: [false, true],
      il: [1, 2],
      day: '2026-01-01T00:00:00.000Z',
      words: ['a,b', 'c'],
      nothing: [],
      'c.real': 0,
      'c.imag': 1,
      exact: '9007199254740993',
      exacts: '[9007199254740993,1]',
      pair: [1, 2],
      wide: [-1n],
    })
    expect(rows[1]).toMatchObject({
      exact: '0.5',
      exacts: '[0.5,1]',
      pair: [0.5, 1],
      wide: [2n ** 53n + 1n],
      mat: [
        [0, 1],
        [2, 3],
      ],
      kind: [1, 0.5],
      sc: '1.5',
      il: [0.5],
    })
    expect(rows[3]).toMatchObject({ x: 3, status: 'failed' })
    // Its reader gives undefined for a null list.
    for (const name of ['mat', 'kind', 'u', 'sc'])
      expect([name, rows[3]?.[name] ?? null]).toEqual([name, null])
  })

  test('NetCDF keeps names apart, converts types, and names what it leaves out', async () => {
    const said = await exported(layout, 'all.nc')
    const leftOut = /left out, because NetCDF has no form for them: (.*)/.exec(said)?.[1]?.split(', ').sort()
    expect(leftOut).toEqual(['exact', 'exacts', 'il', 'mat', 'nothing', 'sc', 'words'])
    expect(said).toContain('dimensions: x (4)')
  })

  test('no integer of a run is the fill value of its NetCDF variable', async () => {
    await exported(layout, 'all.nc')
    await h5wasm.ready
    const file = new h5wasm.File(at('all.nc'), 'r')
    try {
      const read = (name: string) => {
        const dataset = file.get(name) as Dataset
        const [fill] = Array.from(dataset.attrs['_FillValue']?.value as Int16Array)
        return { fill, dtype: dataset.dtype, values: Array.from(dataset.value as Int16Array) }
      }
      expect(read('grey')).toEqual({ fill: 254, dtype: '<B', values: [255, 0, 255, 1, 255, 2, 254, 254] })
      const { fill, dtype, values } = read('every')
      expect([fill, dtype]).toEqual([-32768, '<h'])
      expect(values.slice(0, 256)).toEqual(Array.from({ length: 256 }, (_, at) => at))
      expect(values.slice(3 * 256)).toEqual(Array.from({ length: 256 }, () => -32768))
      const neg = read('neg')
      expect([neg.fill, neg.values[0]]).toEqual([-(2n ** 63n) + 4096n, -(2n ** 63n)])
    } finally {
      file.close()
    }
  })

  test('an expression that NetCDF cannot name is refused', async () => {
    const words = ['export', `${layout}.h5`, 'no.nc', '--select', 'run, t_0/2']
    const { exitCode, stderr } = await pypet(folder, words)
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('ratio = t_0/2')])
    expect(existsSync(at('no.nc'))).toBe(false)
  })

  test('long CSV has a line for every run, and for every element', async () => {
    expect(await exported(layout, 'long.csv', '--long', '--select', 'run,kind,flags,mat')).toContain(
      'long.csv: 13 rows, 5 columns',
    )
    expect(readFileSync(at('long.csv'), 'utf8')).toBe(
      [
        'run,index,kind,flags,mat',
        '0,0,7,false,0',
        '0,1,8,true,1',
        '1,0,1,true,0',
        '1,1,0.5,true,1',
        '1,2,,,2',
        '1,3,,,3',
        '2,0,2,true,0',
        '2,1,0.5,true,1',
        '2,2,,,2',
        '2,3,,,3',
        '2,4,,,4',
        '2,5,,,5',
        '3,,,,',
        '',
      ].join('\n'),
    )
    const { exitCode, stderr } = await pypet(folder, [
      'export',
      `${layout}.h5`,
      'no.csv',
      '--long',
      '--select',
      'run,x',
    ])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('no column has arrays')])
  })

  test.each([
    ['neg == -9223372036854775807', [1]],
    ['u[0] == 18446744073709551615', [0, 1, 2]],
    ['max(u) == 18446744073709551615', [0, 1, 2]],
    ['exact == 9007199254740993', [0]],
    ['max(exacts) == 9007199254740993 || pair[0] == 0.5', [0, 1, 2]],
    ['flags[0] == true', [1, 2]],
    ['t_0 != 0', [1, 2]],
    ['t == null', [3]],
    ['t != null && x-1 == 0', [1]],
    ['flag', [2]],
    ['!flag && status == "stored"', [0, 1]],
    ['c != null', [0, 1, 2]],
  ])('finds %s', async (where, runs) => {
    const { stdout, stderr } = await pypet(folder, [
      'table',
      `${layout}.h5`,
      '--csv',
      '--select',
      'run',
      '--where',
      where,
    ])
    expect([stderr, stdout.trim().split('\n').slice(1).map(Number)]).toEqual(['', runs])
  })

  test.each([
    [['--where', 'c == 1'], 'found a complex number'],
    [['--agg', 'max(t)'], 'max takes numbers or texts'],
    [['--agg', 'quantile(day, 0.5)'], 'quantile takes numbers'],
    [['--select', 'a = x, a = t_0'], 'two columns have the name a'],
  ])('%j is refused: %s', async (words, message) => {
    const { exitCode, stderr } = await pypet(folder, ['table', `${layout}.h5`, ...words])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  test('in a table, uint64 stays positive, expressions may stand without spaces, and missing rows have the type of their column', async () => {
    using traj = await loadTrajectory(at(`${layout}.h5`))
    const [first] = traj.table({ columns: 'u[0], m = x-1, x, x' })
    expect(first).toEqual({ 'u[0]': 2n ** 64n - 1n, m: -1, x: 0 })
    const failed = traj.table({ columns: 'neg,t', where: 'status == "failed"' })
    expect(failed.columns).toEqual({ neg: BigInt64Array.of(0n), t: Float64Array.of(Number.NaN, Number.NaN) })
    for (const options of [
      { columns: 5 },
      { columns: [3] },
      { where: null },
      { where: '' },
      { sort: {} },
      { limit: '3' },
    ])
      expect(() => traj.table(options as never)).toThrow(expect.objectContaining({ code: 'PYPET_USAGE' }))
  })
})

test('an explored array is no dimension, and is named where CSV leaves it out', async () => {
  expect(await exported('arrays', 'arrays.nc')).toContain(
    'dimensions: run (4): not all explored parameters have single values: arr',
  )
  expect(await exported('arrays', 'arrays.csv')).toContain(
    'left out, because they are not single values: arr',
  )
})

test('without an explored parameter among the columns, there is only the dimension run', async () => {
  expect(await exported('tree', 'part.nc', '--select', 'run,t_0')).toContain('dimensions: run (4)')
})

test('a file is not exported to itself', async () => {
  const { exitCode, stderr } = await pypet(folder, ['export', 'tree.h5', 'tree.h5', '--force'])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Known endings')])
})

test.runIf(process.platform === 'linux')('a full disk is reported, not thrown', async () => {
  const { spawnSync } = await import('node:child_process')
  const { status, stderr } = spawnSync(
    'sh',
    [
      '-c',
      `"$0" "$1" table tree.h5 --csv > /dev/full`,
      process.execPath,
      join(import.meta.dirname, '../../bin/pypet-ts.js'),
    ],
    { cwd: folder, encoding: 'utf8' },
  )
  expect([status, stderr]).toEqual([1, expect.stringContaining('cannot write the output')])
})

test('runs that another program has added are rows without values', async () => {
  const job = `import { defineExperiment } from 'pypet-ts'
    export default defineExperiment({ name: 'T', parameters: { x: 0 }, run(traj) { traj.addResult('z', traj.par.x) } })`
  const own = fileTree({ 'job.mjs': job })
  await pypet(own, ['run', 'job.mjs', '--layout', 'columns', '--file', 'c.h5', '--explore', 'x=1,2'])
  await Hdf5File.write(join(own, 'c.h5'), 'append', (file) =>
    file.apply([{ type: 'resize-table', path: '/T/overview/runs', rowCount: 4 }]),
  )
  const { exitCode, stderr } = await pypet(own, ['export', 'c.h5', 'c.parquet'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const { buffer, byteOffset, byteLength } = readFileSync(join(own, 'c.parquet'))
  const rows = await parquetReadObjects({
    file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
  })
  expect(rows.map(({ z, status }) => [z, status])).toEqual([
    [1, 'stored'],
    [2, 'stored'],
    [null, 'missing'],
    [null, 'missing'],
  ])
})
