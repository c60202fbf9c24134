/** Others read what `pypet-ts export` writes, value by value: pandas, xarray and DuckDB against h5py. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from 'vitest'
import { pypetTs, useFolder } from './command.ts'
import { isSkipped, PYTHON, tellWhatIsMissing } from './python.ts'

const folder = useFolder()
const JOB = `
import { parameter } from 'pypet-ts'
export default { name: 'T', parameters: { x: parameter(1, { unit: 'mV' }), y: 1, mode: 'fast' }, run(traj) {
  const { x, y, mode } = traj.par
  if (x === 3 && y === 20 && mode === 'slow') throw new Error('broken')
  traj.addResult('z', Math.sin(x * y) * 1e-9, { unit: 'V', comment: 'a wave' })
  traj.addResult('n', 2n ** 62n + BigInt(traj.idx))
  traj.addResult('tiny', traj.idx === 1 ? NaN : -0)
  traj.addResult('label', 'run ' + traj.idx)
  traj.addResult('trace', Float32Array.of(x, y, x + y))
  traj.addResult('c', { re: x, im: y })
  traj.addResult('grey', Uint8Array.of(255, traj.idx))
  traj.addResult('low', traj.idx === 0 ? -(2n ** 63n) : 1n)
} }`

tellWhatIsMissing()

/** Prints what is not equal. */
function python(code: string): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', '-c', code], {
    cwd: folder(),
    encoding: 'utf8',
  })
  expect([stderr, status]).toEqual([expect.any(String), 0])
  return stdout.trim()
}

function has(...packages: readonly string[]): boolean {
  if (process.env.PYPET_TEST_REQUIRE_INTEROP === '1') return true
  return spawnSync(PYTHON, ['-c', `import ${packages.join(', ')}`]).status === 0
}

/** The leaves, as h5py sees them. */
const LEAVES = `
import h5py, numpy as np
f = h5py.File('tree.h5')
N = 12
def leaf(run, name):
    path = f'T/results/runs/run_{run:08d}/{name}/{name}'
    return f[path][()] if path in f else None
x = f['T/parameters/x/explored_data']['data']
y = f['T/parameters/y/explored_data']['data']
mode = [m.decode() for m in f['T/parameters/mode/explored_data']['data']]
stored = [run for run in range(N) if leaf(run, 'z') is not None]
assert len(stored) == N - 1, stored
same = lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes()
`

