/**
 * A table of runs: which columns, which runs, in which order, or summarised by group. Values are read when the table is
 * read, in blocks of rows.
 */
import { PypetError } from '../errors.ts'
import { type ExpressionNode, parseExpression } from '../exploration/expression-syntax.ts'
import { elementBytes, elementCount } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { aggregateOf, groupRows } from './aggregate.ts'
import { type ArrayDtype, blockOf, type ColumnType, sliceRows, storedAt, takeRows } from './block.ts'
import type { Cell, Column, ColumnBlock } from './column.ts'
import { typeOfBlock } from './parameter-columns.ts'
import { compileNode, type RowExpression, rowCondition, rowExpression, rowRefusal } from './row-expression.ts'
import type { RunData } from './run-data.ts'
import { sortRows } from './sort-rows.ts'
import { splitList } from './split-list.ts'

export interface Query {
  /** Columns, wildcards and expressions: `['x', 'neuron.*', 'm = mean(trace)']`, or as one text with commas. */
  readonly select?: string | readonly string[] | undefined
  /** A condition on runs: `x > 3 && status == "stored"`. */
  readonly where?: string | undefined
  /** Columns or expressions; `-z` is descending. Missing values come last. */
  readonly sort?: string | readonly string[] | undefined
  /** Number of rows at most. */
  readonly limit?: number | undefined
  /** One row for each combination of values of these columns or expressions. */
  readonly groupBy?: string | readonly string[] | undefined
  /** What is computed for each group, or for all rows: `['mean(z)', 'n = count()']`. */
  readonly agg?: string | readonly string[] | undefined
}

/** How the parts of a query are named in messages. */
export interface QueryNames {
  readonly select: string
  readonly where: string
  readonly sort: string
  readonly limit: string
  readonly groupBy: string
  readonly agg: string
}

const QUERY_NAMES: QueryNames = {
  select: 'columns',
  where: 'where',
  sort: 'sort',
  limit: 'limit',
  groupBy: 'groupBy',
  agg: 'agg',
}

export interface TableColumn {
  readonly name: string
  readonly unit: string
  readonly comment: string
  /** The column of the trajectory. Undefined for an expression and for what is computed for a group. */
  readonly column: Column | undefined
  readonly type: () => ColumnType
  /** Whether it is known that each row has a value. */
  readonly isComplete: () => boolean
  /** Values of the table's rows from `start` to before `end`. */
  readonly read: (start: number, end: number) => ColumnBlock
}

export interface ResultTable {
  readonly columns: readonly TableColumn[]
  readonly length: number
  /** The runs of the rows. Undefined if a row is a group. */
  readonly runs: Uint32Array | undefined
}

/** Rows of a scan, unless they are arrays. */
const SCAN_ROWS = 65_536
const SCAN_BYTES = 2 ** 23
/** Of texts of any length. */
const LONG_ROWS = 256

/**
 * @param otherwise the columns if none are selected
 * @throws PypetError `PYPET_COLUMN_UNKNOWN`, `PYPET_EXPRESSION_INVALID`, `PYPET_USAGE`
 */
export function queryRuns(
  data: RunData,
  query: Query,
  otherwise: (data: RunData) => readonly Column[],
  names: QueryNames = QUERY_NAMES,
): ResultTable {
  const limit = checkedLimit(query.limit, names.limit)
  const parts = (text: string | readonly string[] | undefined, where: string) =>
    text === undefined ? [] : splitList(text, where)
  const groupBy = parts(query.groupBy, names.groupBy)
  const agg = parts(query.agg, names.agg)
  const select = parts(query.select, names.select)
  const selected =
    query.where === undefined ? undefined : matchingRuns(data, query.where, `${names.where} ${query.where}`)
  if (groupBy.length > 0 || agg.length > 0) {
    if (select.length > 0) {
      throw new PypetError('PYPET_USAGE', `${names.select} and ${names.agg} exclude each other`, {
        where: names.select,
        hint: `Name what is computed with ${names.agg}, as in 'mean(z), count()'.`,
      })
    }
    const keys = groupBy.map((part) => rowColumn(data, part, names.groupBy))
    const runs = selected ?? allRuns(data)
    const groups = groupRows(
      keys.map((key) => key.readRuns(runs)),
      runs.length,
    )
    const columns = [
      ...keys.map((key) => keyColumn(key, runs, groups.first)),
      ...(agg.length > 0 ? agg : ['count()']).map((part) => aggregated(data, part, runs, groups, names.agg)),
    ]
    return limited(
      sortedTable({ columns, length: groups.first.length, runs: undefined }, query, names),
      limit,
    )
  }
  const chosen =
    select.length > 0
      ? select.flatMap((part) => selectedColumns(data, part, names.select))
      : otherwise(data).map((column) => plainColumn(data, column))
  const columns = uniqueColumns(chosen, names.select)
  let runs = selected
  const sort = parts(query.sort, names.sort)
  if (sort.length > 0) {
    const all = runs ?? allRuns(data)
    const keys = sort.map((part) => {
      const { text, isDescending } = sortKey(part)
      return { block: rowColumn(data, text, names.sort).readRuns(all), isDescending }
    })
    runs = takeOrder(all, sortRows(keys, all.length, limit))
  }
  const length = Math.min(runs?.length ?? data.runCount, limit)
  const shown = runs?.subarray(0, length)
  return {
    columns: columns.map((column) => tableColumn(column, shown)),
    length,
    runs: shown ?? allRuns(data).subarray(0, length),
  }
}

