/** Everything about one run: what its panel shows. */
import { PypetError } from '../errors.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { storedAt } from '../results/block.ts'
import { findRun } from '../results/find-run.ts'
import type { RunData } from '../results/run-data.ts'
import { hostOf, type RunColumn, type RunFailure, type RunReport } from '../results/run-report.ts'
import { shellWord } from '../shell-word.ts'
import { printable } from '../values/printable.ts'
import type { StoredTable, StoredValue } from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { type AxisSlice, parseSlice, sliceArray } from './array-slice.ts'
import { elementText, valueText } from './value-text.ts'
import type { ArrayHeader, RunDetail, RunItem } from './view-protocol.ts'

const TABLE_ROWS_MAX = 200

/** What to type about a run, from the command that knows. */
export type CommandsOf = (report: RunReport) => RunDetail['commands']

export function runDetail(report: RunReport, commandsOf: CommandsOf): Omit<RunDetail, 'version'> {
  const { file, run, status, start, runtime, attempts, failure, columns } = report
  const shown = shellWord(shownPath(file))
  const host = hostOf(report)
  return {
    run,
    status,
    start,
    runtime,
    attempts,
    host: host && printable(host),
    items: columns.map(runItem),
    failure: failure === undefined ? '' : failureText(failure),
    commands: [...commandsOf(report), { label: 'all about it', command: `pypet-ts show ${shown} ${run}` }],
  }
}

/** With the stack, which begins with the error if there is one. */
function failureText({ error, message, stack }: RunFailure): string {
  const head = message === '' ? error : `${error}: ${message}`
  return stack.includes(message) && stack !== '' ? stack : [head, stack].filter(Boolean).join('\n')
}

function runItem({ name, kind, dtype, unit, comment, isExplored, value }: RunColumn): RunItem {
  return { name, kind, dtype, unit, comment, isExplored, value: itemValue(value) }
}

function itemValue(value: StoredValue | undefined): RunItem['value'] {
  if (value === undefined || value.form === 'null') return { form: 'missing' }
  const array = numbersOf(value)
  if (array !== undefined) return { form: 'array', shape: array.shape }
  if (value.form === 'table') return tableValue(value)
  return { form: 'text', text: valueText(value) }
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
 * @param options.run as for `findRun`
 * @throws PypetError `PYPET_RUN_UNKNOWN`; `PYPET_COLUMN_UNKNOWN`; `PYPET_USAGE` if there is no array or no such slice
 */
export function readArraySlice(
  data: RunData,
  {
    run: word,
    column: name,
    slice: text,
  }: { readonly run: string; readonly column: string; readonly slice: string },
): { readonly header: ArrayHeader; readonly values: TypedArray } {
  const run = findRun(word, data)
  const value = storedAt(data.read(data.find(name), { start: run, end: run + 1 }))(0)
  const array = value === undefined ? undefined : numbersOf(value)
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
