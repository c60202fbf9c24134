/** A table of runs as aligned text: names, units and types in the head, numbers to the right. */
import { jsonText, numberText } from '../../export/cell-text.ts'
import type { Colours } from '../../reporting/text-output.ts'
import { textWidth } from '../../reporting/text-width.ts'
import { cellReader } from '../../results/block.ts'
import type { Cell, ColumnBlock } from '../../results/column.ts'
import { type ResultTable, rowsPerBlock, type TableColumn } from '../../results/query.ts'
import { printable } from '../../values/printable.ts'
import { typeName } from '../../values/stored-value.ts'
import { cut, localTimeText } from '../value-text.ts'

export interface TableTextOptions {
  /** Of the terminal. Columns that do not fit are left out. Undefined if lines may have any length. */
  readonly width: number | undefined
  /** Whether numbers have all digits. */
  readonly isExact: boolean
  readonly dim: Colours['dim']
  readonly red: Colours['red']
}

/** Columns are as wide as they need to be in so many rows. A wider value further down moves its line. */
const ROWS_MEASURED = 4096
const ROWS = 1024
const GAP = 2
const DIGITS = 6
const TEXT_WIDTH_MAX = 40
/** Elements of an array that are shown. */
const ELEMENTS_SHOWN = 4

interface Layout {
  readonly column: TableColumn
  readonly isNumeric: boolean
  readonly width: number
}

/** In pieces, each with a newline at its end. */
export function* tableText(table: ResultTable, options: TableTextOptions): Generator<string> {
  const { length } = table
  const head = headOf(table)
  const measured = Math.min(length, ROWS_MEASURED)
  const layouts = table.columns.map((column, at): Layout => {
    const texts = head.map((line) => line[at] as string)
    const isNumeric = isNumber(column)
    const rows = cellTexts(column, column.read(0, measured), options)
    for (let row = 0; row < measured; row += 1) texts.push(rows(row))
    return { column, isNumeric, width: texts.reduce((most, text) => Math.max(most, textWidth(text)), 0) }
  })
  const { shown, omitted } = fitting(layouts, options.width)
  for (const [number, line] of head.entries()) {
    if (line.every((text) => text === '')) continue
    const text = joined(shown, (at) => line[at] as string)
    yield `${number === 0 ? text : options.dim(text)}\n`
  }
  const failed = statusAt(table)
  const step = Math.min(ROWS, ...table.columns.map(({ type }) => rowsPerBlock(type())))
  for (let start = 0; start < length; start += step) {
    const end = Math.min(length, start + step)
    const texts = shown.map(({ column }) => cellTexts(column, column.read(start, end), options))
    const isFailed = failed(start, end)
    let piece = ''
    for (let row = 0; row < end - start; row += 1) {
      const line = joined(shown, (at) => texts[at]?.(row) ?? '')
      piece += `${isFailed(row) ? options.red(line) : line}\n`
    }
    yield piece
  }
  if (omitted.length > 0) {
    const names = omitted.map(({ column }) => printable(column.name)).join(', ')
    yield options.dim(
      `${cut(`not shown: ${names}`, Math.max(20, (options.width ?? 80) - 22))} (--select shows them)\n`,
    )
  }
}

/** Names, units and types. */
function headOf({ columns }: ResultTable): readonly (readonly string[])[] {
  return [
    columns.map(({ name }) => printable(name)),
    columns.map(({ unit }) => printable(unit)),
    columns.map(({ type }) => {
      const { dtype, shape } = type()
      return shape !== undefined && shape.length > 0 ? `${dtype}[${shape.join(',')}]` : dtype
    }),
  ]
}

function isNumber({ type }: TableColumn): boolean {
  const { dtype, shape } = type()
  return shape?.length === 0 && dtype !== 'str' && dtype !== 'bool' && dtype !== 'mixed' && dtype !== 'bytes'
}

/** Whether a row is of a failed run, if the table tells. */
function statusAt({ columns }: ResultTable): (start: number, end: number) => (row: number) => boolean {
  const status = columns.find(({ column }) => column?.kind === 'fact' && column.name === 'status')
  if (status === undefined) return () => () => false
  return (start, end) => {
    const read = cellReader(status.read(start, end))
    return (row) => read(row) === 'failed'
  }
}

/** From the left, as many columns as fit. At least one. */
function fitting(
  layouts: readonly Layout[],
  width: number | undefined,
): { readonly shown: readonly (Layout & { readonly at: number })[]; readonly omitted: readonly Layout[] } {
  const placed = layouts.map((layout, at) => ({ ...layout, at }))
  if (width === undefined) return { shown: placed, omitted: [] }
  let used = 0
  let count = 0
  for (const layout of placed) {
    used += layout.width + (count === 0 ? 0 : GAP)
    if (used > width && count > 0) break
    count += 1
  }
  return { shown: placed.slice(0, count), omitted: placed.slice(count) }
}

function joined(layouts: readonly Layout[], textAt: (at: number) => string): string {
  return layouts
    .map(({ isNumeric, width }, at) => {
      const text = textAt(at)
      const room = ' '.repeat(Math.max(0, width - textWidth(text)))
      return isNumeric ? room + text : text + room
    })
    .join(' '.repeat(GAP))
    .trimEnd()
}

function cellTexts(
  { column }: TableColumn,
  block: ColumnBlock,
  { isExact }: TableTextOptions,
): (row: number) => string {
  const read = cellReader(block)
  const isTime = column?.kind === 'fact' && column.name === 'start'
  if (isTime && !isExact) {
    return (row) => {
      const seconds = read(row)
      return typeof seconds === 'number' ? localTimeText(seconds) : MISSING
    }
  }
  const digits = isExact ? undefined : DIGITS
  return (row) => cellText(read(row), digits)
}

const MISSING = '–'

function cellText(cell: Cell, digits: number | undefined): string {
  switch (typeof cell) {
    case 'number':
      return shortNumber(cell, digits)
    case 'string':
      return digits === undefined ? printable(cell) : cut(printable(cell), TEXT_WIDTH_MAX)
    case 'object':
      break
    default:
      return String(cell)
  }
  if (cell === null) return MISSING
  if (cell.form === 'scalar' && typeof cell.value === 'object' && 're' in cell.value) {
    const { re, im } = cell.value
    const sign = im < 0 ? '-' : '+'
    return `${shortNumber(re, digits)}${sign}${shortNumber(Math.abs(im), digits)}i`
  }
  if (cell.form === 'ndarray' || cell.form === 'list') {
    const values = cell.form === 'ndarray' ? cell.data : cell.values
    const isPlain = !cell.dtype.startsWith('complex') && cell.dtype !== 'bytes'
    if (isPlain && (cell.form === 'list' || cell.shape.length === 1)) {
      const first = Array.from({ length: Math.min(ELEMENTS_SHOWN, values.length) }, (_, at) =>
        cellText(values[at] as Cell, digits ?? DIGITS),
      )
      return `[${first.join(', ')}${values.length > ELEMENTS_SHOWN ? ', …' : ''}]`
    }
    return `<${typeName(cell)}>`
  }
  if (cell.form === 'record') return cut(printable(jsonText(cell)), TEXT_WIDTH_MAX)
  return `<${printable(typeName(cell))}>`
}

function shortNumber(number: number, digits: number | undefined): string {
  if (digits === undefined || Number.isInteger(number) || !Number.isFinite(number)) return numberText(number)
  return String(Number(number.toPrecision(digits)))
}
