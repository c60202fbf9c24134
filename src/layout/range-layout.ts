/** The ranges of explored parameters, complete and as they grow (docs/format.md, section 4). */
import { PypetError } from '../errors.ts'
import { type PooledValue, pooledText } from '../exploration/value-pool.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { createTable, defineTable, type Row, resizeTable, writeRows } from '../hdf5/table.ts'
import {
  ARRAY_SUFFIX,
  columnAttributes,
  isFirstOfSet,
  RANGE,
  rangeSet,
  rangeValueName,
  SPARSE_SUFFIX,
  SRVC,
} from '../names.ts'
import type { RunIndex } from '../values/path.ts'
import type { RawNumbers, RawTexts, RawValue } from '../values/raw-value.ts'
import type { BasicDtype, StoredValue } from '../values/stored-value.ts'
import { itemOperations } from './item-layout.ts'
import { dataAttributes, dataTable, storeAttribute } from './leaf-layout.ts'
import { tableDataset } from './table-item.ts'

/** The values of an explored parameter, one per run, by the form of their table. They are read in batches. */
export type RangeShape = { readonly length: number } & (
  | {
      readonly kind: 'cells'
      readonly dtype: BasicDtype
      /** UTF-8 bytes of the longest text. 0 unless the dtype is `str`. */
      readonly textBytesMax: number
      cells(first: RunIndex, end: RunIndex): ArrayLike<number | bigint | string>
    }
  /** Single values that are complex or narrower than JavaScript's, and bytes. */
  | { readonly kind: 'elements'; elements(first: RunIndex, end: RunIndex): RawNumbers | RawTexts }
  /** Each distinct value once. The runs have their indices. */
  | {
      readonly kind: 'numbers'
      readonly preset: StoredValue
      /** Values that cannot be written are undefined. Those that are only in the file have a text. */
      readonly values: readonly (PooledValue | undefined)[]
      numbers(first: RunIndex, end: RunIndex): ArrayLike<number>
    }
)

/** What a file holds of a range. */
export interface StoredRange extends RangeColumn {
  readonly length: number
  /** Its column has the indices of arrays. */
  readonly isReference: boolean
  /** Number of distinct arrays. */
  readonly objectCount: number
}

/** Properties of a range's columns. Their sizes cannot change. */
interface RangeColumn {
  /** Width of the column for texts, 0 for other columns. A longer text needs a new table. */
  readonly textBytes: number
  readonly numberBytes: NumberBytes
  /** There is a column of texts besides the indices of values. */
  readonly hasTexts: boolean
}

/** The size of a column of array indices: pypet's tables have half of ours. */
type NumberBytes = 4 | 8

/**
 * The complete range of a parameter that had none in the file, in batches.
 *
 * @param givenTextBytes width of a text column that may get more texts
 */
export function* newRange(
  path: string,
  range: RangeShape,
  complevel: number,
  givenTextBytes?: number,
): Generator<Hdf5Operation[]> {
  let textBytes = 0
  switch (range.kind) {
    case 'elements': {
      yield elementsTable(path, range.elements(0, range.length))
      return
    }
    case 'cells':
      textBytes = givenTextBytes ?? range.textBytesMax
      yield cellsTable(path, range.dtype, textBytes, range.length)
      break
    case 'numbers':
      yield* rangeValues(path, range.preset, { first: 0, values: range.values }, complevel)
      yield numbersTable(path, range.preset, range.length)
      break
  }
  yield* rangeRows(path, range, 0, { textBytes, numberBytes: 8, hasTexts: true })
}

/**
 * What a range has gained since the state `before` in the file, in batches.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function* grownRange(
  path: string,
  range: RangeShape,
  before: StoredRange,
  complevel: number,
): Generator<Hdf5Operation[]> {
  const { length } = range
  if (before.length >= length) return
  const table = `${path}/${RANGE}`
  switch (range.kind) {
    case 'elements': {
      const raw = range.elements(before.length, length)
      if ('texts' in raw) throw new Error(`${path}: cannot extend a range of ${raw.dtype}`)
      const rowCount = length - before.length
      yield [
        ...resizeTable(table, length),
        { type: 'write-rows', path: table, firstRow: before.length, rowCount, bytes: raw.bytes },
      ]
      return
    }
    case 'cells':
      yield resizeTable(table, length)
      break
    case 'numbers': {
      if (!before.isReference) throw inCells(path)
      const { preset, values } = range
      const gained = { first: before.objectCount, values: values.slice(before.objectCount) }
      yield* rangeValues(path, preset, gained, complevel)
      yield [
        ...resizeTable(`${table}${rangeSuffix(preset)}`, length),
        ...(before.hasTexts && hasTexts(preset) ? resizeTable(table, length) : []),
      ]
      break
    }
  }
  yield* rangeRows(path, range, before.length, before)
}

function* rangeRows(
  path: string,
  range: Exclude<RangeShape, { kind: 'elements' }>,
  firstRun: RunIndex,
  column: RangeColumn,
): Generator<Hdf5Operation[]> {
  if (range.kind === 'cells') {
    const { dtype } = range
    const rowBytes = dataTable(dtype, column.textBytes).rowType.bytes
    for (const [first, end] of batches(firstRun, range.length, rowBytes))
      yield cellRows(path, dtype, column.textBytes, first, range.cells(first, end))
    return
  }
  const { preset, values } = range
  const references = column.numberBytes === 4 ? SHORT_REFERENCES : REFERENCES
  for (const [first, end] of batches(firstRun, range.length, REFERENCES.rowType.bytes)) {
    const numbers = range.numbers(first, end)
    const rows = Array.from(numbers, (number): Row => [number])
    yield writeRows(`${path}/${RANGE}${rangeSuffix(preset)}`, references, first, rows)
    if (!column.hasTexts || !hasTexts(preset)) continue
    const texts = Array.from(numbers, (number) => textOf(values[number]))
    yield cellRows(path, 'str', RANGE_TEXT_BYTES, first, texts)
  }
}

/** Batch size when filling a table: small enough to be in memory several times. */
const BATCH_BYTES_MAX = 4_194_304
/** There are many narrow rows, and each is an object before it becomes bytes. */
const BATCH_ROWS_MAX = 4096

