/** Lines through means with the spread of repeats, and points of runs. */
import type { Column } from '../results/column.ts'
import { isRepeatCounter, type PlotChoice } from './choose-plot.ts'
import type { Explained, Legend, Series, SeriesFigure } from './figure.ts'
import { axisScale, type Grouping, groupRuns, readPanels, readSeries } from './groups.ts'
import { isNumeric, labelOf, type PlotSource, type PlotValues, readValues } from './plot-source.ts'
import { numberScale, roundedScale, type Scale } from './scale.ts'

/** Labels of a vertical axis. */
export const Y_TICKS = 5

export function seriesFigure(
  source: PlotSource,
  runs: Uint32Array,
  choice: Extract<PlotChoice, { kind: 'line' | 'scatter' }>,
): Explained<SeriesFigure> {
  const x = readValues(source, choice.x, runs)
  const y = readValues(source, choice.y, runs)
  const panels = readPanels(source, runs, choice.facet)
  const { groups, legend, colors } = coloursOf(source, runs, choice)
  const isLine = choice.kind === 'line'
  const built = panels.names.map((name, panel) => ({
    name,
    series: groups.names.flatMap((_, index) => {
      const members = membersOf([panels, panel], [groups, index], [x, y])
      if (members.length === 0) return []
      const numbers = (of: Float64Array) => Float64Array.from(members, (position) => of[position] as number)
      const points = { x: numbers(x.values), y: numbers(y.values) }
      const series: Series = isLine
        ? { index, ...averaged(points), isJoined: x.form === 'number' }
        : { index, ...points, colors: colors && numbers(colors), isJoined: false }
      return [series]
    }),
  }))
  const left = countNonFinite(x, y)
  const uncoloured = colors?.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0) ?? 0
  return {
    kind: choice.kind,
    x: { label: labelOf(choice.x), scale: axisScale(finiteOf(x)) },
    y: {
      label: labelOf(choice.y),
      scale: isLine ? spreadScale(built.flatMap(({ series }) => series)) : yScale(y),
    },
    legend,
    panels: built,
    facts: [
      ...(isLine
        ? spreadFacts(
            source,
            runs,
            built.flatMap(({ series }) => series),
            choice,
          )
        : []),
      ...(uncoloured > 0 ? [`${uncoloured} without ${choice.color?.name} in grey`] : []),
      ...(left > 0 ? [`${left} without a finite value left out`] : []),
    ],
  }
}

/** A group per colour, or one group whose points have numbers. */
function coloursOf(
  source: PlotSource,
  runs: Uint32Array,
  { kind, color }: Extract<PlotChoice, { kind: 'line' | 'scatter' }>,
): { readonly groups: Grouping; readonly legend: Legend; readonly colors?: Float64Array } {
  if (kind === 'scatter' && color !== undefined && isNumeric(color)) {
    const { values } = readValues(source, color, runs)
    const scale = numberScale(values)
    const legend: Legend = { kind: 'ramp', label: labelOf(color), scale }
    return { groups: groupRuns(undefined, runs.length), legend, colors: values }
  }
  const groups = readSeries(source, runs, color)
  return { groups, legend: groups.legend }
}

/** Positions of the runs of a panel and a series that have finite coordinates. */
function membersOf(
  [panels, panel]: readonly [Grouping, number],
  [groups, group]: readonly [Grouping, number],
  [x, y]: readonly [PlotValues, PlotValues],
): readonly number[] {
  const members: number[] = []
  for (let position = 0; position < x.values.length; position += 1) {
    if (panels.indices[position] !== panel || groups.indices[position] !== group) continue
    if (Number.isFinite(x.values[position]) && Number.isFinite(y.values[position])) members.push(position)
  }
  return members
}

function countNonFinite(x: PlotValues, y: PlotValues): number {
  return x.values.reduce(
    (count, value, position) =>
      count + (Number.isFinite(value) && Number.isFinite(y.values[position]) ? 0 : 1),
    0,
  )
}

function finiteOf(values: PlotValues): PlotValues {
  return { ...values, values: values.values.filter(Number.isFinite) }
}

function yScale(values: PlotValues): Scale {
  const scale = axisScale(finiteOf(values))
  return scale.kind === 'category' ? scale : roundedScale(scale, Y_TICKS)
}

/** Room for means and their spread. */
export function spreadScale(series: readonly Series[]): Scale {
  const all = series.flatMap(({ y, spread }) => (spread === undefined ? [y] : [y, spread.low, spread.high]))
  return roundedScale(numberScale(allOf(all)), Y_TICKS)
}

function* allOf(arrays: readonly Float64Array[]): Generator<number> {
  for (const array of arrays) yield* array
}

interface Points {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Mean and standard deviation for each x, in ascending order. No spread if all x are different. */
function averaged({ x, y }: Points): Points & Pick<Series, 'spread'> {
  const groups = new Map<number, number[]>()
  for (const [position, at] of x.entries()) {
    const values = groups.get(at)
    if (values === undefined) groups.set(at, [y[position] as number])
    else values.push(y[position] as number)
  }
  const distinct = Float64Array.from(groups.keys()).sort()
  const means = distinct.map((at) => meanOf(groups.get(at) as number[]))
  if (groups.size === x.length) return { x: distinct, y: means }
  const deviations = distinct.map((at, index) =>
    deviationOf(groups.get(at) as number[], means[index] as number),
  )
  return {
    x: distinct,
    y: means,
    spread: {
      low: means.map((mean, index) => mean - (deviations[index] as number)),
      high: means.map((mean, index) => mean + (deviations[index] as number)),
    },
  }
}

export function meanOf(values: readonly number[]): number {
  // Each is divided first, because the sum of large numbers may be infinite.
  const sum = values.reduce((total, value) => total + value, 0)
  if (Number.isFinite(sum)) return sum / values.length
  return values.reduce((total, value) => total + value / values.length, 0)
}

/** Of a sample. NaN for one value. */
function deviationOf(values: readonly number[], mean: number): number {
  if (values.length < 2) return Number.NaN
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

/** What the spread is, and over which parameters it goes. */
function spreadFacts(
  source: PlotSource,
  runs: Uint32Array,
  series: readonly Series[],
  {
    x,
    color,
    facet,
  }: { readonly x: Column; readonly color: Column | undefined; readonly facet: Column | undefined },
): readonly string[] {
  if (series.every(({ spread }) => spread === undefined)) return []
  const over = averagedParameters(source, runs, [x, color, facet])
  return [`mean ± standard deviation${over === '' ? '' : ` over ${over}`}`]
}

/** Explored parameters that a figure shows on no axis. */
export function averagedParameters(
  source: PlotSource,
  runs: Uint32Array,
  shown: readonly (Column | undefined)[],
): string {
  const left = source.columns.filter((column) => column.isExplored && !shown.includes(column))
  return left
    .flatMap((column) => {
      const count = groupRuns(readValues(source, column, runs), runs.length).names.length
      if (count < 2) return []
      return isRepeatCounter(column) ? [`${count} repeats`] : [labelOf({ ...column, unit: '' })]
    })
    .join(', ')
}
