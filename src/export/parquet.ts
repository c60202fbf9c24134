/** Tables as Parquet: one column for each of the table's, arrays as lists. */
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { type ColumnType, cellReader, rankOf } from '../results/block.ts'
import type { Cell, ColumnBlock } from '../results/column.ts'
import { type ResultTable, rowsPerBlock, type TableColumn } from '../results/query.ts'
import type { Dtype, StoredValue } from '../values/stored-value.ts'
import { jsonText } from './cell-text.ts'
import { flatTable } from './flat-columns.ts'
import { isSingle } from './long-table.ts'

/** Rows of a row group, unless they are arrays. */
const GROUP_ROWS = 131_072
/** Characters of a row group with texts of any length, its first rows, and how much larger the next group may be. */
const GROUP_TEXT_LENGTH = 2 ** 24
const FIRST_LONG_ROWS = 256
const GROWTH_MAX = 16

export interface ParquetOptions {
  /** Texts that readers find in the metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>
  /** The next row group waits for it. */
  readonly write: (bytes: Uint8Array) => void | Promise<void>
  /** Called after each row group. */
  readonly onRows?: (rows: number) => void
}

/** Writes row group by row group. Missing values are null. */
export async function writeParquet(table: ResultTable, options: ParquetOptions): Promise<void> {
  const { columns, length } = flatTable(table)
  const plans = columns.map(plan)
  const writer = new ByteWriter()
  // The library counts on in `offset`, so that only the buffer is emptied.
  const drain = () => {
    if (writer.index === 0) return undefined
    const bytes = new Uint8Array(writer.buffer, 0, writer.index)
    writer.index = 0
    return options.write(bytes)
  }
  const finish = writer.finish.bind(writer)
  Object.assign(writer, {
    flush: drain,
    async finish() {
      await drain()
      finish()
    },
  })
  const schema: SchemaElement[] = [
    { name: 'root', num_children: plans.length },
    ...plans.flatMap(({ schema: own }) => own),
  ]
  const kvMetadata = Object.entries(options.metadata).map(([key, value]) => ({ key, value }))
  const parquet = new ParquetWriter({
    writer,
    schema,
    codec: 'UNCOMPRESSED',
    statistics: false,
    kvMetadata,
    createdBy: 'pypet-ts',
  })
  const ofArrays = columns.filter((column) => !isSingle(column))
  const long = new Set(columns.filter(({ type }) => type().isLong === true))
  // The library holds each element several times.
  const most = Math.min(GROUP_ROWS, ...ofArrays.map(({ type }) => Math.ceil(rowsPerBlock(type()) / 2)))
  let rows = long.size > 0 ? Math.min(most, FIRST_LONG_ROWS) : most
  for (let start = 0, end = 0; start < length; start = end) {
    end = Math.min(length, start + rows)
    let textLength = 0
    const columnData = plans.map(({ column, data, isNumeric }) => {
      const values: Data = data(column.read(start, end), end - start)
      if (long.has(column)) textLength += lengthOf(values)
      return {
        name: column.name,
        data: values as never,
        // A dictionary of numbers costs more than it saves.
        ...(isNumeric && ({ encoding: 'PLAIN' } as const)),
      }
    })
    await parquet.write({ columnData, rowGroupSize: end - start })
    options.onRows?.(end - start)
    // Texts may have any length: the next group is as large as this one lets expect.
    if (long.size > 0) {
      const fitting = Math.floor((rows * GROUP_TEXT_LENGTH) / Math.max(1, textLength))
      rows = Math.max(1, Math.min(most, GROWTH_MAX * rows, fitting))
    }
  }
  await parquet.finish()
}

type Data = readonly unknown[] | Float64Array | Float32Array | Int32Array | BigInt64Array

interface Plan {
  readonly column: TableColumn
  readonly isNumeric: boolean
  readonly schema: readonly SchemaElement[]
  readonly data: (block: ColumnBlock, count: number) => never
}

function plan(column: TableColumn): Plan {
  const type = column.type()
  const { name } = column
  const depth = rankOf(type)
  const element = elementOf(type.dtype)
  // Where runs differ in type or number of axes, a text holds any value.
  if (element === undefined || depth === undefined) {
    return {
      column,
      isNumeric: false,
      schema: [{ name, type: 'BYTE_ARRAY', converted_type: 'JSON', repetition_type: 'OPTIONAL' }],
      data: (block, count) =>
        listOf(block, count, (cell) => (cell === null ? null : jsonText(cell))) as never,
    }
  }
  const isRequired = depth === 0 && column.isComplete()
  const leaf: SchemaElement = {
    ...element,
    name,
    repetition_type: isRequired ? 'REQUIRED' : 'OPTIONAL',
  } as SchemaElement
  const isNumeric = type.dtype !== 'str' && type.dtype !== 'bool'
  if (depth === 0)
    return { column, isNumeric, schema: [leaf], data: (block, count) => scalars(block, count, type) as never }
  return {
    column,
    isNumeric,
    schema: listSchema(name, leaf, depth),
    data: (block, count) =>
      listOf(block, count, (cell) => nestedOf(cell, depth, converterTo(type.dtype))) as never,
  }
}

