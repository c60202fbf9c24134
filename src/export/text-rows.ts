/** Tables as text in UTF-8: CSV (RFC 4180), and JSON with one object in each line. Written in pieces. */
import { cellReader } from '../results/block.ts'
import type { ColumnBlock } from '../results/column.ts'
import { type ResultTable, rowsPerBlock, type TableColumn } from '../results/query.ts'
import { jsonText, numberText } from './cell-text.ts'
import { flatTable } from './flat-columns.ts'
import { TextBytes } from './text-bytes.ts'

/** Rows of a piece, unless they are arrays. */
const ROWS = 8192

/**
 * A head with the names, and a line for each row. A missing value is empty, an empty text is `""`. Arrays and other values
 * that are not single are JSON texts: leave them out, or write them in long form.
 */
export function* csvText(table: ResultTable): Generator<Uint8Array> {
  const { columns, length } = flatTable(table)
  yield Buffer.from(`${columns.map(({ name }) => csvField(name)).join(',')}\n`)
  const before = columns.map((_, at) => (at === 0 ? '' : ','))
  yield* pieces(columns, length, csvReader, { before, after: '\n', between: '' })
}

/** An object for each row, in a line of its own. Missing values are null. */
export function* jsonLines(table: ResultTable): Generator<Uint8Array> {
  yield* jsonRows(table, { after: '}\n', between: '' })
}

/** The same rows as one list, each in a line of its own. */
export function* jsonList(table: ResultTable, indent: string): Generator<Uint8Array> {
  if (table.length === 0) {
    yield Buffer.from('[]')
    return
  }
  yield Buffer.from(`[\n${indent}`)
  yield* jsonRows(table, { after: '}', between: `,\n${indent}` })
  yield Buffer.from(`\n${indent.slice(2)}]`)
}

function* jsonRows(table: ResultTable, marks: Omit<Marks, 'before'>): Generator<Uint8Array> {
  const { columns, length } = flatTable(table)
  const before = columns.map(({ name }, at) => `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`)
  yield* pieces(columns, length, jsonReader, { ...marks, before })
}

type ReadText = (row: number) => string

/** What stands around the values of a row. */
interface Marks {
  /** Before the value of each column. */
  readonly before: readonly string[]
  /** After the last value. */
  readonly after: string
  /** Between two rows. */
  readonly between: string
}

function* pieces(
  columns: readonly TableColumn[],
  length: number,
  readerOf: (block: ColumnBlock) => ReadText,
  { before, after, between }: Marks,
): Generator<Uint8Array> {
  const rows = Math.min(ROWS, ...columns.map(({ type }) => rowsPerBlock(type())))
  const piece = new TextBytes()
  for (let start = 0; start < length; start += rows) {
    const end = Math.min(length, start + rows)
    const texts = columns.map((column) => readerOf(column.read(start, end)))
    for (let row = 0; row < end - start; row += 1) {
      if (start + row > 0) piece.put(between)
      for (let at = 0; at < texts.length; at += 1) {
        piece.put(before[at] as string)
        piece.put((texts[at] as ReadText)(row))
      }
      piece.put(after)
    }
    yield piece.take()
  }
}

function jsonReader(block: ColumnBlock): ReadText {
  const read = cellReader(block)
  return (row) => jsonText(read(row))
}

/** Texts of the rows of a block. */
export function csvReader(block: ColumnBlock): ReadText {
  const { present } = block
  const read = presentReader(block)
  return present === undefined ? read : (row) => (present[row] === 1 ? read(row) : '')
}

function presentReader(block: ColumnBlock): ReadText {
  if (block.form === 'number') {
    const { values } = block
    // Explored values often repeat.
    let [last, text]: [number | bigint | undefined, string] = [undefined, '']
    return (row) => {
      const value = values[row] as number | bigint
      if (value === last && value !== 0) return text
      last = value
      text = typeof value === 'number' ? numberText(value) : String(value)
      return text
    }
  }
  const read = cellReader(block)
  return (row) => {
    const cell = read(row)
    switch (typeof cell) {
      case 'string':
        return csvField(cell)
      case 'number':
        return numberText(cell)
      case 'object':
        return cell === null ? '' : csvField(jsonText(cell))
      default:
        return String(cell)
    }
  }
}

export function csvField(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