/** The rows from first to end, exclusive, that are written together. */
export function* batches(
  start: number,
  end: number,
  rowBytes: number,
): Generator<[first: number, end: number]> {
  const size = Math.min(BATCH_ROWS_MAX, Math.max(1, Math.floor(BATCH_BYTES_MAX / rowBytes)))
  for (let first = start; first < end; first += size) yield [first, Math.min(first + size, end)]
}

function cellsTable(path: string, dtype: BasicDtype, textBytes: number, rowCount: number): Hdf5Operation[] {
  const table = `${path}/${RANGE}`
  return [
    ...createTable(table, dataTable(dtype, textBytes), RANGE, rowCount),
    ...dataAttributes(table, dtype),
  ]
}

function cellRows(
  path: string,
  dtype: BasicDtype,
  textBytes: number,
  firstRun: RunIndex,
  cells: ArrayLike<number | bigint | string>,
): Hdf5Operation[] {
  const rows = Array.from(cells, (cell): Row => [cell])
  return writeRows(`${path}/${RANGE}`, dataTable(dtype, textBytes), firstRun, rows)
}

function elementsTable(path: string, column: RawNumbers | RawTexts): Hdf5Operation[] {
  const table = `${path}/${RANGE}`
  const columns = [{ name: 'data', value: column }]
  return [
    ...tableDataset(table, { form: 'table', rowCount: column.shape[0] as number, columns }),
    storeAttribute(table),
  ]
}

/** Each run has an index. If pypet has no form for a value, there is also a column of texts. */
function numbersTable(path: string, preset: StoredValue, rowCount: number): Hdf5Operation[] {
  const name = `${RANGE}${rangeSuffix(preset)}`
  const table = `${path}/${name}`
  return [
    ...createTable(table, REFERENCES, name, rowCount),
    { type: 'create-attribute', path: table, name: INDEX.collection, value: 'COLL_SCALAR' },
    { type: 'create-attribute', path: table, name: INDEX.scalarType, value: 'int' },
    storeAttribute(table),
    ...(hasTexts(preset) ? cellsTable(path, 'str', RANGE_TEXT_BYTES, rowCount) : []),
  ]
}

const REFERENCES = defineTable([['idx', 'int64']])
const SHORT_REFERENCES = defineTable([['idx', 'int32']])
const INDEX = columnAttributes('idx')

/** The text for a value in the column of texts, for pypet. */
function textOf(value: PooledValue | undefined): string {
  if (typeof value === 'object' && value.form === 'date') return new Date(value.time).toISOString()
  return value === undefined ? '' : pooledText(value)
}

function hasTexts(preset: StoredValue): boolean {
  return preset.form === 'date' || preset.form === 'record' || preset.form === 'null'
}

const RANGE_TEXT_BYTES = 128

/** Suffix of the names of tables and arrays of a range. */
export function rangeSuffix(preset: StoredValue): string {
  return preset.form === 'sparse' ? SPARSE_SUFFIX : ARRAY_SUFFIX
}

/**
 * Distinct lists and arrays of a range, one at a time, in groups of a thousand.
 *
 * @param part.first index of the first one. Those that are only in the file are skipped.
 */
export function* rangeValues(
  path: string,
  preset: StoredValue,
  { first, values }: { readonly first: number; readonly values: readonly (PooledValue | undefined)[] },
  complevel: number,
): Generator<Hdf5Operation[]> {
  const suffix = rangeSuffix(preset)
  for (const [index, value] of values.entries()) {
    if (typeof value !== 'string') yield rangeValue(path, suffix, first + index, value, complevel)
  }
}

function rangeValue(
  path: string,
  suffix: string,
  number: number,
  value: RawValue | undefined,
  complevel: number,
): Hdf5Operation[] {
  if (suffix === SPARSE_SUFFIX) return value === undefined ? [] : renamed(path, number, value)
  const set = `${path}/${rangeSet(number)}`
  return [
    ...(number === 0 ? nestedGroup(`${path}/explored${suffix}`) : []),
    ...(isFirstOfSet(number) ? nestedGroup(set) : []),
    ...(value === undefined
      ? []
      : itemOperations(`${path}/${rangeValueName(suffix, number)}`, value, complevel)),
  ]
}

/** The name of a stored matrix has a suffix. In a range, the suffix is before its index. */
function renamed(path: string, number: number, value: RawValue): Hdf5Operation[] {
  const name = `${path}/xspm`
  const wanted = `${path}/${rangeValueName(SPARSE_SUFFIX, number)}`
  return itemOperations(name, value, 0).map((operation) => ({ ...operation, path: wanted }))
}

function nestedGroup(path: string): Hdf5Operation[] {
  return [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: SRVC.store, value: 'NESTED_GROUP' },
  ]
}

/** pypet's `Parameter` keeps lists in table cells, which pypet-ts cannot write. */
function inCells(path: string): PypetError {
  return new PypetError(
    'PYPET_VALUE_UNSUPPORTED',
    `cannot add points to ${path}: pypet stored its lists in table cells`,
    { where: path, hint: 'Declare it as an ArrayParameter in pypet, or add the points there.' },
  )
}
