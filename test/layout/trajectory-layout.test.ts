import { describe, expect, test } from 'vitest'
import { zip } from '../../src/exploration/cartesian.ts'
import { planRuns } from '../../src/exploration/plan.ts'
import type { Hdf5Operation } from '../../src/hdf5/operation.ts'
import { LayoutMemory } from '../../src/layout/layout-memory.ts'
import { TrajectoryLayout } from '../../src/layout/trajectory-layout.ts'
import { planShape } from '../../src/layout/trajectory-shape.ts'
import { grownTrajectory } from '../../src/layout/trajectory-tables.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { decodeFramePrefix, FRAME_PREFIX_BYTES } from '../../src/run/run-frame.ts'
import { decodeRows, RowPacker, type RunRows } from '../../src/run/run-rows.ts'
import { toStoredValue } from '../../src/values/value.ts'
import {
  arrived,
  failure,
  openRequest,
  type Requested,
  result,
  runRecord,
  unreadableResult,
} from '../storage/open-request.ts'

function layoutOf(requested: Requested = {}) {
  const request = openRequest('/nowhere/file.h5', requested)
  return new TrajectoryLayout(request, planRuns(request), new LayoutMemory())
}

/** One whose opening operations have been taken. */
function openedLayout(requested: Requested = {}) {
  const layout = layoutOf(requested)
  opening(layout)
  return layout
}

const opening = (layout: TrajectoryLayout, isNewFile = true) => [...layout.open(isNewFile)].flat()
const settling = (layout: TrajectoryLayout) => [...layout.settle()].flat()
const stored = (layout: TrajectoryLayout, run: number, ...leaves: Parameters<typeof runRecord>[1]) =>
  layout.storeRun(arrived(runRecord(run, leaves)))

/** Paths of what is created, without attributes. */
function created(operations: readonly Hdf5Operation[]): string[] {
  return operations
    .filter(({ type }) => type === 'create-group' || type === 'create-dataset' || type === 'create-table')
    .map(({ path }) => path)
}

function comment(operations: readonly Hdf5Operation[], path: string): unknown {
  const found = operations.find(
    (operation) =>
      operation.type === 'create-attribute' &&
      operation.path === path &&
      operation.name === 'SRVC_INIT_COMMENT',
  )
  return found?.type === 'create-attribute' ? found.value : undefined
}

test('nothing is created twice, and nothing before what it lies in', () => {
  const layout = layoutOf({ parameters: { group: { in: { a: 1, b: [1] } } }, comment: 'c' })
  const all = [
    ...opening(layout),
    ...stored(layout, 1, result(1, 'sub.z', 1), result(1, 'sub.w', 2), result(1, 'y', 3)),
    ...layout.commit(),
    ...settling(layout),
    ...stored(layout, 0, result(0, 'sub.z', 1)),
    ...layout.commit(),
    ...layout.close([]),
  ]
  const there = new Set(['/'])
  for (const { type, path } of all) {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/'
    if (type === 'create-attribute' || type === 'write-rows') expect(there).toContain(path)
    if (!type.startsWith('create-') || type === 'create-attribute') continue
    expect(there).toContain(parent)
    expect(there).not.toContain(path)
    there.add(path)
  }
})

