import { readFile } from 'node:fs/promises'
import type { Group } from 'h5wasm/node'
import { describe, expect, test } from 'vitest'
import { summariseFile } from '../../src/results/summarise.ts'
import type { TrajectoryOverview } from '../../src/results/trajectory-overview.ts'
import {
  addColumn,
  addGroup,
  addItem,
  addLeaf,
  addTable,
  addTrajectory,
  useFolder,
  writeHdf5,
} from './trajectory-file.ts'

const inFolder = useFolder()

function sample(name: string): string {
  return new URL(`../fixtures/pypet/${name}`, import.meta.url).pathname
}

async function only(file: string, withRuns = false): Promise<TrajectoryOverview> {
  const { trajectories } = await summariseFile(file, { runs: withRuns ? 'ends' : undefined })
  expect(trajectories).toHaveLength(1)
  return trajectories[0] as TrajectoryOverview
}

describe('files that pypet wrote', () => {
  test('a finished trajectory tells its runs, parameters, ranges and results', async () => {
    const trajectory = await only(sample('a_multiplication.h5'), true)
    expect(trajectory).toMatchObject({
      name: 'Multiplication',
      comment: '5x4 cartesian product',
      version: '0.7.0',
      python: '3.11.2',
      runs: { total: 20, done: 20, failed: 0, left: 0, unmarked: 0 },
    })
    const ranges = trajectory.explored.map(({ name, type, range }) => [
      name,
      type,
      range?.values.map(({ cells }) => cells[0]),
    ])
    expect(ranges).toEqual([
      ['x', 'float64', [1, 2, 3, 4, 5]],
      ['y', 'float64', [6, 7, 8, 9]],
    ])
    expect(trajectory.parameters.entries.map(({ name, value }) => [name, value.cells])).toEqual([
      ['x', [1]],
      ['y', [1]],
    ])
    expect(trajectory.results.entries).toMatchObject([
      { name: 'z', isPerRun: true, types: ['float64'], shape: [], foundInRuns: [0, 10, 19] },
    ])
    expect(trajectory.results.entries[0]?.example.cells).toEqual([6])
    const products = trajectory.runs.table?.rows.map(({ values }) => values.map((value) => value?.cells[0]))
    expect(products?.[0]).toEqual([1, 6])
    expect(products?.[19]).toEqual([5, 9])
  })

  test('a crashed trajectory has all runs left and says which results are there', async () => {
    const { runs: runsByPypet } = JSON.parse(await readFile(sample('d_crashed.json'), 'utf8'))
    const trajectory = await only(sample('d_crashed.h5'), true)
    expect(trajectory.runs).toMatchObject({
      total: Object.keys(runsByPypet).length,
      done: 0,
      left: 20,
      unmarked: 7,
    })
    expect(trajectory.sampledRuns).toEqual([0, 3, 6])
    expect(trajectory.results.entries.map(({ name, types }) => [name, types])).toEqual([['z', ['int64']]])
    expect(trajectory.explored.map(({ name, range }) => [name, range])).toEqual([
      ['x', undefined],
      ['y', undefined],
    ])
    expect(trajectory.runs.table?.rows[0]).toMatchObject({
      values: [undefined, undefined],
      parameterSummary: '',
    })
  })
})

