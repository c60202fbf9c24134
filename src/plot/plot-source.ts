/** What a plot is made from: the columns of a trajectory, and the runs to draw. */
import { cellReader } from '../results/block.ts'
import type { Cell, Column, ColumnBlock } from '../results/column.ts'
import { printable } from '../values/printable.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { ARRAY_TYPES } from '../values/typed-array.ts'

export interface PlotSource {
  readonly file: string
  readonly trajectory: string
  readonly columns: readonly Column[]
  /** Indices in ascending order, of runs in every state. */
  readonly runs: Uint32Array
  /** @throws PypetError `PYPET_COLUMN_UNKNOWN` */
  find(name: string): Column
  read(column: Column, rows: { readonly start: number; readonly end: number }): ColumnBlock
  /** A value that is neither a number nor a text, as a short text. */
  textOf(value: StoredValue): string
}

/** The values of a column in the runs that are drawn. */
export type PlotValues = NumberValues | CategoryValues

interface NumberValues {
  readonly form: 'number'
  readonly column: Column
  /** NaN if missing. Infinities stay. */
  readonly values: Float64Array
}

interface CategoryValues {
  readonly form: 'category'
  readonly column: Column
  /** In the order of their first appearance; false before true. */
  readonly names: readonly string[]
  /** Indices of names; NaN if missing. */
  readonly values: Float64Array
}

/** Rows of single values that are read at once. */
const CHUNK_ROWS = 65_536
/** Elements of arrays that are read at once: 64 MiB of float64. */
const CHUNK_ELEMENTS = 2 ** 23

export function readValues(source: PlotSource, column: Column, runs = source.runs): PlotValues {
  const numbers = new Float64Array(runs.length).fill(Number.NaN)
  const texts: (string | undefined)[] = []
  scanRows(source, column, runs, (cell, position) => {
    const value = singleValue(source, cell)
    if (typeof value === 'number') numbers[position] = value
    else texts[position] = value
  })
  if (texts.length === 0) return { form: 'number', column, values: numbers }
  return { form: 'category', column, ...categoriesOf(numbers, texts) }
}

/** Calls `take` for each run that has a value. */
function scanRows(
  source: PlotSource,
  column: Column,
  runs: Uint32Array,
  take: (cell: Cell, position: number) => void,
): void {
  const rowElements = (column.shape ?? []).reduce((product, size) => product * size, 1)
  const chunkRows = Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK_ELEMENTS / Math.max(1, rowElements))))
  for (let position = 0; position < runs.length; ) {
    const start = runs[position] as number
    const end = Math.min(start + chunkRows, (runs.at(-1) as number) + 1)
    const cellOf = cellReader(source.read(column, { start, end }))
    for (; position < runs.length && (runs[position] as number) < end; position += 1) {
      const cell = cellOf((runs[position] as number) - start)
      if (cell !== null) take(cell, position)
    }
  }
}

function singleValue(source: PlotSource, cell: Cell): number | string {
  if (typeof cell === 'number' || typeof cell === 'bigint') return Number(cell)
  return printable(typeof cell === 'object' && cell !== null ? source.textOf(cell) : String(cell))
}

function categoriesOf(
  numbers: Float64Array,
  texts: readonly (string | undefined)[],
): Pick<CategoryValues, 'names' | 'values'> {
  const indices = new Map<string, number>()
  const values = numbers.map((number, position) => {
    const text = texts[position] ?? (Number.isNaN(number) ? undefined : String(number))
    if (text === undefined) return Number.NaN
    const index = indices.get(text) ?? indices.size
    indices.set(text, index)
    return index
  })
  const names = [...indices.keys()]
  if (names.join() !== 'true,false') return { names, values }
  return { names: ['false', 'true'], values: values.map((index) => 1 - index) }
}

/** The values of an array in some runs. */
export interface RunArrays {
  /** Undefined for runs without numbers. */
  readonly arrays: readonly (Float64Array | undefined)[]
  /** Whether all arrays have one axis. */
  readonly isFlat: boolean
}

export function readArrays(source: PlotSource, column: Column, runs: Uint32Array): RunArrays {
  const arrays: (Float64Array | undefined)[] = Array.from(runs, () => undefined)
  let isFlat = true
  scanRows(source, column, runs, (value, position) => {
    if (typeof value !== 'object' || value === null) return
    if (value.form !== 'ndarray' && value.form !== 'list') return
    if (value.form === 'ndarray' && value.shape.length !== 1) isFlat = false
    const elements: ArrayLike<unknown> = value.form === 'list' ? value.values : value.data
    arrays[position] = Float64Array.from(elements, (element) =>
      typeof element === 'object' || typeof element === 'string' ? Number.NaN : Number(element),
    )
  })
  return { arrays, isFlat }
}

/** The runs that are stored, and how many are not. */
export interface StoredRuns {
  readonly stored: Uint32Array
  readonly failedCount: number
  readonly missingCount: number
}

export function storedRuns(source: PlotSource): StoredRuns {
  const status = readValues(source, source.find('status'))
  if (status.form === 'number') return { stored: source.runs, failedCount: 0, missingCount: 0 }
  const count = (name: string) => {
    const index = status.names.indexOf(name)
    return status.values.reduce((sum, value) => sum + (value === index ? 1 : 0), 0)
  }
  const stored = status.names.indexOf('stored')
  return {
    stored: source.runs.filter((_, position) => status.values[position] === stored),
    failedCount: count('failed'),
    missingCount: count('missing'),
  }
}

/** `tau (ms)`. */
export function labelOf({ name, unit }: Column): string {
  return printable(unit === '' ? name : `${name} (${unit})`)
}

/** Whether a column has one real number per run. */
export function isNumeric({ dtype, shape }: Column): boolean {
  return dtype in ARRAY_TYPES && shape?.length === 0
}

/** Whether a column has an array of numbers per run, which may differ in length. */
export function isNumericArray({ dtype, shape }: Column): boolean {
  return (dtype in ARRAY_TYPES || dtype === 'bool') && shape?.length !== 0
}
