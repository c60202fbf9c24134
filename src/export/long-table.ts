/** Tables in long form: a row for each element of an array, with the values of the run repeated. */
import { blockOf, cellReader, storedAt } from '../results/block.ts'
import type { ColumnBlock } from '../results/column.ts'
import type { ResultTable, TableColumn } from '../results/query.ts'
import { elementCount } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { csvText } from './text-rows.ts'

/** Whether each row has one value of a language's own types. */
export function isSingle({ type }: TableColumn): boolean {
  const { dtype, shape } = type()
  return shape?.length === 0 && dtype !== 'bytes'
}

/** Whether rows have arrays or lists of numbers or texts. */
export function isArray({ type }: TableColumn): boolean {
  const { dtype, shape } = type()
  return dtype !== 'mixed' && shape?.length !== 0
}

/**
 * CSV with a row for each element: the single values of its run, `index`, and the element of each array. Arrays with
 * several axes are counted in C order. Of arrays of different length, the shorter ones end in empty fields.
 */
export function* longCsvText(table: ResultTable): Generator<string> {
  const single = table.columns.filter(isSingle)
  const arrays = table.columns.filter(isArray)
  let isFirst = true
  for (let row = 0; row < table.length; row += 1) {
    const elements = arrays.map((column) => elementsOf(column.read(row, row + 1)))
    const length = elements.reduce((most, values) => Math.max(most, values.length), 0)
    const repeated = single.map((column) => repeat(column, storedAt(column.read(row, row + 1))(0), length))
    const index: TableColumn = {
      ...plain('index', 'int32'),
      read: (start, end) => ({
        present: undefined,
        form: 'number',
        dtype: 'int32',
        values: Int32Array.from({ length: end - start }, (_, at) => start + at),
      }),
    }
    const unrolled = arrays.map((column, at) => ({
      ...column,
      type: () => ({ dtype: column.type().dtype, shape: [] }),
      read: (start: number, end: number) => blockOf(padded(elements[at] ?? [], length).slice(start, end)),
    }))
    const pieces = csvText({ columns: [...repeated, index, ...unrolled], length, runs: undefined })
    const head = pieces.next()
    if (isFirst && head.done !== true) yield head.value
    isFirst = false
    yield* pieces
  }
  if (isFirst) yield* csvText({ columns: [...single, plainIndex(), ...arrays], length: 0, runs: undefined })
}

function plainIndex(): TableColumn {
  return { ...plain('index', 'int32'), read: () => blockOf([]) }
}

function plain(name: string, dtype: 'int32'): Omit<TableColumn, 'read'> {
  return { name, unit: '', comment: '', column: undefined, type: () => ({ dtype, shape: [] }) }
}

function repeat(column: TableColumn, value: StoredValue | undefined, length: number): TableColumn {
  const block = blockOf(Array.from({ length }, () => value))
  return {
    ...column,
    read: (start, end) => (start === 0 && end === length ? block : slice(value, end - start)),
  }
}

function slice(value: StoredValue | undefined, length: number): ColumnBlock {
  return blockOf(Array.from({ length }, () => value))
}

function padded(values: readonly (StoredValue | undefined)[], length: number): (StoredValue | undefined)[] {
  return Array.from({ length }, (_, at) => values[at])
}

/** The elements of the one array of a block. */
function elementsOf(block: ColumnBlock): (StoredValue | undefined)[] {
  const cell = cellReader(block)(0)
  if (typeof cell !== 'object' || cell === null) return []
  if (cell.form === 'list') {
    const { dtype, values } = cell
    return values.map((value) => ({ form: 'scalar', dtype, value }))
  }
  if (cell.form !== 'ndarray') return []
  const { dtype, data, shape } = cell
  return Array.from({ length: elementCount(shape) }, (_, at): StoredValue => {
    if (dtype === 'complex128' || dtype === 'complex64') {
      const value = { re: Number(data[2 * at]), im: Number(data[2 * at + 1]) }
      return { form: 'scalar', dtype, value }
    }
    const value = data[at] as number | string
    return { form: 'scalar', dtype, value: dtype === 'bool' ? Number(value) !== 0 : value }
  })
}
