/** Columns made by hand, for figures without a file. */

import type { PlotOptions } from '../../src/plot/choose-plot.ts'
import { makeFigure } from '../../src/plot/make-figure.ts'
import type { PlotSource } from '../../src/plot/plot-source.ts'
import { drawTerminal } from '../../src/plot/terminal/draw-terminal.ts'
import { blockOf, sliceRows } from '../../src/results/block.ts'
import type { Column, ColumnBlock } from '../../src/results/column.ts'
import { typeOfBlock } from '../../src/results/parameter-columns.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import { toStoredValue } from '../../src/values/value.ts'

type Values = readonly (number | bigint | string | boolean | readonly number[] | Float64Array | undefined)[]

export interface Given {
  readonly explored?: Readonly<Record<string, Values>>
  readonly results?: Readonly<Record<string, Values>>
  readonly units?: Readonly<Record<string, string>>
  /** Of each run; all are stored by default. */
  readonly status?: readonly ('stored' | 'failed' | 'missing')[]
  /** Indices of the selected runs. */
  readonly runs?: readonly number[]
}

export function plotSource({ explored = {}, results = {}, units = {}, status, runs }: Given): PlotSource {
  const runCount = Object.values({ ...explored, ...results })[0]?.length ?? 0
  const blocks = new Map<Column, ColumnBlock>()
  const add = (kind: Column['kind'], name: string, values: Values) => {
    const block = blockOf(values.map((value) => (value === undefined ? undefined : stored(value))))
    const fullName = kind === 'fact' ? name : `${kind}s.${name}`
    const { dtype, shape } = typeOfBlock(block)
    const unit = units[name] ?? ''
    const isExplored = kind === 'parameter'
    blocks.set({ name, fullName, kind, dtype, shape, unit, comment: '', isExplored, isLong: false }, block)
  }
  const everyRun = Array.from({ length: runCount }, (_, run) => run)
  add('fact', 'run', everyRun)
  add('fact', 'status', status ?? everyRun.map(() => 'stored'))
  for (const [name, values] of Object.entries(explored)) add('parameter', name, values)
  for (const [name, values] of Object.entries(results)) add('result', name, values)
  const columns = [...blocks.keys()]
  return {
    file: 'job.h5',
    trajectory: 'sweep',
    columns,
    runs: Uint32Array.from(runs ?? everyRun),
    find(name) {
      const found = columns.find((column) => column.name === name)
      if (found === undefined) throw new Error(`no column ${name}`)
      return found
    },
    read: (column, { start, end }) => sliceRows(blocks.get(column) as ColumnBlock, start, end),
    textOf: (value) => JSON.stringify(value),
  }
}

function stored(value: Exclude<Values[number], undefined>): StoredValue {
  return toStoredValue(value, 'value')
}

/** A figure of columns; fails if there is none. */
export function figureOf(given: Given, options: PlotOptions = {}) {
  const { figure, notices } = makeFigure(plotSource(given), options)
  if (figure === undefined) throw new Error(`no figure: ${notices.join()}`)
  return figure
}

/** The drawing on a terminal without colours, line by line. */
export function linesOf(given: Given, options: PlotOptions = {}, width = 80): string[] {
  return drawTerminal(figureOf(given, options), { width, isColoured: false }).split('\n')
}

/** All combinations of two lists, as two columns. */
export function product<A, B>(one: readonly A[], other: readonly B[]): readonly [A[], B[]] {
  const pairs = one.flatMap((a) => other.map((b) => [a, b] as const))
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)]
}