describe('opening', () => {
  test('only a new file gets the attributes of its root', () => {
    const ofRoot = (isNewFile: boolean) => opening(layoutOf(), isNewFile).filter(({ path }) => path === '/')
    expect(ofRoot(true).map((operation) => operation.type === 'create-attribute' && operation.value)).toEqual(
      ['GROUP', '1.0', 'title', '2.1'],
    )
    expect(ofRoot(false)).toEqual([])
  })

  test('the table runs has its rows from the start, written in batches', () => {
    const operations = opening(layoutOf({ x: Array.from({ length: 10_000 }, (_, index) => index) }))
    const writes = operations.filter(
      (operation) => operation.type === 'write-rows' && operation.path === '/made/overview/runs',
    )
    const counts = writes.map((write) => write.type === 'write-rows' && [write.firstRow, write.rowCount])
    expect(counts).toEqual([
      [0, 4096],
      [4096, 4096],
      [8192, 1808],
    ])
  })

  test('a range of long texts is written in batches of a few megabytes', () => {
    const kind = Array.from({ length: 50 }, (_, index) => (index === 7 ? 'k'.repeat(200_000) : 'short'))
    const parameters = flattenParameters({ kind: 'a' }, 'parameters')
    const request = { ...openRequest('/nowhere/file.h5'), parameters, exploration: zip({ kind }).spec }
    const sizes = opening(new TrajectoryLayout(request, planRuns(request), new LayoutMemory())).flatMap(
      (operation) =>
        operation.type === 'write-rows' && operation.path === '/made/parameters/kind/explored_data'
          ? [[operation.firstRow, operation.rowCount, operation.bytes.byteLength]]
          : [],
    )
    expect(sizes).toEqual([
      [0, 20, 4_000_000],
      [20, 20, 4_000_000],
      [40, 10, 2_000_000],
    ])
  })

  test('what a run does not need is left for later', () => {
    const layout = layoutOf()
    const first = created(opening(layout))
    const later = created(settling(layout))
    expect(first).toContain('/made/parameters/x/explored_data')
    expect(first.filter((path) => path.includes('config/'))).toEqual([])
    expect(later).toContain('/made/config/hdf5/complevel/data')
    expect(later.filter((path) => path.startsWith('/made/overview/')).map((path) => path.slice(15))).toEqual([
      'config_overview',
      'parameters_overview',
      'explored_parameters_overview',
      'results_summary',
      'derived_parameters_summary',
      'columns',
      'columns/_status',
      'columns/_attempts',
      'columns/_start',
      'columns/_runtime',
    ])
  })

  test('overviews that are switched off do not come into being', () => {
    const off = {
      columns: false,
      config: false,
      parameters: false,
      exploredParameters: false,
      resultsSummary: false,
      derivedParametersSummary: false,
    }
    const layout = layoutOf({ overviews: off })
    const operations = [...opening(layout), ...settling(layout), ...stored(layout, 0, result(0, 'z', 1, 'c'))]
    operations.push(...layout.commit())
    const tables = operations.filter(({ type }) => type === 'create-table').map(({ path }) => path)
    expect(tables.filter((path) => path.startsWith('/made/overview/')).map((path) => path.slice(15))).toEqual(
      ['info', 'hdf5_settings', 'explorations', 'runs'],
    )
  })
})

