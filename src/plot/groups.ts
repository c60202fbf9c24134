/** Runs by the values of a column: series by their colour, panels by their facet. */
import { PypetError } from '../errors.ts'
import type { Column } from '../results/column.ts'
import { PANELS_MAX, SERIES_MAX } from './choose-plot.ts'
import type { Legend } from './figure.ts'
import { labelOf, type PlotSource, type PlotValues, readValues } from './plot-source.ts'
import { isLogDrawn, isLogSpaced, numberScale, type Scale, shortNumber } from './scale.ts'

export interface Grouping {
  /** In the order of the groups. Numbers ascend. */
  readonly names: readonly string[]
  readonly isOrdered: boolean
  /** The group of each run; -1 if it has no value. */
  readonly indices: Int32Array
}

/** Without a column, all runs are one group. */
export function groupRuns(values: PlotValues | undefined, runCount: number): Grouping {
  if (values === undefined) return { names: [''], isOrdered: false, indices: new Int32Array(runCount) }
  if (values.form === 'category') {
    return {
      names: values.names,
      isOrdered: false,
      indices: Int32Array.from(values.values, (value) => (Number.isNaN(value) ? -1 : value)),
    }
  }
  const distinct = distinctNumbers(values.values)
  const indexOf = new Map(Array.from(distinct, (value, index) => [value, index]))
  return {
    names: Array.from(distinct, shortNumber),
    isOrdered: true,
    indices: Int32Array.from(values.values, (value) => indexOf.get(value) ?? -1),
  }
}

/** Ascending, without NaN. */
export function distinctNumbers(values: Float64Array): Float64Array {
  return Float64Array.from(new Set(values.filter((value) => !Number.isNaN(value)))).sort()
}

/** The series of a figure. */
export function readSeries(
  source: PlotSource,
  runs: Uint32Array,
  color: Column | undefined,
): Grouping & { readonly legend: Legend } {
  const grouping = groupRuns(color && readValues(source, color, runs), runs.length)
  if (color === undefined) return { ...grouping, legend: { kind: 'none' } }
  assertFew(grouping, color, '--color', SERIES_MAX, 'colours')
  const { names, isOrdered } = grouping
  return { ...grouping, legend: { kind: 'series', label: labelOf(color), names, isOrdered } }
}

/** The panels of a figure, with their names. */
export function readPanels(source: PlotSource, runs: Uint32Array, facet: Column | undefined): Grouping {
  const grouping = groupRuns(facet && readValues(source, facet, runs), runs.length)
  if (facet === undefined) return grouping
  assertFew(grouping, facet, '--facet', PANELS_MAX, 'panels')
  return { ...grouping, names: grouping.names.map((name) => `${labelOf(facet)} = ${name}`) }
}

function assertFew({ names }: Grouping, column: Column, where: string, most: number, noun: string): void {
  if (names.length <= most && names.length > 0) return
  throw new PypetError(
    'PYPET_USAGE',
    `${where}: ${column.name} has ${names.length} values; at most ${most} ${noun} can be told apart`,
    { where, hint: 'Choose another column, fewer runs with --where, or --kind scatter.' },
  )
}

/** The scale of an axis. Explored values with equal ratios get a logarithmic one. */
export function axisScale(values: PlotValues): Scale {
  if (values.form === 'category') return { kind: 'category', names: values.names }
  const distinct = distinctNumbers(values.values)
  const isLog = values.column.isExplored && (isLogSpaced([...distinct]) || isLogDrawn(distinct))
  return numberScale(values.values, isLog ? 'log' : 'linear')
}
