/** The ranges of explored parameters, whole and as they grow (FORMAT, section 4). */
import type { ParameterRange } from '../trajectory/parameter-range.ts'
import { type RawValue, rawElements, rawValue } from '../trajectory/raw-value.ts'
import { isBasicDtype, type StoredScalar, type StoredValue } from '../trajectory/stored-value.ts'
import { longestUtf8Bytes } from '../trajectory/utf8.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import { itemOperations, SPARSE_SUFFIX } from './item-layout.ts'
import {
  ARRAY_SUFFIX,
  exploredReferences,
  exploredReferenceTable,
  exploredRows,
  exploredTable,
  type ScalarDtype,
} from './leaf-layout.ts'
import { tableDataset } from './table-item.ts'

const ARRAYS_PER_SET = 1000

/** The whole range of a parameter that had none in the file. */
export function exploredRangeOperations(
  path: string,
  preset: StoredValue,
  range: ParameterRange,
  complevel: number,
): Hdf5Operation[] {
  if (range.kind === 'scalars') return scalarRange(path, range)
  const suffix = rangeSuffix(preset)
  return [
    ...objectOperations(path, suffix, 0, range.values.map(readable), complevel),
    ...exploredReferenceTable(path, suffix, range.index.length),
    ...exploredReferences(path, suffix, 0, range.index),
  ]
}

function scalarRange(
  path: string,
  { dtype, values }: Extract<ParameterRange, { kind: 'scalars' }>,
): Hdf5Operation[] {
  if (!isBasicDtype(dtype)) {
    const table = `${path}/explored_data`
    const column = { name: 'data', value: rawElements({ form: 'list', dtype, values }) }
    return [
      ...tableDataset(table, { form: 'table', rowCount: values.length, columns: [column] }),
      { type: 'create-attribute', path: table, name: 'SRVC_STORE', value: 'TABLE' },
    ]
  }
  const textBytes = dtype === 'str' ? longestUtf8Bytes(values as string[]) : 0
  return [
    ...exploredTable(path, dtype as ScalarDtype, textBytes, values.length),
    ...exploredRows(path, dtype as ScalarDtype, textBytes, 0, cells(dtype, values)),
  ]
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
    const set = `${path}/explored${suffix}/set_${pad(Math.floor(number / ARRAYS_PER_SET), 5)}`
    if (number % ARRAYS_PER_SET === 0) operations.push({ type: 'create-group', path: set }, nested(set))
    operations.push(...itemOperations(`${set}/xa_${pad(number, 8)}`, value, complevel))
  }
  return operations
}

/** A matrix is stored under its name with a suffix; in a range the suffix stands before its number. */
function renamed(path: string, number: number, value: RawValue): Hdf5Operation[] {
  const name = `${path}/xspm`
  const wanted = `${path}/xspm${SPARSE_SUFFIX}${pad(number, 8)}`
  return itemOperations(name, value, 0).map((operation) => ({ ...operation, path: wanted }))
}

function nested(path: string): Hdf5Operation {
  return { type: 'create-attribute', path, name: 'SRVC_STORE', value: 'NESTED_GROUP' }
}

function pad(number: number, length: number): string {
  return String(number).padStart(length, '0')
}

/**
 * What a range has gained since the file had `before` values.
 *
 * @param textBytes what the file's column holds of a text; a longer one needs a new table
 */
export function grownRange(
  path: string,
  preset: StoredValue,
  range: ParameterRange,
  before: { readonly length: number; readonly objectCount: number; readonly textBytes: number },
  complevel: number,
): Hdf5Operation[] {
  if (range.kind === 'objects') {
    const suffix = rangeSuffix(preset)
    const table = `${path}/explored_data${suffix}`
    const values = range.values.slice(before.objectCount).map(readable)
    return [
      ...objectOperations(path, suffix, before.objectCount, values, complevel),
      ...grown(table, range.index.length),
      ...exploredReferences(path, suffix, before.length, range.index.slice(before.length)),
    ]
  }
  const table = `${path}/explored_data`
  const { dtype } = range
  const more = range.values.slice(before.length)
  if (isBasicDtype(dtype)) {
    return [
      ...grown(table, range.values.length),
      ...exploredRows(path, dtype as ScalarDtype, before.textBytes, before.length, cells(dtype, more)),
    ]
  }
  const raw = rawElements({ form: 'list', dtype, values: more })
  if ('texts' in raw) throw new Error(`${path}: a range of ${dtype} cannot grow`)
  return [
    ...grown(table, range.values.length),
    { type: 'write-rows', path: table, firstRow: before.length, rowCount: more.length, bytes: raw.bytes },
  ]
}

/** A table with more rows than before. */
export function grown(path: string, rowCount: number): Hdf5Operation[] {
  return [
    { type: 'resize-table', path, rowCount },
    { type: 'replace-attribute', path, name: 'NROWS', value: rowCount },
  ]
}
