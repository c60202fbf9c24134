import type { ParameterValue } from 'pypet-ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { projectFile, pypetTs, useFolder } from './command.ts'
import { expectedArray, foundArray, readValue } from './expected-array.ts'
import { isSkipped, READERS, type ReadFile, readFile, tellWhatIsMissing } from './python.ts'
import { ARRAYS, COMMENTS, EXPLORED, FAILED_RUN, LISTS, SCALARS, STORED_RUNS, VALUES } from './values.ts'

const folder = useFolder()
const files = {} as Record<(typeof READERS)[number], ReadFile>

tellWhatIsMissing()

describe.skipIf(isSkipped)('a file with every type in two trajectories', () => {
  beforeAll(() => {
    const job = projectFile('test/interop/every-type-job.ts')
    const common = ['run', job, '--file', 'types.h5', '--quiet']
    const off = { PYPET_OVERVIEWS_RESULTS: 'false', PYPET_OVERVIEWS_DERIVED_PARAMETERS: 'false' }
    // The exit code 3 tells of the run that fails.
    pypetTs(folder(), [...common, '--name', 'plain'], { exitCode: 3, env: off })
    const packed = ['--name', 'packed', '--ncores', '2', '--complevel', '6', '--no-purge-duplicate-comments']
    pypetTs(folder(), [...common, ...packed], { exitCode: 3 })
    for (const reader of READERS) files[reader] = readFile(reader, `${folder()}/types.h5`)
  })

  describe.each(READERS)('read by %s', (reader) => {
    describe.each(['plain', 'packed'])('trajectory %s', (trajectory) => {
      const node = (path: string) => files[reader][`/${trajectory}/${path}`]
      const columns = (path: string) => node(path)?.columns

      describe.each(STORED_RUNS)('run %i', (run) => {
        const runName = `run_0000000${run}`
        const results = `results/runs/${runName}`
        const derived = `derived_parameters/runs/${runName}`

        test('single results have the values, dtypes and shapes that were stored', () => {
          expect(found(VALUES, (name) => foundArray(node(`${results}/single/${name}/${name}`)))).toEqual(
            expected(VALUES),
          )
        })

        test('the items of one result have the values, dtypes and shapes that were stored', () => {
          expect(found(VALUES, (name) => foundArray(node(`${results}/several/${name}`)))).toEqual(
            expected(VALUES),
          )
        })

        test('derived parameters hold lists and arrays as arrays, and scalars in a table of one row', () => {
          const arrays = { ...LISTS, ...ARRAYS }
          expect(found(arrays, (name) => foundArray(node(`${derived}/deep/er/${name}/data__rr__`)))).toEqual(
            expected(arrays),
          )
          expect(found(SCALARS, (name) => columns(`${derived}/deep/er/${name}/data`)?.data)).toEqual(
            asColumns(SCALARS),
          )
        })

        test('a job sees the explored values, and names with wildcards lie where they say', () => {
          const seen = found(EXPLORED, (name) => node(`${results}/seen/${name}`)?.values?.[0])
          expect(seen).toEqual(found(EXPLORED, (name) => exploredValue(name, run)))
          expect(node(`results/${runName}/by_run/by_run`)?.values).toEqual([run])
          expect(node(`results/bucket/run_set_00000/${runName}/run`)?.values).toEqual([run])
          expect(node(`${results}/bucket/run_set_00000/own/own`)?.values).toEqual([run])
          const half = columns(`derived_parameters/${runName}/half/data`)?.data?.values
          expect(half).toEqual([readValue(EXPLORED.float[run] / 2)])
        })
      })

      test('parameters hold lists and arrays as arrays, and scalars in a table of one row', () => {
        const arrays = { ...LISTS, ...ARRAYS }
        expect(found(arrays, (name) => foundArray(node(`parameters/plain/${name}/data__rr__`)))).toEqual(
          expected(arrays),
        )
        expect(found(SCALARS, (name) => columns(`parameters/plain/${name}/data`)?.data)).toEqual(
          asColumns(SCALARS),
        )
      })

      test('each leaf says which class pypet builds from it', () => {
        const classOf = (path: string) => node(path)?.attributes.SRVC_INIT_CLASS_NAME
        expect(classOf('parameters/plain/float')).toBe('Parameter')
        expect(classOf('parameters/plain/texts')).toBe('ArrayParameter')
        expect(classOf('parameters/plain/matrix')).toBe('ArrayParameter')
        expect(classOf('results/runs/run_00000000/several')).toBe('Result')
        expect(node('parameters/plain/float')?.attributes.SRVC_LEAF).toBe('1')
        expect(node('parameters/plain')?.attributes.SRVC_LEAF).toBeUndefined()
      })

      test('explored parameters keep their default and have one row a run', () => {
        const ranges = found(EXPLORED, (name) => {
          const column = columns(`parameters/explored/${name}/explored_data`)?.data
          return [column?.dtype, column?.values]
        })
        const dtypes = { float: 'float64', int: 'int64', bigint: 'int64', bool: 'int8', text: 'bytes' }
        expect(ranges).toEqual(
          found(EXPLORED, (name) => [
            dtypes[name],
            EXPLORED[name].map((_: unknown, run: number) => exploredValue(name, run)),
          ]),
        )
        const defaults = found(EXPLORED, (name) => columns(`parameters/explored/${name}/data`)?.data?.values)
        expect(defaults).toEqual({ float: [1.5], int: ['0'], bigint: ['0'], bool: ['0'], text: ['default'] })
        const explorations = Object.keys(EXPLORED).map((name) => `parameters.explored.${name}`)
        expect(columns('overview/explorations')?.explorations?.values).toEqual(explorations)
      })

      test('a failed run is not completed, has no results, and is told in failed_runs', () => {
        const completed = EXPLORED.float.map((_, run) => (run === FAILED_RUN ? '0' : '1'))
        expect(columns('overview/runs')?.completed?.values).toEqual(completed)
        expect(node(`results/runs/run_0000000${FAILED_RUN}`)).toBeUndefined()
        const failed = columns('overview/failed_runs')
        expect(failed?.idx?.values).toEqual([String(FAILED_RUN)])
        expect(failed?.error?.values).toEqual(['RangeError'])
        expect(failed?.message?.values).toEqual(['dieser Lauf schlägt fehl'])
        expect(failed?.stack?.values[0]).toContain('every-type-job.ts')
      })

      test('comments of any length and script are whole in the attribute and cut in the tables', () => {
        const comment = (path: string) => node(path)?.attributes.SRVC_INIT_COMMENT
        expect(files[reader][`/${trajectory}`]?.attributes.SRVC_INIT_COMMENT).toBe(COMMENTS.trajectory)
        expect(comment('parameters/commented')).toBe(COMMENTS.long)
        expect(comment('parameters/plain/float')).toBeUndefined()
        const { name, comment: cut } = columns('overview/parameters_overview') ?? {}
        const row = name?.values.indexOf('commented') as number
        expect(cut?.values[row]).toBe(`${'π'.repeat(254)}...`)
      })
    })

    test('purging leaves an equal comment with one leaf; without it each has its own', () => {
      const holders = (trajectory: string, text: string) =>
        Object.entries(files[reader]).filter(
          ([path, { attributes }]) =>
            path.startsWith(`/${trajectory}/results/`) && attributes.SRVC_INIT_COMMENT === text,
        ).length
      expect(holders('plain', COMMENTS.result)).toBe(1)
      expect(holders('plain', COMMENTS.long)).toBe(1)
      expect(holders('packed', COMMENTS.result)).toBe(STORED_RUNS.length)
      expect(holders('packed', COMMENTS.long)).toBe(STORED_RUNS.length)
    })

    test('the large overviews are there unless they are switched off, and stop at a thousand rows', () => {
      const rowCount = (path: string) => files[reader][path]?.columns?.name?.values.length
      expect(rowCount('/plain/overview/results_overview')).toBeUndefined()
      expect(rowCount('/plain/overview/derived_parameters_overview')).toBeUndefined()
      const resultCount = STORED_RUNS.length * (Object.keys(VALUES).length + 5)
      expect(rowCount('/packed/overview/results_overview')).toBe(resultCount)
      const derivedCount = STORED_RUNS.length * (Object.keys(VALUES).length + 1)
      expect(rowCount('/packed/overview/derived_parameters_overview')).toBe(derivedCount)
    })
  })

  test('arrays of more than one element are deflated where that was asked for', () => {
    const compression = (trajectory: string, name: string) =>
      files.h5py[`/${trajectory}/results/runs/run_00000000/several/${name}`]?.compression
    expect(compression('plain', 'many_chunks')).toBeNull()
    expect(compression('packed', 'many_chunks')).toBe('gzip')
    expect(compression('packed', 'float')).toBeNull()
    expect(compression('packed', 'no_element')).toBeNull()
  })

  test('PyTables finds an array or a table wherever a value is, and nothing that it does not know', () => {
    const classes = new Set(Object.values(files.tables).map((node) => node.class))
    expect([...classes].sort()).toEqual(['Array', 'CArray', 'EArray', 'Group', 'Table'])
  })
})

/** One entry for each name, so that a difference shows the name it belongs to. */
function found<Names extends object, Found>(
  names: Names,
  find: (name: keyof Names) => Found,
): Record<keyof Names, Found> {
  const entries = Object.keys(names).map((name) => [name, find(name as keyof Names)])
  return Object.fromEntries(entries) as Record<keyof Names, Found>
}

function expected(values: Readonly<Record<string, ParameterValue>>) {
  return found(values, (name) => expectedArray(values[name] as ParameterValue))
}

/** Scalars as the one row of a table's column. */
function asColumns(values: Readonly<Record<string, ParameterValue>>) {
  return found(values, (name) => {
    const { dtype, values: read } = expectedArray(values[name] as ParameterValue)
    return { dtype, shape: [1], values: read }
  })
}

function exploredValue(name: keyof typeof EXPLORED, run: number) {
  const value = EXPLORED[name][run] as number | bigint | boolean | string
  return readValue(name === 'int' ? BigInt(value) : value)
}