describe('runs', () => {
  test('a run is done, failed or left; a failed one that was done later is done', async () => {
    const file = await writeHdf5(inFolder('states.h5'), (root) => {
      addTrajectory(root, 'T', {
        runCount: 10,
        isDone: (run) => run < 6,
        failed: [5, 6, 7, 99],
        stored: [0, 3, 5],
      })
    })
    const trajectory = await only(file, true)
    expect(trajectory.runs).toMatchObject({ total: 10, done: 6, failed: 2, left: 2 })
    expect(trajectory.runs.failures).toEqual([
      { run: 6, error: 'TypeError', message: 'run 6 is broken' },
      { run: 7, error: 'TypeError', message: 'run 7 is broken' },
    ])
    expect(trajectory.runs.table?.rows.map(({ state }) => state)).toEqual([
      ...Array(6).fill('done'),
      'failed',
      'failed',
      'left',
      'left',
    ])
    expect(trajectory.runs.table?.rows[5]?.runtimeSeconds).toBe(0.25)
    expect(trajectory.runs.table?.rows[9]?.runtimeSeconds).toBeUndefined()
  })

  test('the first, the middle and the last done run are looked at, and no others', async () => {
    const file = await writeHdf5(inFolder('sampled.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 100, isDone: (run) => run % 2 === 1, stored: [1, 3, 51, 99] })
      addItem(addLeaf(root, '/T/results/runs/run_00000003/rare', 'Result'), 'rare', Float64Array.of(1), [])
      addItem(addLeaf(root, '/T/results/runs/run_00000099/late', 'Result'), 'late', Float64Array.of(1), [])
    })
    const trajectory = await only(file)
    expect(trajectory.sampledRuns).toEqual([1, 51, 99])
    expect(trajectory.results.entries.map(({ name, foundInRuns }) => [name, foundInRuns])).toEqual([
      ['z', [1, 51, 99]],
      ['late', [99]],
    ])
    expect(trajectory.results.entries[0]?.example.cells).toEqual([2])
  })

  test('a result that none of the sampled runs has is found by the summary', async () => {
    const file = await writeHdf5(inFolder('rare.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 100, stored: [0, 50, 99] })
      addGroup(root, '/T/results/runs/run_00000017')
      addGroup(root, '/T/results/runs/run_00000017/group')
      addItem(
        addLeaf(root, '/T/results/runs/run_00000017/group/rare', 'Result', 'seldom'),
        'rare',
        Float64Array.of(5),
        [],
      )
      addTable(root.get('/T/overview') as Group, 'results_summary', [
        ['location', 'S512', ['results.runs.run_00000017.group', 'results.runs.run_00000018']],
        ['name', 'S128', ['rare', 'gone']],
        ['comment', 'S512', ['seldom', '']],
      ])
    })
    const { results } = await only(file)
    const rare = results.entries.find(({ name }) => name === 'group.rare')
    expect(rare).toMatchObject({ isPerRun: true, comment: 'seldom', foundInRuns: [17], types: ['float64'] })
    expect(results.entries.map(({ name }) => name)).not.toContain('gone')
  })

  test('50,000 runs give the first and the last ten rows and a range of the same length as ten runs', async () => {
    const runCount = 50_000
    const file = await writeHdf5(inFolder('many.h5'), (root) => {
      const explored = { x: (run: number) => run / 2, y: (run: number) => run % 3 }
      addTrajectory(root, 'T', { runCount, explored, stored: [0, 25_000, 49_999] })
    })
    const trajectory = await only(file, true)
    expect(trajectory.runs).toMatchObject({ total: runCount, done: runCount })
    expect(trajectory.runs.table?.omittedCount).toBe(runCount - 20)
    expect(trajectory.runs.table?.rows.map(({ run }) => run).slice(8, 12)).toEqual([8, 9, 49_990, 49_991])
    expect(trajectory.runs.table?.rows.at(-1)?.values.map((value) => value?.cells)).toEqual([[24_999.5], [1]])
    const [x, y] = trajectory.explored
    expect(x?.range).toMatchObject({
      runCount,
      distinctCount: runCount,
      minimum: 0,
      maximum: 24_999.5,
      hasNaN: false,
    })
    expect(x?.range?.values).toHaveLength(8)
    expect(y?.range?.values.map(({ cells }) => cells[0])).toEqual([0, 1, 2])
    expect(trajectory.results.entries[0]?.foundInRuns).toEqual([0, 25_000, 49_999])
  })
})