/** Without the ones that are selected twice. @throws PypetError `PYPET_USAGE` if different ones have the same name */
function uniqueColumns(columns: readonly RowColumn[], where: string): RowColumn[] {
  const known = new Map<string, RowColumn>()
  for (const column of columns) {
    const before = known.get(column.name)
    if (before === undefined) known.set(column.name, column)
    else if (before.column === undefined || before.column !== column.column) {
      throw new PypetError('PYPET_USAGE', `${where}: two columns have the name ${column.name}`, {
        where,
        hint: 'Give one another name: other = mean(trace).',
      })
    }
  }
  return [...known.values()]
}

/** The runs for which a condition is true. @throws PypetError as `rowCondition` */
export function matchingRuns(data: RunData, condition: string, where: string): Uint32Array {
  const expression = rowCondition(condition, data, { where })
  const runs = new Uint32Array(data.runCount)
  let count = 0
  scan(data, expression, (read, start, end) => {
    for (let run = start; run < end; run += 1) {
      if (read(run - start) === true) {
        runs[count] = run
        count += 1
      }
    }
  })
  return runs.slice(0, count)
}

function allRuns({ runCount }: RunData): Uint32Array {
  const runs = new Uint32Array(runCount)
  for (let run = 0; run < runCount; run += 1) runs[run] = run
  return runs
}

/** Reads all runs in blocks. */
function scan(
  data: RunData,
  { columns, bind }: RowExpression,
  visit: (read: (row: number) => Cell, start: number, end: number) => void,
): void {
  const rows = Math.min(SCAN_ROWS, ...columns.map(rowsPerBlock))
  for (let start = 0; start < data.runCount; start += rows) {
    const end = Math.min(data.runCount, start + rows)
    const blocks = new Map(columns.map((column) => [column, data.read(column, { start, end })]))
    visit(
      bind((column) => blocks.get(column) as ColumnBlock),
      start,
      end,
    )
  }
}

/** Rows of a column that are read at once. */
export function rowsPerBlock({ dtype, shape, isLong }: ColumnType): number {
  if (isLong === true) return LONG_ROWS
  if (dtype === 'mixed' || dtype === 'str' || dtype === 'bytes') return shape?.length === 0 ? SCAN_ROWS : 1024
  const rowBytes = elementBytes(dtype as ArrayDtype) * Math.max(1, elementCount(shape ?? [1000]))
  return Math.max(1, Math.min(SCAN_ROWS, Math.floor(SCAN_BYTES / rowBytes)))
}

/** A column or an expression of runs. */
interface RowColumn {
  readonly name: string
  readonly column: Column | undefined
  readonly unit: string
  readonly comment: string
  readonly type: (runs: Uint32Array | undefined) => ColumnType
  readonly isComplete: () => boolean
  readonly readRuns: (runs: Uint32Array | undefined, start?: number, end?: number) => ColumnBlock
}

function plainColumn(data: RunData, column: Column, name = column.name): RowColumn {
  // Kept if rows are not in the order of runs: each block would read the whole column again.
  let whole: ColumnBlock | undefined
  const readRuns: RowColumn['readRuns'] = (runs, start = 0, end = runs?.length ?? data.runCount) => {
    if (runs === undefined) return data.read(column, { start, end })
    const wanted = runs.subarray(start, end)
    const [first, last] = [wanted[0] ?? 0, wanted.at(-1) ?? 0]
    if (wanted.length === 0) return data.read(column, { start: 0, end: 0 })
    if (last - first === wanted.length - 1 && isAscending(wanted))
      return data.read(column, { start: first, end: last + 1 })
    if (column.shape?.length === 0 && column.dtype !== 'bytes' && !column.isLong) {
      whole ??= data.read(column)
      return takeRows(whole, wanted)
    }
    return scattered(data, column, wanted)
  }
  return {
    name,
    column,
    unit: column.unit,
    comment: column.comment,
    type: () => data.typeOf(column),
    isComplete: () => data.isComplete(column),
    readRuns,
  }
}

