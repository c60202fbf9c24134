/** Writes small trajectory files straight through h5wasm, so that reading is tested apart from our writer. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import h5wasm, { type Dataset, type File, type Group } from 'h5wasm/node'
import { afterAll, beforeAll } from 'vitest'

export type Column = readonly [name: string, dtype: string, cells: unknown]

/** A temporary folder for the tests of one file; removed when they are over. */
export function useFolder(): (name: string) => string {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pypet-ts-overview-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}

/** Opens a new file, lets `fill` write it, and closes it. */
export async function writeHdf5(path: string, fill: (file: File) => void): Promise<string> {
  await h5wasm.ready
  const file = new h5wasm.File(path, 'w')
  try {
    fill(file)
  } finally {
    file.close()
  }
  return path
}

export interface TrajectoryContent {
  readonly runCount: number
  readonly timestamp?: number
  readonly comment?: string
  readonly isDone?: (run: number) => boolean
  readonly failed?: readonly number[]
  /** Runs whose results are in the file. */
  readonly stored?: readonly number[]
  /** Parameters with one value a run. */
  readonly explored?: Readonly<Record<string, (run: number) => number>>
}

/** A whole trajectory: the required tables, explored float parameters, a result `z` in the stored runs. */
export function addTrajectory(file: File, name: string, content: TrajectoryContent): void {
  const { runCount, timestamp = 1.7e9, comment = 'a comment', isDone = () => true, failed = [] } = content
  const top = addGroup(file, `/${name}`)
  top.create_attribute('SRVC_INIT_COMMENT', comment, [], 'S')
  const overview = addGroup(file, `/${name}/overview`)
  addTable(overview, 'info', [
    ['name', 'S512', [name]],
    ['time', 'S20', ['2026_01_31_12h34m56s']],
    ['length', '<i', Int32Array.of(runCount)],
    ['timestamp', '<d', Float64Array.of(timestamp)],
    ['comment', 'S512', [comment.slice(0, 20)]],
    ['python', 'S128', ['node v20.20.2']],
    ['version', 'S128', ['pypet-ts 0.1.0']],
  ])
  const runs = Array.from({ length: runCount }, (_, run) => run)
  addTable(overview, 'runs', [
    ['idx', '<i', Int32Array.from(runs)],
    ['timestamp', '<d', Float64Array.from(runs, (run) => timestamp + run)],
    ['finish_timestamp', '<d', Float64Array.from(runs, (run) => (isDone(run) ? timestamp + run + 0.25 : 0))],
    ['parameter_summary', 'S32', runs.map((run) => `x: ${run}`)],
    ['completed', '<i', Int32Array.from(runs, (run) => (isDone(run) ? 1 : 0))],
  ])
  if (failed.length > 0) {
    addTable(overview, 'failed_runs', [
      ['idx', '<i', Int32Array.from(failed)],
      ['error', 'S64', failed.map(() => 'TypeError')],
      ['message', 'S512', failed.map((run) => `run ${run} is broken`)],
    ])
  }
  for (const branch of ['parameters', 'results', 'results/runs']) addGroup(file, `/${name}/${branch}`)
  const explored = Object.entries(content.explored ?? {})
  if (explored.length > 0) {
    addTable(overview, 'explorations', [
      ['explorations', 'S40', explored.map(([key]) => `parameters.${key}`)],
    ])
  }
  for (const [key, valueAt] of explored) {
    const leaf = addLeaf(file, `/${name}/parameters/${key}`, 'Parameter', `explored ${key}`)
    addColumn(leaf, 'data', '<d', Float64Array.of(0), 'float')
    addColumn(leaf, 'explored_data', '<d', Float64Array.from(runs, valueAt), 'float')
  }
  for (const run of content.stored ?? []) {
    const path = `/${name}/results/runs/run_${String(run).padStart(8, '0')}`
    addGroup(file, path)
    addItem(
      addLeaf(file, `${path}/z`, 'Result', run === 0 ? 'the result' : ''),
      'z',
      Float64Array.of(run * 2),
      [],
    )
  }
}

export function addGroup(file: File, path: string): Group {
  file.create_group(path)
  return file.get(path) as Group
}

export function addLeaf(file: File, path: string, className: string, comment = ''): Group {
  const leaf = addGroup(file, path)
  leaf.create_attribute('SRVC_INIT_CLASS_NAME', className, [], 'S')
  leaf.create_attribute('SRVC_LEAF', Int8Array.of(1), [], '<b')
  if (comment !== '') leaf.create_attribute('SRVC_INIT_COMMENT', comment, [], 'S')
  return leaf
}

export function addTable(group: Group, name: string, columns: readonly Column[]): void {
  const [[, , firstCells]] = columns as readonly [Column]
  const rowCount = (firstCells as ArrayLike<unknown>).length
  group.create_dataset({
    name,
    data: new Map(columns.map(([column, , cells]) => [column, cells])) as never,
    shape: [rowCount],
    maxshape: [null] as never,
    chunks: [Math.max(1, Math.min(rowCount, 256))],
    dtype: columns.map(([column, dtype]) => [column, dtype]) as never,
    compression: 1,
  })
}

/** A table of one column, as a parameter holds its values. */
export function addColumn(
  leaf: Group,
  name: string,
  dtype: string,
  cells: unknown,
  scalarType: string,
): void {
  addTable(leaf, name, [['data', dtype, cells]])
  setAttributes(leaf, name, {
    SRVC_COLUMN_data_COLL_TYPE: 'COLL_SCALAR',
    SRVC_COLUMN_data_SCALAR_TYPE: scalarType,
    SRVC_STORE: 'TABLE',
  })
}

const DTYPES: Readonly<Record<string, string>> = {
  Float64Array: '<d',
  Float32Array: '<f',
  Int8Array: '<b',
  Int32Array: '<i',
  BigInt64Array: '<q',
  BigUint64Array: '<Q',
}

export function addItem(
  leaf: Group,
  name: string,
  data: ArrayBufferView | readonly string[],
  shape: readonly number[],
  attributes: Readonly<Record<string, string>> = {},
): void {
  const isText = Array.isArray(data)
  const dtype = isText ? 'S40' : (DTYPES[data.constructor.name] as string)
  leaf.create_dataset({ name, data: data as never, shape: [...shape], dtype })
  const collection = shape.length === 0 ? 'COLL_SCALAR' : 'COLL_NDARRAY'
  setAttributes(leaf, name, {
    SRVC_DATA_COLL_TYPE: collection,
    ...(isText && { SRVC_DATA_SCALAR_TYPE: 'str' }),
    SRVC_STORE: 'ARRAY',
    ...attributes,
  })
}

function setAttributes(leaf: Group, name: string, attributes: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(attributes))
    (leaf.get(name) as Dataset).create_attribute(key, value, [], 'S')
}
