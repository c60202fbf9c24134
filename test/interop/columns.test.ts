/** Others read the columns of both layouts, with the lines of docs/format.md. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { codeIn } from '../code-blocks.ts'
import { projectFile, pypetTs, useFolder } from './command.ts'
import { isSkipped, PYTHON, tellWhatIsMissing } from './python.ts'

const folder = useFolder()
const JOB = `
import { parameter } from 'pypet-ts'
export default { name: 'T', parameters: { x: parameter(1, { unit: 'm' }) }, explore: { x: [1, 2, 3, 4] }, run(traj) {
  const { x } = traj.par
  traj.addResult('z', 2 * x, { comment: 'twice', unit: 'µm²' })
  traj.addResult('fit', { slope: x / 2, name: 'run ' + x, trace: Float64Array.of(x, -x) })
  if (x > 2) traj.addResult('rare', x > 3)
  traj.addDerivedParameter('d', x + 1)
} }`
const [withPandas = '', withTables = '', withXarray = '', withPypet = ''] = codeIn(
  readFileSync(projectFile('docs/format.md'), 'utf8'),
  'python',
).filter((code) => code.includes('columns.h5'))

tellWhatIsMissing()

function printed(code: string): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', '-c', code], {
    cwd: folder(),
    encoding: 'utf8',
  })
  expect([stderr, status]).toEqual([expect.any(String), 0])
  return stdout.trim()
}

/** Whether Debian's Python has a package. In CI, all but pypet are installed. */
function has(...packages: readonly string[]): boolean {
  const isRequired = process.env.PYPET_TEST_REQUIRE_INTEROP === '1' && !packages.includes('pypet')
  return isRequired || spawnSync(PYTHON, ['-c', `import ${packages.join(', ')}`]).status === 0
}

describe.skipIf(isSkipped)('columns', () => {
  beforeAll(() => {
    writeFileSync(join(folder(), 'job.mjs'), JOB)
    for (const layout of ['tree', 'columns']) {
      const file = `${layout}.h5`
      pypetTs(folder(), ['run', 'job.mjs', '--layout', layout, '--file', file, '--ncores', '2', '--quiet'])
    }
  })

  const LAYOUTS = [
    ['tree', 'tree.h5', 'T/overview/columns'],
    ['columns', 'columns.h5', 'T/results/columns'],
  ] as const
  const inLayout = (code: string, file: string, group: string) =>
    code.replaceAll('columns.h5', file).replaceAll('T/results/columns', group)

  describe.each(LAYOUTS)('of the layout %s', (layout, file, group) => {
    test.skipIf(!has('pandas'))('are a data frame for pandas, in three lines', () => {
      expect(printed(inLayout(withPandas, file, group))).toBe('20.0')
      const whole = `${inLayout(withPandas, file, group)}\nprint(table['fit:name'].tolist(), table.rare.tolist())`
      expect(printed(whole).split('\n').at(-1)).toBe("[b'run 1', b'run 2', b'run 3', b'run 4'] [0, 0, 0, 1]")
    })

    test('are arrays for PyTables', () => {
      expect(printed(inLayout(withTables, file, group))).toBe('20.0')
    })

    test.skipIf(!has('xarray', 'h5netcdf'))('are a dataset for xarray with the engine h5netcdf', () => {
      expect(printed(inLayout(withXarray, file, group))).toBe('20.0')
    })

    test.skipIf(!has('xarray', 'netCDF4'))('are one with the engine netcdf4, but for texts', () => {
      const options = "engine='netcdf4', drop_variables=['fit:name']"
      const code = withXarray.replace("engine='h5netcdf', phony_dims='sort'", options)
      expect(printed(inLayout(code, file, group))).toBe('20.0')
    })

    test('tell with h5py which runs have a value', () => {
      const code = `import h5py\nwith h5py.File('${file}') as f: print(f['T/overview/columns_presence/rare'][:].tolist(), list(f['T/overview/columns_presence']))`
      expect(printed(code)).toBe("[0, 0, 1, 1] ['rare']")
    })

    test('tell their unit to h5py and PyTables', () => {
      const attribute = 'SRVC_AN_unit'
      const h5py = `import h5py\nwith h5py.File('${file}') as f: print([f[n].attrs['${attribute}'].decode() for n in ('${group}/z', 'T/parameters/x')], '${attribute}' in f['${group}/fit:slope'].attrs)`
      expect(printed(h5py)).toBe("['µm²', 'm'] False")
      const tables = `import tables\nwith tables.open_file('${file}') as f: print(f.get_node('/${group}', 'z')._v_attrs['${attribute}'])`
      expect(printed(tables)).toBe('µm²')
    })

    test.skipIf(process.env.PYPET_SOURCES === undefined)('do not keep pypet from loading the file', () => {
      const code = `import sys, logging; sys.path.insert(0, '${process.env.PYPET_SOURCES}'); logging.disable(logging.CRITICAL)
${withPypet.replaceAll('columns.h5', file)}`
      const lastLine = (text: string) => printed(text).split('\n').at(-1)
      if (layout === 'columns') expect(lastLine(code)).toBe('20.0')
      const scalar = code.replace("traj.results.columns['z'].sum()", 'traj.results.runs.run_00000002.z')
      if (layout === 'tree') expect(lastLine(scalar)).toBe('6.0')
      const units =
        "print(*[traj.f_get(name).v_annotations.unit for name in ('parameters.x', 'results.runs.run_00000002.z')])"
      if (layout === 'tree') expect(lastLine(`${code.replace(/print.*/, '')}\n${units}`)).toBe('m µm²')
    })
  })

  test('of arrays have a row for each run', () => {
    const code = `import h5py\nwith h5py.File('columns.h5') as f: print(f['T/results/columns/fit:trace'][:].tolist())`
    expect(printed(code)).toBe('[[1.0, -1.0], [2.0, -2.0], [3.0, -3.0], [4.0, -4.0]]')
  })
})