describe.skipIf(isSkipped)('an export', () => {
  beforeAll(() => {
    writeFileSync(join(folder(), 'job.mjs'), JOB)
    const explored = ['--explore', 'x=1,2,3', '--explore', 'y=10,20', '--explore', 'mode=fast,slow']
    for (const layout of ['tree', 'columns']) {
      const words = [
        'run',
        'job.mjs',
        '--layout',
        layout,
        '--file',
        `${layout}.h5`,
        '--ncores',
        '2',
        '--quiet',
      ]
      // One run fails.
      pypetTs(folder(), [...words, ...explored], { exitCode: 3 })
      for (const ending of ['csv', 'jsonl', 'nc', 'parquet'])
        pypetTs(folder(), ['export', `${layout}.h5`, `${layout}.${ending}`])
    }
  })

  describe.each(['tree', 'columns'])('of the layout %s', (layout) => {
    test.skipIf(!has('pandas', 'h5py'))('as CSV is for pandas what h5py reads', () => {
      const code = `${LEAVES}
import pandas as pd
d = pd.read_csv('${layout}.csv', float_precision='round_trip', dtype={'n': str}).set_index('run')
assert list(d.index) == list(range(N))
assert list(d.x) == list(x) and list(d.y) == list(y) and list(d['mode']) == mode
assert list(d.status) == ['stored' if run in stored else 'failed' for run in range(N)]
for run in stored:
    row = d.loc[run]
    assert same(row.z, leaf(run, 'z')), run
    assert int(row.n) == leaf(run, 'n'), run
    assert same(row.tiny, leaf(run, 'tiny')) or np.isnan(row.tiny) and np.isnan(leaf(run, 'tiny')), run
    assert row.label == leaf(run, 'label').decode()
    assert row['c.real'] == leaf(run, 'c').real and row['c.imag'] == leaf(run, 'c').imag
failed = d[d.status == 'failed'].iloc[0]
assert pd.isna(failed.z) and failed.failure == 'Error: broken'
print('equal')`
      expect(python(code)).toBe('equal')
    })

    test.skipIf(!has('h5py'))('as JSON lines is for Python what h5py reads', () => {
      const code = `${LEAVES}
import json
rows = [json.loads(line) for line in open('${layout}.jsonl')]
assert [row['run'] for row in rows] == list(range(N))
for run in stored:
    row = rows[run]
    assert row['n'] == leaf(run, 'n') and same(float(row['z']), leaf(run, 'z'))
    assert row['trace'] == list(leaf(run, 'trace'))
assert rows[11]['z'] is None and rows[11]['trace'] is None
print('equal')`
      expect(python(code)).toBe('equal')
    })

    test.skipIf(!has('xarray', 'netCDF4', 'h5netcdf', 'h5py')).each(['netcdf4', 'h5netcdf'])(
      'as NetCDF has the parameters as dimensions for xarray with %s',
      (engine) => {
        const code = `${LEAVES}
import xarray as xr
d = xr.open_dataset('${layout}.nc', engine='${engine}')
assert dict(d.z.sizes) == {'x': 3, 'y': 2, 'mode': 2}, d.z.sizes
assert d.z.attrs['units'] == 'V' and d.z.attrs['long_name'] == 'a wave' and d.x.attrs['units'] == 'mV'
for run in range(N):
    at = d.sel(x=x[run], y=y[run], mode=mode[run])
    assert int(at.run) == run
    assert str(at.status.values) == ('stored' if run in stored else 'failed')
    if run not in stored:
        assert np.isnan(at.z.values) and np.isnan(at.trace.values).all()
        assert np.isnan(at.grey.values).all() and np.isnan(at.low.values)
        continue
    assert same(at.z.values, leaf(run, 'z')) and same(at.trace.values, leaf(run, 'trace'))
    assert str(at.label.values) == leaf(run, 'label').decode()
    # Neither the 255 of an image nor the smallest integer is taken for missing.
    assert list(at.grey.values) == list(leaf(run, 'grey')) and at.low.values == leaf(run, 'low')
raw = xr.open_dataset('${layout}.nc', engine='${engine}', mask_and_scale=False)
assert [int(raw.n.sel(x=x[run], y=y[run], mode=mode[run])) for run in stored] == [int(leaf(run, 'n')) for run in stored]
print('equal')`
        expect(python(code)).toBe('equal')
      },
    )

    test.skipIf(!has('h5py'))('as Parquet is for DuckDB what h5py reads', async () => {
      const leaves = python(`${LEAVES}
import json
bits = lambda value: np.asarray(value, '>f8').tobytes().hex()
print(json.dumps([{
    'x': bits(x[run]), 'mode': mode[run],
    'z': bits(leaf(run, 'z')), 'n': str(leaf(run, 'n')), 'low': str(leaf(run, 'low')),
    'tiny': bits(leaf(run, 'tiny')), 'label': leaf(run, 'label').decode(), 'grey': leaf(run, 'grey').tolist(),
    'trace': leaf(run, 'trace').tolist(), 'c': [leaf(run, 'c').real, leaf(run, 'c').imag],
} if run in stored else None for run in range(N)]))`)
      const database = await DuckDBInstance.create(':memory:')
      const connection = await database.connect()
      const read = await connection.runAndReadAll(
        `select * from '${join(folder(), `${layout}.parquet`)}' order by run`,
      )
      const rows = read.getRowObjectsJS()
      connection.closeSync()
      database.closeSync()
      const types = Object.fromEntries(
        read.columnNames().map((name, index) => [name, String(read.columnType(index))]),
      )
      expect(types).toMatchObject({ x: 'DOUBLE', n: 'BIGINT', label: 'VARCHAR', grey: 'INTEGER[]' })
      expect(rows.map(({ run, status }) => [run, status])).toEqual(
        rows.map((_, run) => [run, run === 11 ? 'failed' : 'stored']),
      )
      expect(rows.map(ofStoredRow)).toEqual(JSON.parse(leaves))
      const { x, y, mode, z, n, trace, failure } = rows[11] as Record<string, unknown>
      expect([x, y, mode, z, n, trace]).toEqual([3, 20, 'slow', null, null, null])
      expect(failure).toBe('Error: broken')
    })
  })
})

/** A row as DuckDB reads it, with the bits of its floats; null for a run without results. */
function ofStoredRow(row: Readonly<Record<string, unknown>>): unknown {
  if (row.status !== 'stored') return null
  const { x, mode, z, n, low, tiny, label, grey, trace } = row
  const c = [row['c.real'], row['c.imag']]
  return {
    ...{ x: bits(x), mode, z: bits(z), n: String(n), low: String(low) },
    ...{ tiny: bits(tiny), label, grey, trace, c },
  }
}

function bits(value: unknown): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(Number(value))
  return bytes.toString('hex')
}
