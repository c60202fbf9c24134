/** Checks an exploration of a `.cnt` file: its kinds, its depth, and how many points it has. */
import { SOBOL_DIMENSIONS_MAX } from '../exploration/sobol-directions.ts'
import { RUNS_MAX } from '../names.ts'
import { ARRAY_TYPES } from '../values/typed-array.ts'
import {
  assertList,
  assertObject,
  type Check,
  fault,
  finite,
  flag,
  isWhole,
  namesTo,
  oneOf,
  optional,
  RecordFault,
  whole,
} from './check.ts'
import { legalName, valueInBytes } from './check-value.ts'

/** Each filter and formula adds a level of nesting. */
const DEPTH_MAX = 100

interface Extent {
  readonly names: readonly string[]
  /** Number of points. */
  readonly length: number
}

/** Number of values in each pool, by parameter. */
type PoolSizes = ReadonlyMap<string, number>

/** Pools are only allowed around the whole exploration. */
export const explorationSpec: Check = (value, at) => {
  assertObject(value, at)
  if (value.kind !== 'pooled') {
    extentOf(value, at, 0, NO_POOLS)
    return
  }
  const sizes = poolSizes(value.pools, `${at}.pools`)
  const extent = extentOf(value.of, `${at}.of`, 1, sizes)
  const wrong = [...sizes.keys()].find((name) => !extent.names.includes(name))
  if (wrong !== undefined) throw fault(`${at}.pools`, 'explored names', wrong)
}

const NO_POOLS: PoolSizes = new Map()

function poolSizes(pools: unknown, at: string): PoolSizes {
  const sizes = new Map<string, number>()
  namesTo((pool, here) => {
    assertObject(pool, here)
    whole(0, RUNS_MAX)(pool.first, `${here}.first`)
    assertList(pool.values, `${here}.values`)
    for (const [index, value] of pool.values.entries()) {
      if (typeof value !== 'string') pooledValue(value, `${here}.values[${index}]`)
    }
    sizes.set(here.slice(at.length + 1), (pool.first as number) + pool.values.length)
  })(pools, at)
  return sizes
}

const pooledValue: Check = (value, at) => {
  assertObject(value, at)
  oneOf('list', 'ndarray', 'sparse', 'scalar', 'date', 'record')(value.form, `${at}.form`)
  valueInBytes(value, at)
}

function extentOf(value: unknown, at: string, depth: number, sizes: PoolSizes): Extent {
  assertObject(value, at)
  if (depth > DEPTH_MAX) throw fault(at, `at most ${DEPTH_MAX} nested explorations`, value)
  const extent = extentOfKind(value, at, depth, sizes)
  if (extent.length < 1 || extent.length > RUNS_MAX)
    throw new RecordFault(`${at}: expected 1 to ${RUNS_MAX} points, found ${extent.length}`)
  const seen = new Set<string>()
  for (const name of extent.names) {
    if (seen.has(name)) throw fault(at, 'each name once', name)
    seen.add(name)
  }
  return extent
}

function extentOfKind(
  value: Readonly<Record<string, unknown>>,
  at: string,
  depth: number,
  sizes: PoolSizes,
): Extent {
  switch (value.kind) {
    case 'product':
      return productExtent(value.factors, `${at}.factors`, sizes)
    case 'zip':
    case 'points':
      return columnsExtent(value.columns, `${at}.columns`, sizes)
    case 'concat':
      return concatExtent(value.parts, `${at}.parts`, depth, sizes)
    case 'sample':
      return sampleExtent(value, at, sizes)
    case 'repeat': {
      const { names, length } = extentOf(value.of, `${at}.of`, depth + 1, sizes)
      const { count, name } = value
      assertPointCount(count, `${at}.count`)
      legalName(name, `${at}.name`)
      return { names: [...names, name as string], length: length * count }
    }
    case 'select': {
      const { names, length } = extentOf(value.of, `${at}.of`, depth + 1, sizes)
      const { runs } = value
      if (!(runs instanceof Uint32Array)) throw fault(`${at}.runs`, 'a Uint32Array', runs)
      const wrong = runs.findIndex((run) => run >= length)
      if (wrong >= 0) throw fault(`${at}.runs[${wrong}]`, `a point below ${length}`, runs[wrong])
      return { names, length: runs.length }
    }
    case 'partial':
      return partialExtent(value, at, depth, sizes)
    case 'derived': {
      const { names, length } = extentOf(value.of, `${at}.of`, depth + 1, sizes)
      const derived = columnsExtent(value.columns, `${at}.columns`, sizes, length)
      return { names: [...names, ...derived.names], length }
    }
    default:
      throw fault(`${at}.kind`, 'a kind of exploration', value.kind)
  }
}

function productExtent(factors: unknown, at: string, sizes: PoolSizes): Extent {
  assertList(factors, at)
  const names: string[] = []
  let length = 1
  for (const [index, factor] of factors.entries()) {
    const extent = columnsExtent(factor, `${at}[${index}]`, sizes)
    for (const name of extent.names) names.push(name)
    length *= extent.length
  }
  return { names, length }
}

/** @param expected the length of all columns. Default: the length of the first one. */
function columnsExtent(columns: unknown, at: string, sizes: PoolSizes, expected?: number): Extent {
  assertList(columns, at)
  let length = expected
  const names: string[] = []
  for (const [index, column] of columns.entries()) {
    const here = `${at}[${index}]`
    assertObject(column, here)
    legalName(column.name, `${here}.name`)
    names.push(column.name as string)
    const own = rangeExtent(column.range, `${here}.range`, sizes.get(column.name as string))
    length ??= own
    if (own !== length) throw new RecordFault(`${here}.range: expected ${length} values, found ${own}`)
  }
  return { names, length: length ?? 1 }
}

