/** How often each value occurs. */
import type { PlotChoice } from './choose-plot.ts'
import type { Explained, HistogramFigure } from './figure.ts'
import { axisScale, readPanels } from './groups.ts'
import { labelOf, type PlotSource, readValues } from './plot-source.ts'
import { binEdges, numberScale, positionOf, roundedScale, type Scale } from './scale.ts'
import { Y_TICKS } from './series-figure.ts'

/** A column of the terminal for each, at least. */
const BINS_MAX = 40
const BINS_MIN = 5

export function histogramFigure(
  source: PlotSource,
  runs: Uint32Array,
  { x, facet }: Extract<PlotChoice, { kind: 'histogram' }>,
): Explained<HistogramFigure> {
  const values = readValues(source, x, runs)
  const finite = { ...values, values: values.values.filter(Number.isFinite) }
  const found = axisScale(finite)
  const edges =
    found.kind === 'category'
      ? Float64Array.from({ length: found.names.length + 1 }, (_, index) => index - 0.5)
      : binEdges(found, binsFor(finite.values.length))
  const scale: Scale =
    found.kind === 'category' ? found : { ...found, domain: [edges[0] as number, edges.at(-1) as number] }
  const panels = readPanels(source, runs, facet)
  const bins = edges.length - 1
  const built = panels.names.map((name, panel) => {
    const counts = new Float64Array(bins)
    for (const [position, value] of values.values.entries()) {
      if (panels.indices[position] !== panel || !Number.isFinite(value)) continue
      const bin = found.kind === 'category' ? value : Math.floor(positionOf(scale, value) * bins)
      const index = Math.min(bins - 1, bin)
      counts[index] = (counts[index] as number) + 1
    }
    return { name, edges, counts }
  })
  const most = built.reduce((largest, { counts }) => Math.max(largest, ...counts), 1)
  const leftOut = values.values.length - finite.values.length
  return {
    kind: 'histogram',
    x: { label: labelOf(x), scale },
    y: { label: 'runs', scale: roundedScale(numberScale([0, most]), Math.min(Y_TICKS, most)) },
    panels: built,
    facts: leftOut > 0 ? [`${leftOut} without a finite value left out`] : [],
  }
}

/** By Sturges' rule, and more for many values. */
function binsFor(count: number): number {
  const sturges = Math.ceil(Math.log2(Math.max(1, count))) + 1
  return Math.min(BINS_MAX, Math.max(BINS_MIN, sturges, Math.ceil(2 * Math.cbrt(count))))
}