describe('runs', () => {
  test('a run without results has its group all the same', () => {
    expect(created(stored(openedLayout(), 2))).toEqual(['/made/results/runs/run_00000002'])
  })

  test('groups that runs share are created once, and those of a run with each run', () => {
    const layout = openedLayout()
    const of = (run: number) => {
      const leaf = result(run, 'z', 1)
      const location = `results.shared.run_0000000${run}.deep.z`
      return created(stored(layout, run, { ...leaf, location }))
    }
    expect(of(0)).toEqual([
      '/made/results/runs/run_00000000',
      '/made/results/shared',
      '/made/results/shared/run_00000000',
      '/made/results/shared/run_00000000/deep',
      '/made/results/shared/run_00000000/deep/z',
      '/made/results/shared/run_00000000/deep/z/z',
    ])
    expect(of(1)).not.toContain('/made/results/shared')
    expect(of(2)).toContain('/made/results/shared/run_00000002/deep')
  })

  test('a result may have tens of thousands of items', () => {
    const items = Array.from({ length: 40_000 }, (_, index) => ({
      name: `i${index}`,
      value: toStoredValue(index, 'i'),
    }))
    const operations = stored(openedLayout(), 0, { ...result(0, 'z', 1), items })
    expect(operations.filter(({ type }) => type === 'create-dataset')).toHaveLength(40_000)
  })

  test('a run that cannot be laid out leaves no trace in what follows', () => {
    const layout = openedLayout({ overviews: { results: true } })
    const shared = (run: number) => {
      const location = `results.shared.run_0000000${run}.z`
      return { ...result(run, 'z', 1, 'same'), location }
    }
    expect(() => stored(layout, 0, shared(0), unreadableResult(0))).toThrow(TypeError)
    const operations = stored(layout, 1, shared(1))
    expect(created(operations)).toContain('/made/results/shared')
    expect(comment(operations, '/made/results/shared/run_00000001/z')).toBe('same')
    const commit = layout.commit()
    const rowCounts = commit.flatMap((operation) =>
      operation.type === 'create-table' ? [[operation.path.slice(15), operation.rowCount]] : [],
    )
    expect(rowCounts).toEqual([
      ['results_overview', 1],
      ['results_summary', 1],
    ])
    expect(commit.filter(({ path }) => path.endsWith('/runs'))).toMatchObject([{ firstRow: 1, rowCount: 1 }])
  })

  test('rows of neighbouring runs are written together with the commit', () => {
    const layout = openedLayout({ x: [0, 1, 2, 3, 4, 5] })
    for (const run of [4, 1, 0, 2]) stored(layout, run)
    layout.failRun(failure(5))
    const writes = layout.commit().filter(({ path }) => path === '/made/overview/runs')
    expect(writes).toMatchObject([
      { type: 'write-rows', firstRow: 0, rowCount: 3 },
      { type: 'write-rows', firstRow: 4, rowCount: 2 },
    ])
    expect(layout.commit()).toEqual([])
  })

  test('the table failed_runs comes with the first failure and then grows', () => {
    const layout = openedLayout()
    layout.failRun(failure(2))
    const first = layout.commit().filter(({ path }) => path.endsWith('/failed_runs'))
    expect(first[0]).toMatchObject({ type: 'create-table', rowCount: 1 })
    layout.failRun(failure(0))
    const second = layout.commit().filter(({ path }) => path.endsWith('/failed_runs'))
    expect(second).toMatchObject([
      { type: 'resize-table', rowCount: 2 },
      { type: 'write-rows', firstRow: 1, rowCount: 1 },
      { type: 'replace-attribute', value: 2 },
    ])
  })
})

describe('comments', () => {
  const at = (run: number, name = 'z') => `/made/results/runs/run_0000000${run}/${name}`

  test('of leaves with an equal comment only the first keeps it', () => {
    const layout = openedLayout()
    const first = stored(layout, 0, result(0, 'z', 1, 'same'), result(0, 'w', 1, 'other'))
    const second = stored(layout, 1, result(1, 'z', 1, 'same'), result(1, 'w', 1, 'own'))
    expect(comment(first, at(0))).toBe('same')
    expect(comment(first, at(0, 'w'))).toBe('other')
    expect(comment(second, at(1))).toBeUndefined()
    expect(comment(second, at(1, 'w'))).toBe('own')
  })

  test('results of two names keep an equal comment, each with its first run', () => {
    const layout = openedLayout()
    const first = stored(layout, 0, result(0, 'z', 1, 'same'), result(0, 'w', 1, 'same'))
    const second = stored(layout, 1, result(1, 'z', 1, 'same'), result(1, 'w', 1, 'same'))
    expect([comment(first, at(0)), comment(first, at(0, 'w'))]).toEqual(['same', 'same'])
    expect([comment(second, at(1)), comment(second, at(1, 'w'))]).toEqual([undefined, undefined])
  })

  test('the summary names what has no comment, once over all runs', () => {
    const layout = openedLayout()
    for (const run of [0, 1]) stored(layout, run, result(run, 'z', 1, ''), result(run, 'w', 1, ''))
    const summary = layout.commit().filter(({ path }) => path.endsWith('/results_summary'))
    expect(summary.filter(({ type }) => type === 'create-table')).toMatchObject([{ rowCount: 2 }])
  })

  test('results and derived parameters purge apart from each other', () => {
    const layout = openedLayout()
    stored(layout, 0, result(0, 'z', 1, 'same'))
    const leaf = result(0, 'z', 1, 'same')
    const items = [{ name: 'data', value: leaf.items[0]?.value as (typeof leaf.items)[0]['value'] }]
    const location = 'derived_parameters.runs.run_00000001.z'
    const operations = stored(layout, 1, { ...leaf, kind: 'parameter', location, items })
    expect(comment(operations, '/made/derived_parameters/runs/run_00000001/z')).toBe('same')
  })

  test('without purging every leaf keeps its comment, and the summary still has it once', () => {
    const layout = openedLayout({ storage: { purgeDuplicateComments: false } })
    for (const run of [0, 1]) {
      expect(comment(stored(layout, run, result(run, 'z', 1, 'same')), at(run))).toBe('same')
    }
    const summary = layout.commit().filter(({ path }) => path.endsWith('/results_summary'))
    expect(summary.filter(({ type }) => type === 'create-table')).toMatchObject([{ rowCount: 1 }])
  })

  test('an overview stops at a thousand rows', () => {
    const layout = openedLayout({ overviews: { results: true } })
    const leaves = Array.from({ length: 1200 }, (_, index) => result(0, `z${index}`, 1, `comment ${index}`))
    stored(layout, 0, ...leaves)
    const rowCounts = layout
      .commit()
      .flatMap((operation) =>
        operation.type === 'create-table' ? [[operation.path.slice(15), operation.rowCount]] : [],
      )
    expect(rowCounts).toEqual([
      ['results_overview', 1000],
      ['results_summary', 1000],
    ])
  })
})

