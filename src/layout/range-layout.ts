/** The ranges of explored parameters, whole and as they grow (docs/format.md, section 4). */
import { PypetError } from '../errors.ts'
import { type PooledValue, pooledText } from '../exploration/value-pool.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { resizeTable } from '../hdf5/table.ts'
import { ARRAY_SUFFIX, isFirstOfSet, RANGE, rangeSet, rangeValueName, SPARSE_SUFFIX, SRVC } from '../names.ts'
import type { ParameterRange } from '../run/parameter-range.ts'
import {
  elementBytes,
  type RawNumbers,
  type RawTexts,
  type RawValue,
  rawElements,
  rawValue,
} from '../values/raw-value.ts'
import { isBasicDtype, type StoredScalar, type StoredValue } from '../values/stored-value.ts'
import { longestUtf8Bytes } from '../values/utf8.ts'
import { itemOperations } from './item-layout.ts'
import {
  exploredReferences,
  exploredReferenceTable,
  exploredRows,
  exploredTable,
  type NumberBytes,
} from './leaf-layout.ts'
import { tableDataset } from './table-item.ts'

/** The whole range of a parameter that had none in the file. */
export function exploredRangeOperations(
  path: string,
  preset: StoredValue,
  range: ParameterRange,
  complevel: number,
): Hdf5Operation[] {
  if (range.kind === 'scalars') return scalarRange(path, range)
  const suffix = rangeSuffix(preset)
  const values = range.values.map(readable)
  return [
    ...objectOperations(path, suffix, 0, values, complevel),
    ...referenceTable(path, preset, range.index.length),
    ...exploredReferences(path, suffix, 0, range.index),
    ...referenceTexts(path, preset, 0, textsOf(values, range.index)),
  ]
}

/** What the runs have is a number of each; of values that pypet has no form for there is a column of texts as well. */
export function referenceTable(path: string, preset: StoredValue, runCount: number): Hdf5Operation[] {
  return [
    ...exploredReferenceTable(path, rangeSuffix(preset), runCount),
    ...(hasTexts(preset) ? exploredTable(path, 'str', RANGE_TEXT_BYTES, runCount) : []),
  ]
}

/** The texts of some runs, for pypet; nothing where the values say it themselves. */
export function referenceTexts(
  path: string,
  preset: StoredValue,
  firstRun: number,
  texts: readonly string[],
): Hdf5Operation[] {
  return hasTexts(preset) ? exploredRows(path, 'str', RANGE_TEXT_BYTES, firstRun, texts) : []
}

export function textsOf(values: readonly (PooledValue | undefined)[], numbers: Iterable<number>): string[] {
  return Array.from(numbers, (number) => {
    const value = values[number]
    if (typeof value === 'object' && value.form === 'date') return new Date(value.time).toISOString()
    return value === undefined ? '' : pooledText(value)
  })
}

/** A growing range of such values. @param areTextsThere files of before may lack them */
export function grownReferences(
  path: string,
  preset: StoredValue,
  runCount: number,
  areTextsThere = true,
): Hdf5Operation[] {
  return [
    ...resizeTable(`${path}/${RANGE}${rangeSuffix(preset)}`, runCount),
    ...(areTextsThere && hasTexts(preset) ? resizeTable(`${path}/${RANGE}`, runCount) : []),
  ]
}

function hasTexts(preset: StoredValue): boolean {
  return preset.form === 'date' || preset.form === 'record' || preset.form === 'null'
}

const RANGE_TEXT_BYTES = 128

function scalarRange(
  path: string,
  { dtype, values }: Extract<ParameterRange, { kind: 'scalars' }>,
): Hdf5Operation[] {
  if (!isBasicDtype(dtype)) return columnTable(path, rawElements({ form: 'list', dtype, values }))
  const textBytes = dtype === 'str' ? longestUtf8Bytes(values as string[]) : 0
  return [
    ...exploredTable(path, dtype, textBytes, values.length),
    ...exploredRows(path, dtype, textBytes, 0, cells(dtype, values)),
  ]
}

function columnTable(path: string, column: RawNumbers | RawTexts): Hdf5Operation[] {
  const table = `${path}/${RANGE}`
  const columns = [{ name: 'data', value: column }]
  return [
    ...tableDataset(table, { form: 'table', rowCount: column.shape[0] as number, columns }),
    { type: 'create-attribute', path: table, name: SRVC.store, value: 'TABLE' },
  ]
}

export type NumberDtype = RawNumbers['dtype']

/** The range of numbers that are complex or have fewer bits than JavaScript's; the rows follow by `numberRows`. */
export function numberTable(path: string, dtype: NumberDtype, runCount: number): Hdf5Operation[] {
  const bytes = new Uint8Array(runCount * elementBytes(dtype))
  return columnTable(path, { form: 'list', dtype, shape: [runCount], bytes })
}

