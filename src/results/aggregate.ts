/** Groups of rows, and what is computed for each. Missing values do not count. */
import type { ExpressionNode, Refuse } from '../exploration/expression-syntax.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { mean, quantile, sum, variance } from './array-reductions.ts'
import { blockOf, cellReader, presenceOf, takeRows } from './block.ts'
import type { Cell, ColumnBlock } from './column.ts'

export interface Groups {
  /** The group of each row. */
  readonly groupOf: Uint32Array
  /** The first row of each group, in order of appearance. */
  readonly first: Uint32Array
}

/** Rows with equal keys. Without keys, all rows are one group. */
export function groupRows(keys: readonly ColumnBlock[], length: number): Groups {
  const groupOf = new Uint32Array(length)
  if (keys.length === 0) return { groupOf, first: Uint32Array.of(...(length === 0 ? [] : [0])) }
  const readers = keys.map(cellReader)
  const [only] = readers
  const known = new Map<unknown, number>()
  const first: number[] = []
  for (let row = 0; row < length; row += 1) {
    const key =
      readers.length === 1 && only !== undefined
        ? keyOf(only(row))
        : readers.map((read) => textOf(keyOf(read(row)))).join('\0')
    let group = known.get(key)
    if (group === undefined) {
      group = first.length
      known.set(key, group)
      first.push(row)
    }
    groupOf[row] = group
  }
  return { groupOf, first: Uint32Array.from(first) }
}

/** Arrays and records are equal if their content is. */
function keyOf(cell: Cell): unknown {
  if (typeof cell !== 'object' || cell === null) return cell
  return JSON.stringify(cell, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>, String) : value
  })
}

function textOf(key: unknown): string {
  return `${typeof key} ${Object.is(key, -0) ? '0' : String(key)}`
}

type Compute = (block: ColumnBlock | undefined, groups: Groups) => ColumnBlock

const STATISTICS: Readonly<Record<string, (values: Float64Array) => number>> = {
  mean,
  std: (values) => Math.sqrt(variance(values)),
  sem: (values) => Math.sqrt(variance(values) / values.length),
  var: variance,
  sum,
  median: (values) => quantile(values, 0.5),
}

const OF_CELLS = ['count', 'min', 'max', 'first', 'last']

/**
 * What an expression like `mean(z)` or `quantile(z, 0.9)` computes for each group.
 *
 * @returns the expression of rows that it takes, undefined for `count()`
 * @throws PypetError `PYPET_EXPRESSION_INVALID`
 */
export function aggregateOf(
  node: ExpressionNode,
  refuse: Refuse,
): { readonly operand: ExpressionNode | undefined; readonly compute: Compute } {
  const names = [...OF_CELLS, ...Object.keys(STATISTICS), 'quantile']
  if (node.kind !== 'call') {
    throw refuse(
      'expected what to compute for each group',
      node.at,
      `Write mean(z); known are ${names.join(', ')}.`,
    )
  }
  const { name, operands, at } = node
  const [operand, second] = operands
  if (!names.includes(name)) throw refuse(`there is no ${name} of groups`, at, nearestHint(name, names))
  if (name === 'count' && operands.length === 0) return { operand: undefined, compute: countRows }
  const wanted = name === 'quantile' ? 2 : 1
  if (operand === undefined || operands.length !== wanted) {
    const example = name === 'quantile' ? 'quantile(z, 0.9)' : `${name}(z)`
    throw refuse(
      `${name} takes ${wanted === 1 ? 'one value' : 'two values'}, found ${operands.length}`,
      at,
      `Write ${example}.`,
    )
  }
  if (name === 'count') return { operand, compute: countValues }
  if (name === 'quantile') {
    if (
      second?.kind !== 'literal' ||
      typeof second.value !== 'number' ||
      second.value < 0 ||
      second.value > 1
    )
      throw refuse('quantile takes a number from 0 to 1', second?.at ?? at, 'Write quantile(z, 0.9).')
    const fraction = second.value
    const refused = () => refuse('quantile takes numbers', operand.at, 'Use count, first or last for texts.')
    return { operand, compute: statistic((values) => quantile(values, fraction), refused) }
  }
  const numbers = STATISTICS[name]
  if (numbers !== undefined)
    return {
      operand,
      compute: statistic(numbers, () =>
        refuse(`${name} takes numbers`, operand.at, 'Use count, min, max, first or last for texts.'),
      ),
    }
  const refused = () =>
    refuse(`${name} takes numbers or texts`, operand.at, 'Reduce arrays first, as in max(mean(trace)).')
  return { operand, compute: (block, groups) => chosen(block as ColumnBlock, groups, name, refused) }
}

const countRows: Compute = (_, { groupOf, first }) => {
  const counts = new Int32Array(first.length)
  for (const group of groupOf) counts[group] = (counts[group] as number) + 1
  return { present: undefined, form: 'number', dtype: 'int32', values: counts }
}

const countValues: Compute = (block, { groupOf, first }) => {
  const counts = new Int32Array(first.length)
  const read = cellReader(block as ColumnBlock)
  for (const [row, group] of groupOf.entries())
    if (read(row) !== null) counts[group] = (counts[group] as number) + 1
  return { present: undefined, form: 'number', dtype: 'int32', values: counts }
}

/** Of the numbers of each group; truth values count as 0 and 1. */
function statistic(compute: (values: Float64Array) => number, refused?: () => Error): Compute {
  return (block, { groupOf, first }) => {
    const read = cellReader(block as ColumnBlock)
    const counts = new Uint32Array(first.length + 1)
    for (const [row, group] of groupOf.entries())
      if (read(row) !== null) counts[group + 1] = (counts[group + 1] as number) + 1
    for (let group = 1; group < counts.length; group += 1)
      counts[group] = (counts[group] as number) + (counts[group - 1] as number)
    const places = counts.slice()
    const values = new Float64Array(counts.at(-1) ?? 0)
    for (const [row, group] of groupOf.entries()) {
      const cell = read(row)
      if (cell === null) continue
      if (typeof cell === 'string' || typeof cell === 'object') throw refused?.() ?? new Error('not a number')
      values[places[group] as number] = Number(cell)
      places[group] = (places[group] as number) + 1
    }
    const computed = Float64Array.from(first, (_, group) =>
      compute(values.subarray(counts[group], counts[group + 1])),
    )
    const present = presenceOf(
      first.length,
      (group) => (counts[group] as number) < (counts[group + 1] as number),
    )
    return { present, form: 'number', dtype: 'float64', values: computed }
  }
}

/** The value of one row of each group: the smallest, the largest, the first or the last. */
function chosen(
  block: ColumnBlock,
  { groupOf, first }: Groups,
  name: string,
  refused: () => Error,
): ColumnBlock {
  const read = cellReader(block)
  const rows = new Map<number, number>()
  for (const [row, group] of groupOf.entries()) {
    const cell = read(row)
    if (cell === null || Number.isNaN(cell)) continue
    if (typeof cell === 'object' && (name === 'min' || name === 'max')) throw refused()
    const known = rows.get(group)
    const isBetter =
      known === undefined ||
      name === 'last' ||
      (name === 'min' && (cell as number) < (read(known) as number)) ||
      (name === 'max' && (cell as number) > (read(known) as number))
    if (isBetter) rows.set(group, row)
  }
  if (rows.size === 0) return blockOf(Array.from(first, () => undefined))
  const taken = takeRows(
    block,
    Uint32Array.from(first, (_, group) => rows.get(group) ?? 0),
  )
  return { ...taken, present: presenceOf(first.length, (group) => rows.has(group)) }
}