/** Values of runs in any order. Neighbours are read together. */
function scattered(data: RunData, column: Column, runs: Uint32Array): ColumnBlock {
  const places = Uint32Array.from(runs, (_, place) => place).sort(
    (one, other) => (runs[one] as number) - (runs[other] as number),
  )
  const values: (StoredValue | undefined)[] = Array.from(runs, () => undefined)
  const rows = rowsPerBlock(column)
  for (let at = 0; at < places.length; ) {
    const first = runs[places[at] as number] as number
    let next = at + 1
    let last = first
    for (; next < places.length; next += 1) {
      const run = runs[places[next] as number] as number
      // A gap costs as much as what is read.
      if (run >= first + rows || run - last > GAP_MAX) break
      last = run
    }
    const read = storedAt(data.read(column, { start: first, end: last + 1 }))
    for (; at < next; at += 1) {
      const place = places[at] as number
      values[place] = read((runs[place] as number) - first)
    }
  }
  const { dtype, shape } = column
  return blockOf(values, { dtype, shape })
}

const GAP_MAX = 4

function isAscending(runs: Uint32Array): boolean {
  for (let at = 1; at < runs.length; at += 1) if (runs[at] !== (runs[at - 1] as number) + 1) return false
  return true
}

function expressionColumn(data: RunData, name: string, expression: RowExpression): RowColumn {
  const readRuns: RowColumn['readRuns'] = (runs, start = 0, end = runs?.length ?? data.runCount) => {
    const sources = expression.columns.map((column) => [column, plainColumn(data, column)] as const)
    const rows = Math.min(SCAN_ROWS, ...expression.columns.map(rowsPerBlock))
    const values: (StoredValue | undefined)[] = []
    for (let first = start; first < end; first += rows) {
      const last = Math.min(end, first + rows)
      const blocks = new Map(sources.map(([column, source]) => [column, source.readRuns(runs, first, last)]))
      const read = expression.bind((column) => blocks.get(column) as ColumnBlock)
      for (let row = 0; row < last - first; row += 1) values.push(storedOf(read(row)))
    }
    return blockOf(values)
  }
  return {
    name,
    column: undefined,
    unit: '',
    comment: '',
    type: (runs) => typeOfBlock(readRuns(runs)),
    isComplete: () => false,
    readRuns,
  }
}

function storedOf(cell: Cell): StoredValue | undefined {
  switch (typeof cell) {
    case 'number':
      return { form: 'scalar', dtype: 'float64', value: cell }
    case 'bigint':
      return { form: 'scalar', dtype: cell >= 2n ** 63n ? 'uint64' : 'int64', value: cell }
    case 'boolean':
      return { form: 'scalar', dtype: 'bool', value: cell }
    case 'string':
      return { form: 'scalar', dtype: 'str', value: cell }
    default:
      return cell ?? undefined
  }
}

/** `m = mean(trace)` names an expression. */
const NAMED = /^\s*([A-Za-z_][\w.-]*)\s*=(?!=)\s*(.+)$/s
const NAME = /^[\w.:$]+$/
/** Names may contain `-`, and so may expressions. */
const MAYBE_NAME = /^[\w.:$-]+$/
const WILDCARDS = /^[\w.:*?-]*[*?][\w.:*?-]*$/

function selectedColumns(data: RunData, part: string, where: string): RowColumn[] {
  if (WILDCARDS.test(part) && data.findKnown(part) === undefined) {
    const matches = wildcardMatcher(part)
    const found = data
      .lookEverywhere()
      .filter((column) => matches(column.name) || (column.kind !== 'fact' && matches(column.fullName)))
    if (found.length > 0) return found.map((column) => plainColumn(data, column))
    // `x*y` may be a product.
    if (/^[*?.]|[*?.]$/.test(part)) data.find(part)
  }
  return [rowColumn(data, part, where)]
}

/** @throws PypetError `PYPET_COLUMN_UNKNOWN`, `PYPET_EXPRESSION_INVALID` */
function rowColumn(data: RunData, part: string, where: string): RowColumn {
  // Runs are visited for what may be a name, not for an expression.
  const find = (name: string) => (MAYBE_NAME.test(name) ? data.findAny(name) : data.findKnown(name))
  const direct = find(part)
  if (direct !== undefined) return plainColumn(data, direct)
  const [, name, text = part] = NAMED.exec(part) ?? []
  if (name !== undefined) {
    const column = find(text.trim())
    if (column !== undefined) return plainColumn(data, column, name)
  }
  // A name alone gets the message for columns. `x-1` is an expression.
  if (NAME.test(text) && !/^[\d.]+$/.test(text)) data.find(text)
  return expressionColumn(data, name ?? part, rowExpression(text, data, { where: `${where} ${text}` }))
}

function wildcardMatcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/[.:-]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')
  const regular = new RegExp(`^${source}$`)
  return (name) => regular.test(name)
}

function tableColumn(
  { name, unit, comment, column, type, isComplete, readRuns }: RowColumn,
  runs: Uint32Array | undefined,
): TableColumn {
  let known: ColumnType | undefined
  return {
    name,
    unit,
    comment,
    column,
    type: () => {
      known ??= type(runs)
      return known
    },
    isComplete,
    read: (start, end) => readRuns(runs, start, end),
  }
}

function keyColumn(key: RowColumn, runs: Uint32Array, first: Uint32Array): TableColumn {
  const rows = takeOrder(runs, first)
  let block: ColumnBlock | undefined
  return {
    ...tableColumn(key, rows),
    read: (start, end) => {
      block ??= key.readRuns(rows)
      return sliceRows(block, start, end)
    },
  }
}

function aggregated(
  data: RunData,
  part: string,
  runs: Uint32Array,
  groups: ReturnType<typeof groupRows>,
  where: string,
): TableColumn {
  const [, alias, text = part] = NAMED.exec(part) ?? []
  const place = { where: `${where} ${text}` }
  const refuse = rowRefusal(place)
  const node = parseExpression(text, refuse)
  const { operand, compute } = aggregateOf(node, refuse)
  const source = operand === undefined ? undefined : operandColumn(data, operand, place)
  let block: ColumnBlock | undefined
  const unit = source?.column !== undefined && KEEPS_UNIT.test(text) ? source.unit : ''
  return {
    name: alias ?? part,
    unit,
    comment: '',
    column: undefined,
    type: () => {
      block ??= compute(source?.readRuns(runs), groups)
      return typeOfBlock(block)
    },
    isComplete: () => false,
    read: (start, end) => {
      block ??= compute(source?.readRuns(runs), groups)
      return sliceRows(block, start, end)
    },
  }
}

/** The result has the unit of the values. */
const KEEPS_UNIT = /^\s*(?:mean|std|sem|sum|min|max|median|quantile|first|last)\s*\(/

function operandColumn(data: RunData, node: ExpressionNode, place: { readonly where: string }): RowColumn {
  if (node.kind === 'name') {
    const column = data.findAny(node.name)
    if (column !== undefined) return plainColumn(data, column)
  }
  return expressionColumn(data, '', compileNode(node, data, place))
}

function sortKey(part: string): { readonly text: string; readonly isDescending: boolean } {
  const isDescending = part.startsWith('-')
  return { text: isDescending ? part.slice(1).trim() : part, isDescending }
}

/** Sorts the rows of groups by their columns. */
function sortedTable(table: ResultTable, { sort }: Query, names: QueryNames): ResultTable {
  if (sort === undefined) return table
  const keys = splitList(sort, names.sort).map((part) => {
    const { text, isDescending } = sortKey(part)
    const column = table.columns.find(({ name }) => name === text)
    if (column === undefined) {
      throw new PypetError('PYPET_COLUMN_UNKNOWN', `${names.sort}: the groups have no column ${text}`, {
        where: names.sort,
        hint: `Sort by one of: ${table.columns.map(({ name }) => name).join(', ')}.`,
      })
    }
    return { block: column.read(0, table.length), isDescending }
  })
  const order = sortRows(keys, table.length)
  const columns = table.columns.map((column) => {
    let block: ColumnBlock | undefined
    return {
      ...column,
      read: (start: number, end: number) => {
        block ??= takeRows(column.read(0, table.length), order)
        return sliceRows(block, start, end)
      },
    }
  })
  return { ...table, columns }
}

function limited(table: ResultTable, limit: number): ResultTable {
  return { ...table, length: Math.min(table.length, limit) }
}

function takeOrder(runs: Uint32Array, order: Uint32Array): Uint32Array {
  return order.map((row) => runs[row] as number)
}

function checkedLimit(limit: number | undefined, where: string): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY
  if (Number.isInteger(limit) && limit >= 0) return limit
  throw new PypetError('PYPET_USAGE', `${where}: expected a whole number from 0, found ${limit}`, {
    where,
    hint: `Write ${where} 10.`,
  })
}
