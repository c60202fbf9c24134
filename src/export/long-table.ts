/** Tables in long form: a row for each element of an array, with the values of the run repeated. */
import { cellReader } from '../results/block.ts'
import type { Cell } from '../results/column.ts'
import { type ResultTable, rowsPerBlock, type TableColumn } from '../results/query.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { numberText } from './cell-text.ts'
import { flatTable } from './flat-columns.ts'
import { csvField, csvReader } from './text-rows.ts'

/** Whether each row has one value of a language's own types. */
export function isSingle({ type }: TableColumn): boolean {
  const { dtype, shape } = type()
  return shape?.length === 0 && dtype !== 'bytes'
}

/** Whether rows have arrays or lists of numbers or texts. */
export function isArray({ type }: TableColumn): boolean {
  const { dtype, shape } = type()
  return dtype !== 'mixed' && dtype !== 'bytes' && shape?.length !== 0
}

/** Text of a piece, in characters. */
const PIECE_LENGTH = 2 ** 19

/** The names of the columns in long form. */
export function longNames(table: ResultTable): readonly string[] {
  const { columns } = flatTable(table)
  const single = columns.filter(isSingle).map(({ name }) => name)
  const arrays = columns.filter(isArray).map(({ name }) => name)
  return [...single, indexName([...single, ...arrays]), ...arrays]
}

function indexName(taken: readonly string[], name = 'index'): string {
  return taken.includes(name) ? indexName(taken, `${name}_`) : name
}

/**
 * CSV with a row for each element: the single values of its run, `index`, and the element of each array. Arrays with
 * several axes are counted in C order. Of arrays of different length, the shorter ones end in empty fields. A run without
 * elements has one row, without an index.
 *
 * @param onRows called with the number of rows of each piece
 */
export function* longCsvText(table: ResultTable, onRows: (rows: number) => void): Generator<string> {
  const { columns, length } = flatTable(table)
  const single = columns.filter(isSingle)
  const arrays = columns.filter(isArray)
  yield `${longNames(table).map(csvField).join(',')}\n`
  let piece = ''
  let count = 0
  const step = Math.min(...columns.map(({ type }) => rowsPerBlock(type())))
  for (let start = 0; start < length; start += step) {
    const end = Math.min(length, start + step)
    const texts = single.map((column) => csvReader(column.read(start, end)))
    const cells = arrays.map((column) => cellReader(column.read(start, end)))
    for (let row = 0; row < end - start; row += 1) {
      const before = texts.map((text) => `${text(row)},`).join('')
      const elements = cells.map((read) => elementsOf(read(row)))
      const rows = elements.reduce((most, each) => Math.max(most, each.length), 0)
      for (let at = 0; at < Math.max(1, rows); at += 1) {
        piece += before + (rows === 0 ? '' : at)
        for (const each of elements) piece += `,${each.textAt(at)}`
        piece += '\n'
        count += 1
        if (piece.length < PIECE_LENGTH) continue
        onRows(count)
        yield piece
        piece = ''
        count = 0
      }
    }
  }
  onRows(count)
  yield piece
}

interface Elements {
  readonly length: number
  /** Empty beyond the end. */
  readonly textAt: (at: number) => string
}

const NONE: Elements = { length: 0, textAt: () => '' }

/** A single value among arrays counts as one element. */
function elementsOf(cell: Cell): Elements {
  if (cell === null) return NONE
  if (typeof cell !== 'object') return { length: 1, textAt: (at) => (at === 0 ? textOf(cell) : '') }
  const values = valuesOf(cell)
  if (values === undefined) return NONE
  const isBool = 'dtype' in cell && cell.dtype === 'bool'
  return {
    length: values.length,
    textAt: (at) => (at < values.length ? textOf(isBool ? Boolean(values[at]) : (values[at] as Cell)) : ''),
  }
}

function valuesOf(value: StoredValue): ArrayLike<unknown> | undefined {
  if (value.form === 'list') return value.values
  return value.form === 'ndarray' ? (value.data as ArrayLike<unknown>) : undefined
}

function textOf(value: Cell): string {
  if (typeof value === 'string') return csvField(value)
  return typeof value === 'number' ? numberText(value) : String(value)
}