export function numberRows(path: string, firstRow: number, values: readonly RawNumbers[]): Hdf5Operation[] {
  const bytes = Buffer.concat(values.map((value) => value.bytes))
  return [{ type: 'write-rows', path: `${path}/${RANGE}`, firstRow, rowCount: values.length, bytes }]
}

function cells(dtype: string, values: readonly StoredScalar['value'][]): (number | bigint | string)[] {
  return dtype === 'bool' ? values.map(Number) : (values as (number | bigint | string)[])
}

/** What the names of tables and arrays of a range end in. */
export function rangeSuffix(preset: StoredValue): string {
  return preset.form === 'sparse' ? SPARSE_SUFFIX : ARRAY_SUFFIX
}

/** What cannot be read is in the file that it came from. */
function readable(value: StoredValue): RawValue | undefined {
  return value.form === 'unread' ? undefined : rawValue(value)
}

/** Distinct arrays of a range, the first of which has this number, in their groups of a thousand. */
export function objectOperations(
  path: string,
  suffix: string,
  first: number,
  values: readonly (RawValue | undefined)[],
  complevel: number,
): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  if (suffix === ARRAY_SUFFIX && first === 0) {
    operations.push(
      { type: 'create-group', path: `${path}/explored${suffix}` },
      nested(`${path}/explored${suffix}`),
    )
  }
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue
    const number = first + index
    if (suffix === SPARSE_SUFFIX) {
      operations.push(...renamed(path, number, value))
      continue
    }
    const set = `${path}/${rangeSet(number)}`
    if (isFirstOfSet(number)) operations.push({ type: 'create-group', path: set }, nested(set))
    operations.push(...itemOperations(`${path}/${rangeValueName(suffix, number)}`, value, complevel))
  }
  return operations
}

/** A matrix is stored under its name with a suffix; in a range the suffix stands before its number. */
function renamed(path: string, number: number, value: RawValue): Hdf5Operation[] {
  const name = `${path}/xspm`
  const wanted = `${path}/${rangeValueName(SPARSE_SUFFIX, number)}`
  return itemOperations(name, value, 0).map((operation) => ({ ...operation, path: wanted }))
}

function nested(path: string): Hdf5Operation {
  return { type: 'create-attribute', path, name: SRVC.store, value: 'NESTED_GROUP' }
}

/** What a file holds of a range. */
export interface StoredRange {
  readonly length: number
  /** Its column has the numbers of arrays. */
  readonly isReference: boolean
  /** Distinct arrays. */
  readonly objectCount: number
  /** What the column holds of a text; 0 for other columns. A longer one needs a new table. */
  readonly textBytes: number
  readonly numberBytes: NumberBytes
  /** Beside numbers of values there are texts of them. */
  readonly hasTexts: boolean
}

/** What a range has gained since the file had `before` of it. */
export function grownRange(
  path: string,
  preset: StoredValue,
  range: ParameterRange,
  before: StoredRange,
  complevel: number,
): Hdf5Operation[] {
  if (range.kind === 'objects') {
    if (!before.isReference) throw inCells(path)
    const suffix = rangeSuffix(preset)
    const values = range.values.map(readable)
    const index = range.index.slice(before.length)
    return [
      ...objectOperations(path, suffix, before.objectCount, values.slice(before.objectCount), complevel),
      ...grownReferences(path, preset, range.index.length, before.hasTexts),
      ...exploredReferences(path, suffix, before.length, index, before.numberBytes),
      ...(before.hasTexts ? referenceTexts(path, preset, before.length, textsOf(values, index)) : []),
    ]
  }
  const table = `${path}/${RANGE}`
  const { dtype } = range
  const more = range.values.slice(before.length)
  if (isBasicDtype(dtype)) {
    return [
      ...resizeTable(table, range.values.length),
      ...exploredRows(path, dtype, before.textBytes, before.length, cells(dtype, more)),
    ]
  }
  const raw = rawElements({ form: 'list', dtype, values: more })
  if ('texts' in raw) throw new Error(`${path}: a range of ${dtype} cannot grow`)
  return [
    ...resizeTable(table, range.values.length),
    { type: 'write-rows', path: table, firstRow: before.length, rowCount: more.length, bytes: raw.bytes },
  ]
}

/** pypet's `Parameter` has its lists in the cells of a table, which cannot be written here. */
function inCells(path: string): PypetError {
  return new PypetError(
    'PYPET_VALUE_UNSUPPORTED',
    `cannot add points to ${path}: pypet has written its lists into the cells of a table`,
    { where: path, hint: 'Declare it as an ArrayParameter in pypet, or add the points there.' },
  )
}
