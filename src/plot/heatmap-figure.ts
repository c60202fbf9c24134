/** A result over two columns: the mean in each cell. */
import type { PlotChoice } from './choose-plot.ts'
import type { Explained, HeatmapFigure } from './figure.ts'
import { axisScale, distinctNumbers, readPanels } from './groups.ts'
import { labelOf, type PlotSource, type PlotValues, readValues } from './plot-source.ts'
import { binEdges, type NumberScale, numberScale, positionOf, shortNumber } from './scale.ts'
import { averagedParameters } from './series-figure.ts'

/** More different values than this are put into bins. */
const BANDS_MAX = 100
const BINS = 30

export function heatmapFigure(
  source: PlotSource,
  runs: Uint32Array,
  { x, y, color, facet }: Extract<PlotChoice, { kind: 'heatmap' }>,
): Explained<HeatmapFigure> {
  const columns = bandsOf(readValues(source, x, runs))
  const rows = bandsOf(readValues(source, y, runs))
  const { values } = readValues(source, color, runs)
  const panels = readPanels(source, runs, facet)
  const size = columns.names.length * rows.names.length
  let isMean = false
  let leftOut = 0
  const built = panels.names.map((name, panel) => {
    const sums = new Float64Array(size)
    const counts = new Uint32Array(size)
    for (const [position, value] of values.entries()) {
      const [column = -1, row = -1] = [columns.indices[position], rows.indices[position]]
      if (panels.indices[position] !== panel) continue
      if (column < 0 || row < 0 || !Number.isFinite(value)) {
        leftOut += 1
        continue
      }
      const cell = row * columns.names.length + column
      const count = (counts[cell] as number) + 1
      isMean ||= count > 1
      counts[cell] = count
      sums[cell] = (sums[cell] as number) + (value / count - (sums[cell] as number) / count)
    }
    return { name, cells: sums.map((mean, cell) => (counts[cell] === 0 ? Number.NaN : mean)) }
  })
  const over = averagedParameters(source, runs, [x, y, facet])
  return {
    kind: 'heatmap',
    x: { label: labelOf(x), scale: { kind: 'category', names: columns.names } },
    y: { label: labelOf(y), scale: { kind: 'category', names: rows.names } },
    color: { label: labelOf(color), scale: numberScale(everyCell(built)) },
    panels: built,
    facts: [
      ...(isMean ? [`mean${over === '' ? '' : ` over ${over}`}`] : []),
      ...(leftOut > 0 ? [`${leftOut} without a finite value left out`] : []),
    ],
  }
}

function* everyCell(panels: readonly { readonly cells: Float64Array }[]): Generator<number> {
  for (const { cells } of panels) yield* cells
}

interface Bands {
  readonly names: readonly string[]
  /** The band of each run; -1 if it has none. */
  readonly indices: Int32Array
}

/** A band for each value, or bins of equal width. */
function bandsOf(values: PlotValues): Bands {
  if (values.form === 'category') {
    return {
      names: values.names,
      indices: Int32Array.from(values.values, (value) => (Number.isNaN(value) ? -1 : value)),
    }
  }
  const finite = { ...values, values: values.values.filter(Number.isFinite) }
  const distinct = distinctNumbers(finite.values)
  if (distinct.length <= BANDS_MAX) {
    const indexOf = new Map(Array.from(distinct, (value, index) => [value, index]))
    return {
      names: Array.from(distinct, shortNumber),
      indices: Int32Array.from(values.values, (value) => indexOf.get(value) ?? -1),
    }
  }
  const scale = axisScale(finite) as NumberScale
  const edges = binEdges(scale, BINS)
  const count = edges.length - 1
  const whole: NumberScale = { ...scale, domain: [edges[0] as number, edges[count] as number] }
  const indices = Int32Array.from(values.values, (value) => {
    const position = positionOf(whole, value)
    return Number.isNaN(position) ? -1 : Math.min(count - 1, Math.floor(position * count))
  })
  const names = Array.from({ length: count }, (_, bin) => {
    const [low, high] = [edges[bin] as number, edges[bin + 1] as number]
    const centre = scale.kind === 'log' ? Math.sqrt(low) * Math.sqrt(high) : low / 2 + high / 2
    return String(Number(centre.toPrecision(3)))
  })
  return { names, indices }
}
