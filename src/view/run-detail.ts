/** Everything about one run: what its panel shows. */
import { PypetError } from '../errors.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { cellReader } from '../results/block.ts'
import type { Cell, Column } from '../results/column.ts'
import type { RunData } from '../results/run-data.ts'
import { shellWord } from '../shell-word.ts'
import type { StoredTable, StoredValue } from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { type AxisSlice, parseSlice, sliceArray } from './array-slice.ts'
import { elementText, valueText } from './value-text.ts'
import type { ArrayHeader, RunDetail, RunItem } from './view-protocol.ts'

const TABLE_ROWS_MAX = 200

/** What to type about a run, from the command that knows. */
export type CommandsOf = (reader: Hdf5Reader, trajectory: string, run: number) => RunDetail['commands']

/**
 * Reads a run.
 *
 * @throws PypetError `PYPET_RUN_UNKNOWN`
 */
export function readRunDetail(
  data: RunData,
  reader: Hdf5Reader,
  { file, run, commandsOf }: { readonly file: string; readonly run: number; readonly commandsOf: CommandsOf },
): Omit<RunDetail, 'version'> {
  assertRun(data, run)
  const items = data.lookIn(run).map((column) => readItem(data, column, run))
  const textOf = (name: string) => {
    const { value } = items.find((item) => item.kind === 'fact' && item.name === name) as RunItem
    return value.form === 'text' ? value.text : ''
  }
  const shown = shellWord(shownPath(file))
  return {
    run,
    status: textOf('status'),
    items,
    failure: data.statusOf(run) === 'failed' ? failureText(reader, data.trajectory, run) : '',
    commands: [
      ...commandsOf(reader, data.trajectory, run),
      { label: 'all about it', command: `pypet-ts show ${shown} ${run}` },
    ],
  }
}

/** With the stack, which begins with the error if there is one. */
function failureText(reader: Hdf5Reader, trajectory: string, run: number): string {
  const found = new Hdf5Source(reader, trajectory).failures().get(run)
  if (found === undefined) return ''
  const { name, message, stack } = found
  const head = message === '' ? name : `${name}: ${message}`
  return stack.includes(message) && stack !== '' ? stack : [head, stack].filter(Boolean).join('\n')
}

function assertRun({ runCount }: RunData, run: number): void {
  if (Number.isSafeInteger(run) && run >= 0 && run < runCount) return
  throw new PypetError('PYPET_RUN_UNKNOWN', `there is no run ${run}: the trajectory has ${runCount} runs`, {
    where: 'run',
    hint: `Runs are numbered from 0 to ${runCount - 1}.`,
  })
}

function readItem(data: RunData, column: Column, run: number): RunItem {
  const { name, kind, dtype, unit, comment, isExplored } = column
  return { name, kind, dtype, unit, comment, isExplored, value: itemValue(cellOf(data, column, run)) }
}

function cellOf(data: RunData, column: Column, run: number): Cell {
  return cellReader(data.read(column, { start: run, end: run + 1 }))(0)
}

function itemValue(cell: Cell): RunItem['value'] {
  if (cell === null) return { form: 'missing' }
  if (typeof cell !== 'object') return { form: 'text', text: elementText(cell) }
  const array = numbersOf(cell)
  if (array !== undefined) return { form: 'array', shape: array.shape }
  if (cell.form === 'table') return tableValue(cell)
  return { form: 'text', text: valueText(cell) }
}

function tableValue({ rowCount, columns }: StoredTable): RunItem['value'] {
  const rows = Array.from({ length: Math.min(rowCount, TABLE_ROWS_MAX) }, (_, row) =>
    columns.map(({ value }) => {
      const element =
        value.form === 'list' ? value.values[row] : (value.data[row] as string | number | bigint)
      return element === undefined ? '' : elementText(element)
    }),
  )
  return { form: 'table', rowCount, heads: columns.map(({ name }) => name), rows }
}

interface NumbersOfRun {
  readonly dtype: ArrayHeader['dtype']
  readonly shape: readonly number[]
  readonly values: TypedArray
}

/** The numbers of an array, or of a list of numbers. */
function numbersOf(value: StoredValue): NumbersOfRun | undefined {
  if (value.form !== 'ndarray' && value.form !== 'list') return undefined
  const { dtype } = value
  if (dtype === 'str' || dtype === 'bytes') return undefined
  const shape = value.form === 'ndarray' ? value.shape : [value.values.length]
  if (shape.length === 0) return undefined
  if (value.form === 'ndarray') {
    if (dtype !== 'complex128' && dtype !== 'complex64')
      return { dtype, shape, values: value.data as TypedArray }
    return { dtype: 'complex', shape, values: Float64Array.from(value.data as ArrayLike<number>) }
  }
  if (dtype === 'complex128' || dtype === 'complex64') {
    const parts = value.values.flatMap((each) =>
      typeof each === 'object' && 're' in each ? [each.re, each.im] : [Number.NaN, Number.NaN],
    )
    return { dtype: 'complex', shape, values: Float64Array.from(parts) }
  }
  if (dtype === 'bool') return { dtype, shape, values: Uint8Array.from(value.values, Number) }
  return dtype === 'int64' || dtype === 'uint64'
    ? { dtype, shape, values: bigArray(dtype, value.values as readonly (number | bigint)[]) }
    : { dtype: 'float64', shape, values: Float64Array.from(value.values, Number) }
}

function bigArray(dtype: 'int64' | 'uint64', values: readonly (number | bigint)[]): TypedArray {
  const big = values.map((each) => BigInt(each))
  return dtype === 'int64' ? BigInt64Array.from(big) : BigUint64Array.from(big)
}

/**
 * A slice of the array that a run has in a column.
 *
 * @throws PypetError `PYPET_RUN_UNKNOWN`; `PYPET_COLUMN_UNKNOWN`; `PYPET_USAGE` if there is no array or no such slice
 */
export function readArraySlice(
  data: RunData,
  {
    run,
    column: name,
    slice: text,
  }: { readonly run: number; readonly column: string; readonly slice: string },
): { readonly header: ArrayHeader; readonly values: TypedArray } {
  assertRun(data, run)
  const cell = cellOf(data, data.find(name), run)
  const array = cell !== null && typeof cell === 'object' ? numbersOf(cell) : undefined
  if (array === undefined) {
    throw new PypetError('PYPET_USAGE', `run ${run} has no array of numbers in ${name}`, { where: 'column' })
  }
  const { dtype, shape, values } = array
  const slice: readonly AxisSlice[] = parseSlice(text, shape)
  return {
    header: { dtype, shape, slice },
    values: sliceArray(values, shape, slice, dtype === 'complex' ? 2 : 1),
  }
}
