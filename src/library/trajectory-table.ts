/** The runs of a trajectory as a table in memory. */

import { PypetError } from '../errors.ts'
import { cellReader } from '../results/block.ts'
import type { ColumnBlock } from '../results/column.ts'
import { defaultColumns } from '../results/default-columns.ts'
import { type Query, queryRuns } from '../results/query.ts'
import type { RunData } from '../results/run-data.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { Dtype, StoredValue } from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { userValue } from '../values/user-value.ts'

export interface TableOptions {
  /**
   * Columns by name, wildcards and expressions: `['x', 'neuron.*', 'm = mean(trace)']`. Default: the run, what was explored,
   * results that are single values, and the status and the runtime of the run.
   */
  readonly columns?: string | readonly string[]
  /** Only runs where a condition is true: `'x > 3 && status == "stored"'`. */
  readonly where?: string
  /** Columns or expressions; `-z` is descending. */
  readonly sort?: string | readonly string[]
  readonly limit?: number
  /** One row for each combination of values of these columns. */
  readonly groupBy?: string | readonly string[]
  /** What is computed for each group: `['mean(z)', 'n = count()']`. */
  readonly agg?: string | readonly string[]
}

const TABLE_OPTIONS = [
  'columns',
  'where',
  'sort',
  'limit',
  'groupBy',
  'agg',
] as const satisfies (keyof TableOptions)[]

/** A column of a table. */
export interface TableValues {
  readonly name: string
  /** Empty if it has none. */
  readonly unit: string
  readonly comment: string
  /** Type of the elements by numpy's name; `mixed` if rows differ. */
  readonly dtype: Dtype | 'mixed'
  /** Of the value in a row: no sizes for single values. Undefined if rows differ. */
  readonly shape: readonly number[] | undefined
  /**
   * Numbers are a typed array: `int64` is a `BigInt64Array`, complex numbers are real and imaginary parts in turn, and
   * arrays follow each other. Missing numbers are NaN, or 0 for integers. Everything else is a list, with null for
   * missing values.
   */
  readonly values: TypedArray | readonly unknown[]
  /** 1 for each row with a value. Undefined if all rows have one. */
  readonly present: Uint8Array | undefined
}

/** Rows of runs, in memory. It does not change when the file does. */
export class TrajectoryTable {
  readonly length: number
  readonly #columns: ReadonlyMap<string, TableValues & { readonly block: ColumnBlock }>

  constructor(columns: readonly (TableValues & { readonly block: ColumnBlock })[], length: number) {
    this.#columns = new Map(columns.map((column) => [column.name, column]))
    this.length = length
  }

  /** Names of the columns, in order. */
  get names(): readonly string[] {
    return [...this.#columns.keys()]
  }

  /** The values by name, as `column(name).values`. */
  get columns(): Readonly<Record<string, TableValues['values']>> {
    return Object.fromEntries([...this.#columns].map(([name, { values }]) => [name, values]))
  }

  /** A column with its unit and type. Undefined if the table has none of this name. */
  column(name: string): TableValues | undefined {
    const found = this.#columns.get(name)
    if (found === undefined) return undefined
    const { block: _, ...values } = found
    return values
  }

  /** The rows as objects, one after the other. Missing values are null. */
  *rows(): Generator<Record<string, unknown>> {
    const readers = [...this.#columns].map(([name, { block }]) => [name, userReader(block)] as const)
    for (let row = 0; row < this.length; row += 1)
      yield Object.fromEntries(readers.map(([name, read]) => [name, read(row)]))
  }

  [Symbol.iterator](): Generator<Record<string, unknown>> {
    return this.rows()
  }
}

/** @throws PypetError `PYPET_COLUMN_UNKNOWN`, `PYPET_EXPRESSION_INVALID`, `PYPET_USAGE` */
export function trajectoryTable(data: RunData, options: TableOptions): TrajectoryTable {
  assertKnownOptions(options, TABLE_OPTIONS, 'table')
  assertTexts(options)
  const { columns: select, ...rest } = options
  const query: Query = { select, ...rest }
  const { columns, length } = queryRuns(data, query, (all) => defaultColumns(all, { withFacts: true }))
  const values = columns.map(({ name, unit, comment, type, read }) => {
    const block = read(0, length)
    const { dtype, shape } = type()
    return {
      name,
      unit,
      comment,
      dtype,
      shape,
      values: valuesOf(block, length),
      present: block.present,
      block,
    }
  })
  return new TrajectoryTable(values, length)
}

/** Users may write plain JavaScript. */
function assertTexts({ limit, ...texts }: TableOptions): void {
  for (const [name, given] of Object.entries(texts)) {
    const isText = typeof given === 'string' && given.trim() !== ''
    const isList = name !== 'where' && Array.isArray(given) && given.every((each) => typeof each === 'string')
    if (given === undefined || isText || isList) continue
    throw new PypetError('PYPET_USAGE', `table: ${name} is ${JSON.stringify(given)}, which is no text`, {
      where: name,
      hint: name === 'where' ? "Write a condition, as in 'x > 3'." : "Name columns, as in ['x', 'z'].",
    })
  }
  if (limit === undefined || typeof limit === 'number') return
  throw new PypetError('PYPET_USAGE', `table: limit is ${JSON.stringify(limit)}, which is no number`, {
    where: 'limit',
    hint: 'Write a whole number.',
  })
}

function valuesOf(block: ColumnBlock, length: number): TableValues['values'] {
  if (block.form === 'number' || block.form === 'complex' || block.form === 'array') return block.values
  const read = userReader(block)
  return Array.from({ length }, (_, row) => read(row))
}

function userReader(block: ColumnBlock): (row: number) => unknown {
  const read = cellReader(block)
  return (row) => {
    const cell = read(row)
    return typeof cell === 'object' && cell !== null ? userValue(cell as StoredValue) : cell
  }
}
