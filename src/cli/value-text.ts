/** Stored values as short readable text. Everything from a file is first made harmless for a terminal. */
import type { Cell } from '../hdf5/datatype.ts'
import type { Preview } from '../reading/preview.ts'
import { formatCount, plural } from '../reporting/quantity.ts'
import type { ExploredRange } from '../results/trajectory-overview.ts'
import { printable } from '../values/printable.ts'
import { type StoredScalar, type StoredValue, typeName } from '../values/stored-value.ts'

/** Digits that a reader compares; further ones are rounding noise, in 32 bits earlier than in 64. */
const SIGNIFICANT_DIGITS = 10
const SIGNIFICANT_DIGITS_32 = 7
/** Longer text is cut; the file has the whole text. */
const TEXT_LENGTH_MAX = 60
/** Columns of a record that fit on a line. */
const FIELDS_SHOWN = 4

/** `6`, `'text'`, `[0.1, 0.2, ...]`, `<38 bytes that only Python can read>`. */
export function previewText({ type, shape, cells }: Preview): string {
  const digits = digitsOf(type)
  if (shape.length === 0 || cells.some(isSingle))
    return cells.length === 0 ? '' : cellText(cells[0] as Cell, digits)
  if (cells.length === 0) return '[]'
  const shown = cells.map((cell) => cellText(cell, digits))
  if ((shape.at(-1) ?? 0) > cells.length) shown.push('...')
  // The first row stands for a matrix; the dots stand for the other rows.
  const row = `[${shown.join(', ')}]`
  return shape.slice(0, -1).reduceRight((inner, size) => (size > 1 ? `[${inner}, ...]` : `[${inner}]`), row)
}

/** Tables show one record, and what cannot be read shows one note, whatever the shape. */
function isSingle(cell: Cell): boolean {
  return typeof cell === 'object' && ('unread' in cell || 'fields' in cell)
}

export function cellText(cell: Cell, digits: number = SIGNIFICANT_DIGITS): string {
  switch (typeof cell) {
    case 'number':
      return numberText(cell, digits)
    case 'string':
      return `'${cut(printable(cell), TEXT_LENGTH_MAX)}'`
    case 'object':
      break
    default:
      return String(cell)
  }
  if ('real' in cell) {
    const sign = cell.imaginary < 0 ? '-' : '+'
    return `${numberText(cell.real, digits)}${sign}${numberText(Math.abs(cell.imaginary), digits)}i`
  }
  if ('unread' in cell) return `<${printable(cell.unread)}>`
  if ('fields' in cell) {
    const fields = cell.fields
      .slice(0, FIELDS_SHOWN)
      .map(([name, value]) => `${printable(name)}: ${cellText(value)}`)
    return `{ ${[...fields, ...(cell.fields.length > FIELDS_SHOWN ? ['...'] : [])].join(', ')} }`
  }
  return `[${cell
    .slice(0, FIELDS_SHOWN)
    .map((element) => cellText(element, digits))
    .join(', ')}${cell.length > FIELDS_SHOWN ? ', ...' : ''}]`
}

/** A value that is not in a file yet, in the same form. */
export function storedText(stored: StoredValue): string {
  switch (stored.form) {
    case 'scalar':
      return cellText(cellOf(stored.value))
    case 'list': {
      const { dtype, values } = stored
      return previewText({ type: dtype, shape: [values.length], cells: values.slice(0, SHOWN).map(cellOf) })
    }
    case 'ndarray': {
      const { dtype, shape, data } = stored
      const row = Math.min(shape.at(-1) ?? 1, SHOWN)
      const isSimple = dtype !== 'bool' && !dtype.startsWith('complex')
      if (!isSimple) return `<${typeName(stored)}>`
      return previewText({ type: dtype, shape, cells: Array.from(data.slice(0, row) as ArrayLike<Cell>) })
    }
    case 'null':
      return 'null'
    case 'date':
      return new Date(stored.time).toISOString()
    case 'record': {
      const fields = stored.fields.map(({ name, value }) => `${printable(name)}: ${storedText(value)}`)
      return `{ ${cut(fields.join(', '), TEXT_LENGTH_MAX)} }`
    }
    default:
      return `<${typeName(stored)}>`
  }
}

/** The same number of elements as for values in a file. */
const SHOWN = 6

function cellOf(value: StoredScalar['value']): Cell {
  if (typeof value !== 'object') return value
  return 're' in value ? { real: value.re, imaginary: value.im } : { unread: `${value.length} bytes` }
}

/** `1, 2, 3, 4`; for many numbers `0 .. 1 (11 values)`; for many others the first ones. */
export function rangeText(range: ExploredRange): string {
  const { distinctCount, isDistinctCountExact, values, minimum, maximum, hasNaN } = range
  const count = `${isDistinctCountExact ? '' : 'over '}${formatCount(distinctCount)}`
  if (distinctCount <= values.length) {
    if (values.every(isNamedOnly))
      return values.length === 0 ? 'no values' : `${plural(distinctCount, 'value')}`
    return inOrder(values).map(previewText).join(', ')
  }
  if (minimum !== undefined && maximum !== undefined) {
    const digits = digitsOf(values[0]?.type ?? '')
    return `${cellText(minimum, digits)} .. ${cellText(maximum, digits)}${hasNaN ? ' and NaN' : ''} (${count} values)`
  }
  if (values.every(isNamedOnly)) return `${count} values`
  const first = values.slice(0, 3).map(previewText)
  return `${first.join(', ')}, ... (${count} values)`
}

/** Numbers and texts in ascending order: the order of samples and drawn choices means nothing. */
function inOrder(values: readonly Preview[]): readonly Preview[] {
  const cells = values.map(({ cells: [cell] }) => cell)
  const isSortable = (type: string) =>
    values.every(({ shape }) => shape.length === 0) && cells.every((cell) => typeof cell === type)
  if (!['number', 'bigint', 'string'].some(isSortable)) return values
  type Sortable = number | bigint | string
  const keyOf = ({ cells: [cell] }: Preview) => cell as Sortable
  return values.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))
}

function isNamedOnly({ cells }: Preview): boolean {
  return cells.some((cell) => typeof cell === 'object' && 'unread' in cell)
}

export function cut(text: string, lengthMax: number): string {
  const characters = [...text]
  return characters.length <= lengthMax ? text : `${characters.slice(0, lengthMax - 1).join('')}…`
}

function digitsOf(type: string): number {
  return /float32|complex64/.test(type) ? SIGNIFICANT_DIGITS_32 : SIGNIFICANT_DIGITS
}

function numberText(number: number, digits: number): string {
  return Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(digits)))
}

/** Local time, to the second. @param seconds since 1970 */
export function localTimeText(seconds: number): string {
  const date = new Date(seconds * 1000)
  const two = (part: number) => String(part).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