test('ranges that have not grown are not read again when a trajectory is stored', () => {
  const read = () => {
    throw new Error('the range was read')
  }
  const explored = (length: number) => ({
    ...planShape(openRequest('/nowhere/file.h5'), planRuns(openRequest('/nowhere/file.h5'))),
    runCount: length,
    explored: [
      {
        fullName: 'parameters.x',
        stored: undefined,
        comment: '',
        isStored: true,
        text: () => '',
        range: read,
      },
    ],
  })
  const before = {
    runCount: 3,
    firstNewRun: 3,
    hasExplorations: true,
    hasExploredOverview: false,
    ranges: new Map([
      [
        'parameters.x',
        {
          length: 3,
          isReference: true,
          objectCount: 3,
          textBytes: 0,
          numberBytes: 8,
          hasTexts: false,
        } as const,
      ],
    ]),
  }
  const grown = (length: number) => [
    ...grownTrajectory(explored(length), before, { complevel: 0, hasExploredOverview: false }),
  ]
  expect(grown(3)).toEqual([])
  expect(() => grown(4)).toThrow('the range was read')
})

describe('packed rows with a unit', () => {
  const withUnit = (run: number, unit: string) =>
    runRecord(run, [
      {
        ...result(run, 'z', run, 'of z'),
        annotations: [{ name: 'unit', value: toStoredValue(unit, 'unit') }],
      },
    ])

  function packed(runs: readonly number[], unit: string): RunRows {
    const packer = new RowPacker(new Uint8Array(4096))
    packer.begin(withUnit(runs[0] as number, unit))
    for (const run of runs) expect(packer.add(withUnit(run, unit))).toBe(true)
    const frame = packer.frame()
    const { headerBytes } = decodeFramePrefix(frame)
    return decodeRows(frame.subarray(FRAME_PREFIX_BYTES), headerBytes) as RunRows
  }

  test('go to the columns together, if it is that of the column', () => {
    const layout = openedLayout({ x: [1, 2, 3, 4, 5, 6], storage: { layout: 'columns' } })
    layout.storeRun(arrived(withUnit(0, 'mV')))
    expect(layout.storeRows(packed([1, 2], 'mV'))).toBe(true)
    expect(layout.storeRows(packed([3, 4], 'V'))).toBe(false)
    const path = '/made/results/columns/z'
    const attributes = layout
      .commit()
      .flatMap((operation) =>
        operation.type === 'create-attribute' && operation.path === path
          ? [[operation.name, operation.value]]
          : [],
      )
    expect(Object.fromEntries(attributes)).toMatchObject({ SRVC_ANNOTATED: true, SRVC_AN_unit: 'mV' })
  })
})