/** Undefined for values of several types. */
function elementOf(dtype: Dtype | 'mixed'): Partial<SchemaElement> | undefined {
  switch (dtype) {
    case 'float64':
      return { type: 'DOUBLE' }
    case 'float32':
      return { type: 'FLOAT' }
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
      return { type: 'INT32' }
    case 'uint32':
    case 'int64':
      return { type: 'INT64' }
    case 'uint64':
      return { type: 'INT64', converted_type: 'UINT_64' }
    case 'bool':
      return { type: 'BOOLEAN' }
    case 'str':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
    default:
      return undefined
  }
}

/** The three levels of a list, as the format wants them, for each axis. */
function listSchema(name: string, leaf: SchemaElement, depth: number): SchemaElement[] {
  const levels: SchemaElement[] = []
  for (let axis = 0; axis < depth; axis += 1) {
    levels.push(
      {
        name: axis === 0 ? name : 'element',
        converted_type: 'LIST',
        repetition_type: 'OPTIONAL',
        num_children: 1,
      } as SchemaElement,
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 } as SchemaElement,
    )
  }
  return [...levels, { ...leaf, name: 'element' }]
}

/** As typed arrays if nothing is missing. */
function scalars(block: ColumnBlock, count: number, { dtype }: ColumnType): Data {
  const isBig = dtype === 'int64' || dtype === 'uint64' || dtype === 'uint32'
  if (block.form === 'number' && block.dtype === dtype && block.present === undefined) {
    const { values } = block
    if (values instanceof BigUint64Array) return Array.from(values)
    if (values instanceof Uint32Array) return BigInt64Array.from(values, BigInt)
    return Array.isArray(values) || isTyped(values)
      ? (values as Float64Array)
      : Int32Array.from(values as Int8Array)
  }
  return listOf(block, count, (cell) => {
    if (cell === null || typeof cell === 'object') return null
    return isBig ? BigInt(cell as number) : cell
  })
}

function isTyped(values: unknown): boolean {
  return (
    values instanceof Float64Array ||
    values instanceof Float32Array ||
    values instanceof Int32Array ||
    values instanceof BigInt64Array
  )
}

function lengthOf(values: Data): number {
  let length = 0
  for (const value of values) if (typeof value === 'string') length += value.length
  return length
}

function listOf(block: ColumnBlock, count: number, convert: (cell: Cell) => unknown): unknown[] {
  const read = cellReader(block)
  return Array.from({ length: count }, (_, row) => convert(read(row)))
}

/** An array as nested lists. Null for a value that is not an array. */
function nestedOf(cell: Cell, depth: number, convert: (element: unknown) => unknown): unknown {
  if (typeof cell !== 'object' || cell === null) return null
  const { elements, shape } = elementsAndShape(cell, convert)
  if (elements === undefined || shape.length !== depth) return null
  const write = (axis: number, offset: number): unknown => {
    const length = shape[axis] as number
    if (axis === shape.length - 1) return elements.slice(offset, offset + length)
    const size = shape.slice(axis + 1).reduce((product, each) => product * each, 1)
    return Array.from({ length }, (_, at) => write(axis + 1, offset + at * size))
  }
  return write(0, 0)
}

function elementsAndShape(
  value: StoredValue,
  convert: (element: unknown) => unknown,
): { readonly elements: unknown[] | undefined; readonly shape: readonly number[] } {
  if (value.form === 'list') return { elements: value.values.map(convert), shape: [value.values.length] }
  if (value.form !== 'ndarray') return { elements: undefined, shape: [] }
  return { elements: Array.from(value.data as ArrayLike<unknown>, convert), shape: value.shape }
}

/** Elements of a run may have another type than those of all runs. */
function converterTo(dtype: Dtype | 'mixed'): (element: unknown) => unknown {
  switch (dtype) {
    case 'bool':
      return (element) => Boolean(element)
    case 'str':
      return String
    case 'int64':
    case 'uint64':
    case 'uint32':
      return (element) => BigInt(element as number)
    default:
      return Number
  }
}
