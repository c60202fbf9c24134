/** Parameters as columns: the explored ones, and those that have the same value in all runs. */
import { ANNOTATION_PREFIX, SRVC } from '../names.ts'
import { exploredNames } from '../reading/explored-names.ts'
import { rangeTable } from '../reading/leaf-place.ts'
import { readLeaf } from '../reading/leaf-reader.ts'
import { walkLeaves } from '../reading/leaf-walk.ts'
import { recallOf } from '../reading/read-value.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { readDefault, readRange } from '../reading/stored-leaf.ts'
import { rangeValue } from '../run/parameter-range.ts'
import { parameterLocation, parameterName, type RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from '../values/typed-array.ts'
import {
  blockOf,
  type ColumnType,
  commonType,
  constantBlock,
  emptyArray,
  hasValue,
  MIXED,
  presenceOf,
  sliceRows,
  typeOfValue,
} from './block.ts'
import type { ColumnBlock } from './column.ts'
import type { ColumnSource } from './column-source.ts'

/** Rows of a range that are read at once. */
const ROWS_PER_READ = 65_536

/** @param root path of the trajectory: `/T` */
export function parameterColumns(reader: Hdf5Reader, root: string, runCount: number): ColumnSource[] {
  const explored = exploredNames(reader, root.slice(1))
  const columns = explored.map((fullName) => exploredColumn(reader, root, fullName, runCount))
  const known = new Set(explored)
  walkLeaves(reader, `${root}/parameters`, ({ path, comment, className }, name) => {
    const fullName = parameterLocation(name)
    if (known.has(fullName)) return
    let value: StoredValue | undefined
    const readOnce = () => {
      value ??= readDefault(reader, path, className)
      return value
    }
    columns.push({
      fullName,
      shortName: name,
      kind: 'parameter',
      get dtype() {
        return typeOf(readOnce()).dtype
      },
      get shape() {
        return typeOf(readOnce()).shape
      },
      unit: unitOf(reader, path),
      comment,
      isExplored: false,
      isComplete: () => hasValue(readOnce()),
      read: (start, end) => constantBlock(readOnce(), end - start),
    })
  })
  return columns
}

function typeOf(value: StoredValue | undefined): ColumnType {
  return value === undefined ? MIXED : typeOfValue(value)
}

function exploredColumn(reader: Hdf5Reader, root: string, fullName: string, runCount: number): ColumnSource {
  const path = `${root}/${fullName.replaceAll('.', '/')}`
  const leaf = reader.kind(path) === 'group' ? readLeaf(reader, path) : undefined
  let block: ColumnBlock | undefined
  const readOnce = () => {
    block ??= leaf === undefined ? undefined : (numberRange(reader, path, runCount) ?? undefined)
    block ??= rangeBlock(reader, path, leaf?.className ?? '', runCount)
    return block
  }
  let type: ColumnType | undefined
  const typeOnce = () => {
    type ??= numberType(reader, path) ?? typeOfBlock(readOnce())
    return type
  }
  return {
    fullName,
    shortName: parameterName(fullName),
    kind: fullName.startsWith('derived_parameters.') ? 'derived parameter' : 'parameter',
    get dtype() {
      return typeOnce().dtype
    },
    get shape() {
      return typeOnce().shape
    },
    unit: leaf === undefined ? '' : unitOf(reader, path),
    comment: leaf?.comment ?? '',
    isExplored: true,
    isComplete: () => readOnce().present === undefined,
    read: (start, end) => sliceRows(readOnce(), start, end),
  }
}

/** The annotation `unit` of a node. Empty if it is not a text. */
export function unitOf(reader: Pick<Hdf5Reader, 'attribute'>, path: string): string {
  if (reader.attribute(path, SRVC.annotated) === undefined) return ''
  const unit = reader.attribute(path, `${ANNOTATION_PREFIX}unit`)
  return typeof unit === 'string' ? unit : ''
}

/** The type of a range of plain numbers. Undefined for any other range. */
function numberType(reader: Hdf5Reader, path: string): { dtype: NumericDtype; shape: [] } | undefined {
  const found = rangeTable(reader, path)
  if (found === undefined || found.isReference) return undefined
  const { type } = found.column
  if (type.kind !== 'number' || !type.littleEndian || !(type.name in ARRAY_TYPES)) return undefined
  const { collection, scalarType } = recallOf(reader, found.table, 'data')
  if (scalarType === 'bool' || scalarType === 'bool_' || collection === 'COLL_TUPLE') return undefined
  return { dtype: type.name as NumericDtype, shape: [] }
}

/** Numbers straight from the bytes of the table. */
function numberRange(reader: Hdf5Reader, path: string, runCount: number): ColumnBlock | undefined {
  const type = numberType(reader, path)
  const found = rangeTable(reader, path)
  if (type === undefined || found === undefined) return undefined
  const { table, column } = found
  const { dtype } = type
  const form = reader.form(table)
  const rowBytes = form.type.bytes
  const rowCount = Math.min(runCount, reader.rowCount(table))
  const values = emptyArray(dtype, runCount)
  if (/^float/.test(dtype)) values.fill(Number.NaN as never)
  for (let start = 0; start < rowCount; start += ROWS_PER_READ) {
    const count = Math.min(ROWS_PER_READ, rowCount - start)
    const bytes = reader.rows(table, start, count, form)
    copyMember(bytes, { rowBytes, offset: column.offset }, values.subarray(start, start + count))
  }
  return { present: presenceOf(runCount, (run) => run < rowCount), form: 'number', dtype, values }
}

/** Copies one member of packed rows. */
function copyMember(
  rows: Uint8Array,
  { rowBytes, offset }: { readonly rowBytes: number; readonly offset: number },
  target: TypedArray,
): void {
  const size = target.BYTES_PER_ELEMENT
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
  if (rowBytes === size) bytes.set(rows)
  else if (rowBytes % size === 0 && offset % size === 0) {
    const source = new (target.constructor as new (buffer: ArrayBufferLike) => TypedArray)(rows.buffer)
    const [step, first] = [rowBytes / size, offset / size]
    for (let row = 0; row < target.length; row += 1) target[row] = source[first + row * step] as never
  } else {
    for (let row = 0; row < target.length; row += 1) {
      const from = row * rowBytes + offset
      bytes.set(rows.subarray(from, from + size), row * size)
    }
  }
}

/** A range of texts, booleans, arrays or other values. */
function rangeBlock(reader: Hdf5Reader, path: string, className: string, runCount: number): ColumnBlock {
  const range = reader.kind(path) === 'group' ? readRange(reader, path, className) : undefined
  const valueIn = (run: RunIndex) => (range === undefined ? undefined : rangeValue(range, run))
  return blockOf(Array.from({ length: runCount }, (_, run) => valueIn(run)))
}

/** What the values of a block are. */
export function typeOfBlock(block: ColumnBlock): ColumnType {
  switch (block.form) {
    case 'number':
    case 'complex':
      return { dtype: block.dtype, shape: [] }
    case 'bool':
      return { dtype: 'bool', shape: [] }
    case 'text':
      return { dtype: 'str', shape: [] }
    case 'array':
      return { dtype: block.dtype, shape: block.shape }
    case 'mixed':
      return (
        block.values.reduce<ColumnType | undefined>(
          (type, value) =>
            value === undefined || value.form === 'null' ? type : commonType(type, typeOfValue(value)),
          undefined,
        ) ?? MIXED
      )
  }
}
