/** An array per run: a line for each, or the mean and the quantiles of all. */
import { PypetError } from '../errors.ts'
import type { Column } from '../results/column.ts'
import type { PlotChoice } from './choose-plot.ts'
import { SERIES_MAX } from './choose-plot.ts'
import type { Explained, Legend, Series, SeriesFigure } from './figure.ts'
import { type Grouping, groupRuns, readPanels } from './groups.ts'
import { isNumericArray, labelOf, type PlotSource, readArrays, readValues } from './plot-source.ts'
import { numberScale } from './scale.ts'
import { meanOf, spreadScale } from './series-figure.ts'

/** Numbers held in memory for the quantiles: 256 MiB. */
const ELEMENTS_MAX = 2 ** 25
const QUANTILES = [0.1, 0.5, 0.9] as const

type ArrayChoice = Extract<PlotChoice, { kind: 'arrays' }>

export function arrayFigure(
  source: PlotSource,
  runs: Uint32Array,
  choice: ArrayChoice,
): Explained<SeriesFigure> {
  const { y, facet } = choice
  const chosen = thinned(runs, y)
  const { arrays, isFlat } = readArrays(source, y, chosen)
  if (!isFlat) {
    throw new PypetError(
      'PYPET_USAGE',
      `--y: ${y.name} has more than one axis; only lists of numbers can be drawn`,
      {
        where: '--y',
        hint: 'Choose another result, or let the job store a slice of it.',
      },
    )
  }
  const panels = readPanels(source, chosen, facet)
  const lines = { arrays, xOf: readX(source, chosen, choice), runs: chosen, panels }
  const { legend, byPanel, facts } =
    arrays.length > SERIES_MAX ? quantileLines(lines) : runLines(source, lines, choice)
  const series = byPanel.flat()
  return {
    kind: 'line',
    x: { label: choice.x === undefined ? 'index' : labelOf(choice.x), scale: numberScale(allX(series)) },
    y: { label: labelOf(y), scale: spreadScale(series) },
    legend,
    panels: panels.names.map((name, index) => ({ name, series: byPanel[index] ?? [] })),
    facts: [
      ...facts,
      ...(chosen.length < runs.length ? [`every ${Math.ceil(runs.length / chosen.length)}th run`] : []),
    ],
  }
}

function* allX(series: readonly Series[]): Generator<number> {
  for (const { x } of series) yield* x
}

/** As many runs as fit in memory, evenly. */
function thinned(runs: Uint32Array, { shape }: Column): Uint32Array {
  const most = Math.max(SERIES_MAX, Math.floor(ELEMENTS_MAX / Math.max(1, shape?.[0] ?? 1000)))
  const every = Math.ceil(runs.length / most)
  return every <= 1 ? runs : runs.filter((_, position) => position % every === 0)
}

interface Lines {
  readonly runs: Uint32Array
  readonly arrays: readonly (Float64Array | undefined)[]
  /** The x of each element. */
  readonly xOf: (position: number, length: number) => Float64Array
  readonly panels: Grouping
}

function readX(source: PlotSource, runs: Uint32Array, { x }: ArrayChoice): Lines['xOf'] {
  if (x === undefined) return (_, length) => Float64Array.from({ length }, (_, index) => index)
  if (!isNumericArray(x)) {
    throw new PypetError(
      'PYPET_USAGE',
      `--x: ${x.name} has one value per run; the x of an array is an array`,
      {
        where: '--x',
        hint: 'Leave out --x to draw over the index, or choose --color.',
      },
    )
  }
  const { arrays } = readArrays(source, x, x.kind === 'parameter' && !x.isExplored ? runs.slice(0, 1) : runs)
  return (position, length) => {
    const found = arrays.length === 1 ? arrays[0] : arrays[position]
    const all = new Float64Array(length).fill(Number.NaN)
    all.set((found ?? all).subarray(0, length))
    return all
  }
}

interface Drawn {
  readonly legend: Legend
  readonly byPanel: readonly (readonly Series[])[]
  readonly facts: readonly string[]
}

/** A line per run, in the colour of its parameter, or of its own. */
function runLines(source: PlotSource, { runs, arrays, xOf, panels }: Lines, { color }: ArrayChoice): Drawn {
  const column = color ?? source.find('run')
  const groups = groupRuns(readValues(source, column, runs), runs.length)
  const byPanel = panels.names.map((_, panel) =>
    arrays.flatMap((array, position): Series[] => {
      const index = groups.indices[position] as number
      if (array === undefined || panels.indices[position] !== panel || index < 0) return []
      return [{ index, x: xOf(position, array.length), y: array.map(finiteOrNaN), isJoined: true }]
    }),
  )
  const { names, isOrdered } = groups
  const legend: Legend =
    runs.length === 1 ? { kind: 'none' } : { kind: 'series', label: labelOf(column), names, isOrdered }
  return { legend, byPanel, facts: [] }
}

function finiteOrNaN(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN
}

function quantileLines({ arrays, xOf, panels }: Lines): Drawn {
  const byPanel = panels.names.map((_, panel): Series[] => {
    const members = arrays.flatMap((array, position) =>
      array !== undefined && panels.indices[position] === panel ? [{ array, position }] : [],
    )
    const longest = members.reduce((most, each) => (each.array.length > most.array.length ? each : most), {
      array: new Float64Array(0),
      position: 0,
    })
    const { length } = longest.array
    const [low, median, high, mean] = [0, 1, 2, 3].map(() => new Float64Array(length)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    for (let at = 0; at < length; at += 1) {
      const values = members.flatMap(({ array }) => (Number.isFinite(array[at]) ? [array[at] as number] : []))
      const sorted = Float64Array.from(values).sort()
      for (const [index, target] of [low, median, high].entries()) {
        target[at] = quantileOf(sorted, QUANTILES[index] as number)
      }
      mean[at] = values.length === 0 ? Number.NaN : meanOf(values)
    }
    const x = xOf(longest.position, length)
    return [
      { index: 0, x, y: median, spread: { low, high }, isJoined: true },
      { index: 1, x, y: mean, isJoined: true },
    ]
  })
  const legend: Legend = {
    kind: 'series',
    label: '',
    names: ['median, with 10 % and 90 % quantiles', 'mean'],
    isOrdered: false,
  }
  return { legend, byPanel, facts: [] }
}

/** Between the two nearest values, as numpy does. NaN without values. */
function quantileOf(sorted: Float64Array, quantile: number): number {
  const place = quantile * (sorted.length - 1)
  const [low = Number.NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return low + (high - low) * (place - Math.floor(place))
}