describe('values', () => {
  test('results of every form are described by type, shape and first elements', async () => {
    const file = await writeHdf5(inFolder('forms.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 2, stored: [0, 1] })
      const leaf = addLeaf(root, '/T/results/summary', 'Result', 'all forms')
      addItem(leaf, 'big', BigInt64Array.of(2n ** 60n), [])
      addItem(leaf, 'flag', Int8Array.of(1), [], { SRVC_DATA_SCALAR_TYPE: 'bool' })
      addItem(leaf, 'text', ['grün'], [])
      addItem(
        leaf,
        'matrix',
        Float32Array.from({ length: 20 }, (_, i) => i),
        [2, 10],
      )
      addItem(leaf, 'list', Float64Array.of(1, 2), [2], { SRVC_DATA_COLL_TYPE: 'COLL_LIST' })
      const pickle = addLeaf(root, '/T/results/secret', 'PickleResult')
      addItem(pickle, 'object', ['cos\nsystem\n(S"echo"\ntR.'], [])
      const wildcard = addLeaf(root, '/T/results/summary2', 'Result')
      addItem(wildcard, 'summary2', Float64Array.of(1), [])
    })
    const { results } = await only(file)
    const described = results.entries
      .filter(({ isPerRun }) => !isPerRun)
      .map(({ name, types, example }) => [name, types[0], example.shape, example.cells])
    expect(described).toEqual([
      ['secret.object', 'pickle', [], [{ unread: '40 bytes that only Python can read' }]],
      ['summary.big', 'int64', [], [2n ** 60n]],
      ['summary.flag', 'bool', [], [true]],
      ['summary.list', 'list of float64', [2], [1, 2]],
      ['summary.matrix', 'float32 array', [2, 10], [0, 1, 2, 3, 4, 5]],
      ['summary.text', 'str', [], ['grün']],
      ['summary2', 'float64', [], [1]],
    ])
    expect(results.entries.find(({ name }) => name === 'summary.big')?.comment).toBe('all forms')
  })

  test('shapes and types that differ between runs are told as such', async () => {
    const file = await writeHdf5(inFolder('shapes.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 3, stored: [0, 1, 2] })
      for (const run of [0, 1, 2]) {
        const spikes = addLeaf(root, `/T/results/runs/run_0000000${run}/spikes`, 'Result')
        addItem(spikes, 'spikes', new Float64Array(5 + 2 * run), [5 + 2 * run])
        const mixed = addLeaf(root, `/T/results/runs/run_0000000${run}/mixed`, 'Result')
        if (run === 1) addItem(mixed, 'mixed', ['text'], [])
        else addItem(mixed, 'mixed', Float64Array.of(0, 0), [2])
      }
    })
    const { results } = await only(file)
    expect(results.entries.find(({ name }) => name === 'spikes')).toMatchObject({
      shape: [{ minimum: 5, maximum: 9 }],
    })
    expect(results.entries.find(({ name }) => name === 'mixed')).toMatchObject({
      types: ['float64 array', 'str'],
      shape: undefined,
    })
  })

  test('wildcards gather the runs under one name, wherever they stand', async () => {
    const file = await writeHdf5(inFolder('wildcards.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 3 })
      for (const run of ['run_00000000', 'run_00000001', 'run_00000002']) {
        addGroup(root, `/T/results/${run}`)
        addItem(addLeaf(root, `/T/results/${run}/sub`, 'Result'), 'sub', Float64Array.of(1), [])
      }
    })
    const { results } = await only(file)
    expect(results).toMatchObject({ count: 1, isCountExact: true })
    expect(results.entries[0]).toMatchObject({ name: '$.sub', isPerRun: true, foundInRuns: [0, 1, 2] })
  })

  test('an explored array is counted by its different arrays, which are its values', async () => {
    const file = await writeHdf5(inFolder('arrays.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 4 })
      const leaf = addLeaf(root, '/T/parameters/kernel', 'ArrayParameter')
      addItem(leaf, 'data__rr__', Float64Array.of(0, 0), [2])
      const overview = root.get('/T/overview') as Group
      addTable(overview, 'explorations', [['explorations', 'S40', ['parameters.kernel']]])
      addTable(leaf, 'explored_data__rr__', [['idx', '<i', Int32Array.of(0, 1, 0, 1)]])
      for (const group of ['explored__rr__', 'explored__rr__/set_00000'])
        addGroup(root, `${leaf.path}/${group}`)
      const set = root.get(`${leaf.path}/explored__rr__/set_00000`) as Group
      addItem(set, 'xa_00000000', Float64Array.of(1, 2), [2])
      addItem(set, 'xa_00000001', Float64Array.of(3, 4), [2])
    })
    const { parameters, explored } = await only(file)
    expect(parameters.entries).toMatchObject([
      { name: 'kernel', isExplored: true, value: { type: 'float64 array', shape: [2], cells: [0, 0] } },
    ])
    expect(explored[0]).toMatchObject({ name: 'kernel', type: 'float64 array' })
    expect(explored[0]?.range).toMatchObject({ runCount: 4, distinctCount: 2, minimum: undefined })
    expect(explored[0]?.range?.values.map(({ cells }) => cells)).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('NaN among numbers leaves the range and is mentioned', async () => {
    const file = await writeHdf5(inFolder('nan.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 20, explored: { x: (run) => (run === 3 ? Number.NaN : run) } })
    })
    const { explored } = await only(file)
    expect(explored[0]?.range).toMatchObject({ minimum: 0, maximum: 19, hasNaN: true, distinctCount: 20 })
  })
})

describe('robustness', () => {
  test('links and rings in the tree are not followed', async () => {
    const file = await writeHdf5(inFolder('ring.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 1, stored: [0] })
      addGroup(root, '/T/parameters/group')
      root.create_soft_link('/T/parameters', '/T/parameters/group/ring')
      root.create_hard_link('/T/parameters/group', '/T/parameters/group/hard')
      addColumn(addLeaf(root, '/T/parameters/a', 'Parameter'), 'data', '<d', Float64Array.of(1), 'float')
    })
    const { parameters } = await only(file)
    expect(parameters.entries.map(({ name }) => name)).toEqual(['a'])
    expect(parameters.isCountExact).toBe(false)
  })

  test('a parameter that cannot be read is named among the others', async () => {
    const file = await writeHdf5(inFolder('unreadable.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 1 })
      addLeaf(root, '/T/parameters/broken', 'Parameter').create_group('data')
      addColumn(addLeaf(root, '/T/parameters/good', 'Parameter'), 'data', '<d', Float64Array.of(1), 'float')
    })
    const { parameters } = await only(file)
    expect(parameters.entries.map(({ name, value }) => [name, value.type])).toEqual([
      ['broken', 'unreadable'],
      ['good', 'float64'],
    ])
  })

  test('more parameters than are read are counted', async () => {
    const file = await writeHdf5(inFolder('crowded.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 1 })
      for (let index = 0; index < 1003; index += 1) addLeaf(root, `/T/parameters/p${index}`, 'Parameter')
    })
    const { parameters } = await only(file)
    expect(parameters).toMatchObject({ count: 1003, isCountExact: true })
    expect(parameters.entries).toHaveLength(1000)
  })
})

describe('choosing a trajectory', () => {
  test('several trajectories come oldest first', async () => {
    const file = await writeHdf5(inFolder('several.h5'), (root) => {
      addTrajectory(root, 'alpha', { runCount: 1, timestamp: 200 })
      addTrajectory(root, 'beta', { runCount: 2, timestamp: 100 })
      addGroup(root, '/not_a_trajectory')
    })
    const { trajectories } = await summariseFile(file)
    expect(trajectories.map(({ name }) => name)).toEqual(['beta', 'alpha'])
    const one = await summariseFile(file, { trajectory: 'alpha' })
    expect(one.trajectories.map(({ name }) => name)).toEqual(['alpha'])
    await expect(summariseFile(file, { trajectory: 'alphaa' })).rejects.toMatchObject({
      code: 'PYPET_TRAJECTORY_NOT_FOUND',
      where: '--trajectory',
      hint: 'Did you mean "alpha"?',
    })
    await expect(summariseFile(file, { trajectory: 'quite different' })).rejects.toMatchObject({
      hint: 'It holds "alpha", "beta".',
    })
  })

  test('an HDF5 file of another program holds no trajectory', async () => {
    const file = await writeHdf5(inFolder('other.h5'), (root) => void addGroup(root, '/images'))
    await expect(summariseFile(file)).rejects.toMatchObject({ code: 'PYPET_FILE_NO_TRAJECTORY', where: file })
  })
})