function concatExtent(parts: unknown, at: string, depth: number, sizes: PoolSizes): Extent {
  assertList(parts, at)
  let length = 0
  let names: readonly string[] | undefined
  let sorted = ''
  for (const [index, part] of parts.entries()) {
    const extent = extentOf(part, `${at}[${index}]`, depth + 1, sizes)
    const own = String([...extent.names].sort())
    names ??= extent.names
    if (index === 0) sorted = own
    else if (own !== sorted) throw fault(`${at}[${index}]`, `the names ${sorted}`, own)
    length += extent.length
  }
  return { names: names ?? [], length }
}

function sampleExtent(value: Readonly<Record<string, unknown>>, at: string, sizes: PoolSizes): Extent {
  const { count, columns, method } = value
  oneOf('random', 'latinHypercube', 'sobol')(method, `${at}.method`)
  assertPointCount(count, `${at}.count`)
  optional(whole(0))(value.seed, `${at}.seed`)
  assertList(columns, `${at}.columns`)
  if (method === 'sobol' && columns.length > SOBOL_DIMENSIONS_MAX)
    throw fault(`${at}.columns`, `at most ${SOBOL_DIMENSIONS_MAX}`, columns)
  const names = columns.map((column, index) => {
    const here = `${at}.columns[${index}]`
    assertObject(column, here)
    legalName(column.name, `${here}.name`)
    sampledRange(column.range, `${here}.range`, sizes.get(column.name as string))
    return column.name as string
  })
  return { names, length: count }
}

function sampledRange(value: unknown, at: string, poolSize: number | undefined): void {
  assertObject(value, at)
  if (value.kind === 'choice') {
    rangeExtent(value.range, `${at}.range`, poolSize)
    return
  }
  oneOf('between', 'choice')(value.kind, `${at}.kind`)
  finite(value.low, `${at}.low`)
  finite(value.high, `${at}.high`)
  oneOf('linear', 'log')(value.scale, `${at}.scale`)
  flag(value.isWhole, `${at}.isWhole`)
}

function partialExtent(
  value: Readonly<Record<string, unknown>>,
  at: string,
  depth: number,
  sizes: PoolSizes,
): Extent {
  const extent = extentOf(value.of, `${at}.of`, depth + 1, sizes)
  const names = new Set(extent.names)
  assertList(value.columns, `${at}.columns`)
  for (const [index, column] of value.columns.entries()) {
    const here = `${at}.columns[${index}]`
    assertObject(column, here)
    const { name, isExplored, otherwise } = column
    if (!names.has(name as string)) throw fault(`${here}.name`, 'an explored name', name)
    const byteCount = Math.ceil(extent.length / 8)
    if (!(isExplored instanceof Uint8Array) || isExplored.byteLength < byteCount)
      throw fault(`${here}.isExplored`, `one bit for each of ${extent.length} points`, isExplored)
    const poolSize = sizes.get(name as string)
    if (poolSize !== undefined) whole(0, poolSize - 1)(otherwise, `${here}.otherwise`)
    if (!isScalar(otherwise)) throw fault(`${here}.otherwise`, 'a single value', otherwise)
  }
  return extent
}

/** Returns the number of values. For parameters with a pool, the values are indices into it. */
function rangeExtent(value: unknown, at: string, poolSize: number | undefined): number {
  assertObject(value, at)
  if (poolSize !== undefined) oneOf('numbers')(value.kind, `${at}.kind`)
  switch (value.kind) {
    case 'numbers': {
      const { numbers } = value
      if (!(numbers instanceof Uint32Array)) throw fault(`${at}.numbers`, 'a Uint32Array', numbers)
      const wrong = numbers.findIndex((number) => number >= (poolSize ?? 0))
      if (wrong >= 0)
        throw fault(`${at}.numbers[${wrong}]`, `a number below ${poolSize ?? 0}`, numbers[wrong])
      return numbers.length
    }
    case 'values':
      return listedExtent(value.values, `${at}.values`)
    case 'arange':
      finite(value.start, `${at}.start`)
      finite(value.step, `${at}.step`)
      assertPointCount(value.length, `${at}.length`)
      return value.length
    case 'linspace':
    case 'logspace':
      finite(value.start, `${at}.start`)
      finite(value.stop, `${at}.stop`)
      if (value.kind === 'logspace') finite(value.base, `${at}.base`)
      assertPointCount(value.num, `${at}.num`)
      return value.num
    default:
      throw fault(`${at}.kind`, 'a kind of range', value.kind)
  }
}

function listedExtent(values: unknown, at: string): number {
  if (ArrayBuffer.isView(values) && TYPED_ARRAYS.has(values.constructor)) return (values as Uint8Array).length
  assertList(values, at)
  const wrong = values.findIndex((value) => !isScalar(value))
  if (wrong >= 0) throw fault(`${at}[${wrong}]`, 'a single value', values[wrong])
  return values.length
}

const TYPED_ARRAYS: ReadonlySet<unknown> = new Set([...Object.values(ARRAY_TYPES), Uint8ClampedArray])

function isScalar(value: unknown): boolean {
  return ['number', 'bigint', 'boolean', 'string'].includes(typeof value)
}

function assertPointCount(value: unknown, at: string): asserts value is number {
  if (!isWhole(value, 1, RUNS_MAX)) throw fault(at, `a number from 1 to ${RUNS_MAX}`, value)
}
