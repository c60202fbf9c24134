/** An axis per parameter, and a line per run. */
import type { PlotChoice } from './choose-plot.ts'
import type { Explained, Legend, ParallelFigure } from './figure.ts'
import { axisScale, readSeries } from './groups.ts'
import { isNumeric, labelOf, type PlotSource, readValues } from './plot-source.ts'
import { numberScale } from './scale.ts'

export function parallelFigure(
  source: PlotSource,
  runs: Uint32Array,
  { axes, color }: Extract<PlotChoice, { kind: 'parallel' }>,
): Explained<ParallelFigure> {
  const columns = axes.map((column) => readValues(source, column, runs))
  const complete = runs.filter((_, position) =>
    columns.every(({ values }) => Number.isFinite(values[position])),
  )
  const leftOut = runs.length - complete.length
  const drawn = leftOut === 0 ? columns : axes.map((column) => readValues(source, column, complete))
  return {
    kind: 'parallel',
    axes: drawn.map((values) => ({ label: labelOf(values.column), scale: axisScale(values) })),
    ...coloursOf(source, complete, color),
    lineCount: complete.length,
    values: drawn.map(({ values }) => values),
    facts: leftOut > 0 ? [`${leftOut} without a finite value left out`] : [],
  }
}

function coloursOf(
  source: PlotSource,
  runs: Uint32Array,
  color: Extract<PlotChoice, { kind: 'parallel' }>['color'],
): { readonly legend: Legend; readonly colors: Float64Array } {
  if (color !== undefined && isNumeric(color)) {
    const { values } = readValues(source, color, runs)
    return { legend: { kind: 'ramp', label: labelOf(color), scale: numberScale(values) }, colors: values }
  }
  const { legend, indices } = readSeries(source, runs, color)
  return { legend, colors: Float64Array.from(indices) }
}
