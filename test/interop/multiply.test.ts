import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { codeIn } from '../code-blocks.ts'
import { projectFile, pypetTs, useFolder } from './command.ts'
import { isSkipped, PYTHON, READERS, type ReadFile, readFile, tellWhatIsMissing } from './python.ts'

const folder = useFolder()
const RUN_NAMES = Array.from({ length: 12 }, (_, run) => `run_${String(run).padStart(8, '0')}`)
const X = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
const Y = [6, 7, 8, 6, 7, 8, 6, 7, 8, 6, 7, 8]

tellWhatIsMissing()

describe.skipIf(isSkipped)('the example multiply on two cores', () => {
  beforeAll(() => {
    const job = projectFile('experiments/multiply/job.ts')
    pypetTs(folder(), ['run', job, '--ncores', '2', '--file', 'multiply.h5', '--quiet'])
  })

  describe.each(READERS)('read by %s', (reader) => {
    let file: ReadFile
    beforeAll(() => {
      file = readFile(reader, `${folder()}/multiply.h5`)
    })
    const column = (table: string, name: string) => file[`/multiply/${table}`]?.columns?.[name]?.values

    test('all twelve products are right', () => {
      const products = RUN_NAMES.map((name) => file[`/multiply/results/runs/${name}/z/z`])
      expect(products.map((node) => node?.values)).toEqual(X.map((x, run) => [x * (Y[run] as number)]))
      expect(products.map((node) => [node?.dtype, node?.shape])).toEqual(X.map(() => ['float64', []]))
    })

    test('the table runs has one completed row a run', () => {
      expect(column('overview/runs', 'completed')).toEqual(RUN_NAMES.map(() => '1'))
      expect(column('overview/runs', 'idx')).toEqual(RUN_NAMES.map((_, run) => String(run)))
      expect(column('overview/runs', 'name')).toEqual(RUN_NAMES)
      const summaries = X.map((x, run) => `x: ${x}.0,   y: ${Y[run]}.0`)
      expect(column('overview/runs', 'parameter_summary')).toEqual(summaries)
      const starts = column('overview/runs', 'timestamp') as number[]
      const ends = column('overview/runs', 'finish_timestamp') as number[]
      expect(starts.every((start, run) => start > 1.7e9 && start <= (ends[run] as number))).toBe(true)
    })

    test('the ranges of both parameters stand beside their defaults', () => {
      expect(column('parameters/x/explored_data', 'data')).toEqual(X)
      expect(column('parameters/y/explored_data', 'data')).toEqual(Y)
      expect(column('parameters/x/data', 'data')).toEqual([1])
      expect(column('overview/explorations', 'explorations')).toEqual(['parameters.x', 'parameters.y'])
    })

    test('the comment of the products is stored once, and in the summary', () => {
      const comments = RUN_NAMES.map(
        (name) => file[`/multiply/results/runs/${name}/z`]?.attributes.SRVC_INIT_COMMENT,
      )
      expect(comments.filter(Boolean)).toEqual(['I am the product of two values!'])
      expect(column('overview/results_summary', 'comment')).toEqual(['I am the product of two values!'])
    })

    test('the overview info tells name, length and comment', () => {
      expect(column('overview/info', 'name')).toEqual(['multiply'])
      expect(column('overview/info', 'length')).toEqual(['12'])
      expect(column('overview/info', 'comment')).toEqual(['The product of two values'])
    })
  })

  test('docs/format.md names what is there, and its script reads the products', () => {
    const page = readFileSync(projectFile('docs/format.md'), 'utf8')
    const file = readFile('h5py', `${folder()}/multiply.h5`)
    const listed = [...page.matchAll(/^(\/multiply\S*) +(?:Group|Dataset)/gm)].map(([, path]) => path)
    expect(listed.length).toBeGreaterThan(15)
    expect(Object.keys(file)).toEqual(expect.arrayContaining(listed))
    const [script = ''] = codeIn(page, 'python')
    mkdirSync(`${folder()}/hdf5`)
    copyFileSync(`${folder()}/multiply.h5`, `${folder()}/hdf5/multiply.h5`)
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', script], { cwd: folder(), encoding: 'utf8' })
    expect(stderr).toBe('')
    const products = X.map((x, run) => `${x}.0 ${Y[run]}.0 ${x * (Y[run] as number)}.0`)
    expect(stdout.trim().split('\n')).toEqual(products)
  })

  test('every table under overview is a PyTables table that says its number of rows', () => {
    const file = readFile('tables', `${folder()}/multiply.h5`)
    const overview = Object.entries(file).filter(
      ([path]) => path.startsWith('/multiply/overview/') && !path.includes('columns'),
    )
    const names = overview.map(([path]) => path.replace('/multiply/overview/', '')).sort()
    expect(names).toEqual([
      'config_overview',
      'derived_parameters_overview',
      'derived_parameters_summary',
      'explorations',
      'explored_parameters_overview',
      'hdf5_settings',
      'info',
      'parameters_overview',
      'results_overview',
      'results_summary',
      'runs',
    ])
    expect(overview.filter(([, node]) => node.class !== 'Table')).toEqual([])
    for (const [path, node] of overview) {
      const rowCount = Object.values(node.columns ?? {})[0]?.values.length
      expect([path, node.attributes.NROWS]).toEqual([path, String(rowCount)])
      expect(node.attributes.CLASS).toBe('TABLE')
    }
  })
})
