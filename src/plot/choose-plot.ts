/** Decides what to draw: what the options say, and a guess for the rest. */
import { PypetError } from '../errors.ts'
import type { Column } from '../results/column.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { PLOT_KINDS, type PlotKind } from './figure.ts'
import { isNumeric, isNumericArray, type PlotSource, type PlotValues, readValues } from './plot-source.ts'

/** Names of columns, as the user wrote them. */
export interface PlotOptions {
  readonly x?: string | undefined
  readonly y?: string | undefined
  readonly color?: string | undefined
  readonly facet?: string | undefined
  readonly kind?: string | undefined
}

/** Columns by their role. */
export type PlotChoice =
  | ({ readonly kind: 'line' | 'scatter'; readonly x: Column; readonly y: Column } & Groups)
  /** An array per run. Without `x`, over the index of its elements. */
  | ({ readonly kind: 'arrays'; readonly x: Column | undefined; readonly y: Column } & Groups)
  | ({ readonly kind: 'heatmap'; readonly x: Column; readonly y: Column; readonly color: Column } & Omit<
      Groups,
      'color'
    >)
  | { readonly kind: 'histogram'; readonly x: Column; readonly facet: Column | undefined }
  | { readonly kind: 'parallel'; readonly axes: readonly Column[]; readonly color: Column | undefined }

interface Groups {
  readonly color: Column | undefined
  readonly facet: Column | undefined
}

export interface ChosenPlot {
  readonly choice: PlotChoice
  /** For the user: what else there is to draw. */
  readonly notices: readonly string[]
}

/** Series, panels and categories that a reader can tell apart. */
export const SERIES_MAX = 20
export const PANELS_MAX = 12
const GUESSED_PANELS_MAX = 6
const PARALLEL_AXES_MAX = 12
/** More names do not fit on an axis. */
const CATEGORIES_MAX = 50
/** Cells of a heatmap for each run. Points that were drawn at random have far more. */
const CELLS_PER_RUN_MAX = 4

/**
 * Chooses columns and a kind.
 *
 * @param runs the stored runs, which are drawn
 * @throws PypetError `PYPET_COLUMN_UNKNOWN`, `PYPET_USAGE` if options do not go together, or if there is nothing to draw
 */
export function choosePlot(source: PlotSource, runs: Uint32Array, options: PlotOptions): ChosenPlot {
  const kind = kindOf(options.kind)
  const find = (name: string | undefined) => (name === undefined ? undefined : source.find(name))
  const given = {
    x: find(options.x),
    y: find(options.y),
    color: find(options.color),
    facet: find(options.facet),
  }
  const explored = exploredOf(source, runs)
  const chooser: Chooser = { source, given, explored, result: () => defaultResult(source) }
  const choice = kind === undefined ? guess(chooser) : choiceOfKind(kind, chooser)
  return { choice, notices: noticesOf(choice, chooser) }
}

interface Chooser {
  readonly source: PlotSource
  readonly given: Readonly<Record<'x' | 'y' | 'color' | 'facet', Column | undefined>>
  readonly explored: readonly Explored[]
  /** The first numeric result. */
  result(): Column
}

/** An explored parameter with at least two values. Counters of repeats are left out. */
interface Explored {
  readonly column: Column
  readonly isNumeric: boolean
  readonly distinctCount: number
}

function kindOf(given: string | undefined): PlotKind | undefined {
  if (given === undefined) return undefined
  const kind = PLOT_KINDS.find((each) => each === given)
  if (kind !== undefined) return kind
  throw new PypetError(
    'PYPET_USAGE',
    `--kind: expected one of ${PLOT_KINDS.join(', ')}, found ${JSON.stringify(given)}`,
    {
      where: '--kind',
      hint: nearestHint(given, PLOT_KINDS),
    },
  )
}

/** As in `repeat`: whole numbers that count from 0. Averages go over them. */
export function isRepeatCounter({ name, dtype }: Column): boolean {
  return /(?:^|\.)trial$/.test(name) && /^u?int/.test(dtype)
}

function exploredOf(source: PlotSource, runs: Uint32Array): readonly Explored[] {
  return source.columns
    .filter((column) => column.isExplored && !isRepeatCounter(column))
    .map((column) => {
      const values = readValues(source, column, runs)
      return { column, isNumeric: values.form === 'number', distinctCount: distinctCount(values) }
    })
    .filter(({ distinctCount }) => distinctCount > 1)
}

function distinctCount({ values }: PlotValues): number {
  return new Set(values.filter((value) => !Number.isNaN(value))).size
}

/** Numbers before arrays. */
function defaultResult({ columns, file }: PlotSource): Column {
  const results = columns.filter(({ kind }) => kind === 'result')
  const found = results.find(isNumeric) ?? results.find(isNumericArray)
  if (found !== undefined) return found
  const names = results.map(({ name, dtype }) => `${name} (${dtype})`)
  throw new PypetError('PYPET_USAGE', `${file} has no numeric result to draw`, {
    where: '--y',
    hint:
      names.length === 0
        ? `It holds no results. Its columns: ${listed(columns)}.`
        : `Its results: ${names.join(', ')}. Other columns: ${listed(columns.filter(({ kind }) => kind !== 'result'))}.`,
  })
}

function listed(columns: readonly Column[]): string {
  const names = columns.slice(0, LISTED_MAX).map(({ name }) => name)
  const more = columns.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

const LISTED_MAX = 12

function guess(chooser: Chooser): PlotChoice {
  const { given, source } = chooser
  const free = freeOf(chooser)
  const hasAxis = free.length > 0 || given.x !== undefined || given.color !== undefined
  if (given.y !== undefined)
    return hasAxis || isNumericArray(given.y) ? seriesChoice(chooser) : histogramChoice(chooser)
  if (given.x !== undefined) return isMeasured(given.x) ? histogramChoice(chooser) : seriesChoice(chooser)
  const numeric = free.filter(({ isNumeric }) => isNumeric)
  const named = free.filter(({ isNumeric }) => !isNumeric)
  const isValued = given.color !== undefined && isMeasured(given.color)
  const value = isValued ? (given.color as Column) : chooser.result()
  if (isNumericArray(value)) return seriesChoice(chooser)
  if (free.length === 2 && (numeric.length !== 1 || isValued)) {
    const [x, y] = free as [Explored, Explored]
    if (isGrid(free, source.runs.length) && (given.color === undefined || isValued)) {
      return { kind: 'heatmap', x: x.column, y: y.column, color: value, facet: given.facet }
    }
    if (numeric.length === 2)
      return { kind: 'scatter', x: x.column, y: y.column, color: given.color ?? value, facet: given.facet }
  }
  if (numeric.length === 2 && named.length === 1 && given.color === undefined && given.facet === undefined) {
    const [x, y] = numeric as [Explored, Explored]
    const [facet] = named as [Explored]
    if (isGrid(free, source.runs.length) && facet.distinctCount <= GUESSED_PANELS_MAX) {
      return { kind: 'heatmap', x: x.column, y: y.column, color: value, facet: facet.column }
    }
  }
  if (free.length === 0) return given.color === undefined ? histogramChoice(chooser) : seriesChoice(chooser)
  const places = Number(given.color === undefined) + Number(given.facet === undefined)
  const isFew = named.slice(1).every(({ distinctCount }) => distinctCount <= GUESSED_PANELS_MAX)
  if (free.length === 1 || (numeric.length === 1 && named.length <= places && isFew))
    return seriesChoice(chooser)
  return given.facet === undefined ? parallelChoice(chooser) : seriesChoice(chooser)
}

/** Explored parameters that no option names. */
function freeOf({ given, explored }: Chooser): readonly Explored[] {
  const taken = Object.values(given)
  return explored.filter(
    ({ column, isNumeric, distinctCount }) =>
      !taken.includes(column) && (isNumeric || distinctCount <= CATEGORIES_MAX),
  )
}

function isGrid(explored: readonly Explored[], runCount: number): boolean {
  const cellCount = explored.reduce((product, { distinctCount }) => product * distinctCount, 1)
  return cellCount <= CELLS_PER_RUN_MAX * runCount
}

function isMeasured({ kind }: Column): boolean {
  return kind === 'result' || kind === 'fact'
}

function choiceOfKind(kind: PlotKind, chooser: Chooser): PlotChoice {
  switch (kind) {
    case 'line':
    case 'scatter':
      return seriesChoice(chooser, kind)
    case 'heatmap':
      return heatmapChoice(chooser)
    case 'histogram':
      return histogramChoice(chooser)
    case 'parallel':
      return parallelChoice(chooser)
  }
}

function seriesChoice(chooser: Chooser, kind?: 'line' | 'scatter'): PlotChoice {
  const { given, source } = chooser
  const y = given.y ?? chooser.result()
  const { facet } = given
  if (isNumericArray(y)) {
    if (kind === 'scatter') throw refuse('--kind', `${y.name} has an array per run, which is drawn as lines`)
    assertSingle({ color: given.color, facet })
    return { kind: 'arrays', x: given.x, y, color: given.color ?? longest(freeOf(chooser))?.column, facet }
  }
  assertSingle({ ...given, y })
  const free = freeOf(chooser).filter(({ column }) => column !== y)
  const x = given.x ?? longest(free)?.column ?? source.find('run')
  const isLine = isNumeric(y) && !isMeasured(x)
  if (kind === 'line' && !isNumeric(y)) throw refuse('--y', `${y.name} is ${y.dtype}; lines need numbers`)
  const others = free.filter(({ column, distinctCount }) => column !== x && distinctCount <= SERIES_MAX)
  const isGiven = given.color !== undefined && !isMeasured(given.color)
  const chosen = kind ?? (isLine && (given.color === undefined || isGiven) ? 'line' : 'scatter')
  const named = others.toSorted((a, b) => Number(a.isNumeric) - Number(b.isNumeric))
  const color = given.color ?? (chosen === 'line' ? named[0]?.column : undefined)
  const isLeft = ({ column, distinctCount }: Explored) =>
    column !== color && distinctCount <= GUESSED_PANELS_MAX
  const isGuessed = chosen === 'line' && given.x === undefined && given.y === undefined
  return { kind: chosen, x, y, color, facet: facet ?? (isGuessed ? named.find(isLeft)?.column : undefined) }
}

/** The numeric parameter with the most values: others tell lines apart. */
function longest(free: readonly Explored[]): Explored | undefined {
  const [first, ...others] = free.filter(({ isNumeric }) => isNumeric)
  if (first === undefined) return free[0]
  return others.reduce((most, each) => (each.distinctCount > most.distinctCount ? each : most), first)
}

function heatmapChoice(chooser: Chooser): PlotChoice {
  const { given } = chooser
  // A result as y is what is measured, unless another column is.
  const isValue = given.y !== undefined && given.color === undefined && isMeasured(given.y)
  const color = (isValue ? given.y : given.color) ?? chooser.result()
  assertSingle({ ...given, color })
  if (!isNumeric(color)) throw refuse('--color', `${color.name} is ${color.dtype}; a heatmap needs numbers`)
  const free = freeOf(chooser).map(({ column }) => column)
  const x = given.x ?? free.shift()
  const y = (isValue ? undefined : given.y) ?? free.shift()
  if (x === undefined || y === undefined) {
    throw refuse('--kind', 'a heatmap needs two explored parameters', 'Give two columns with --x and --y.')
  }
  return { kind: 'heatmap', x, y, color, facet: given.facet }
}

function histogramChoice({ given, result }: Chooser): PlotChoice {
  if (given.color !== undefined) throw refuse('--color', 'a histogram has no colours', 'Use --facet.')
  if (given.x !== undefined && given.y !== undefined) {
    throw refuse('--y', 'a histogram has one column; its y counts runs', 'Leave out one of --x and --y.')
  }
  const x = given.x ?? given.y ?? result()
  assertSingle({ x, facet: given.facet })
  return { kind: 'histogram', x, facet: given.facet }
}

function parallelChoice({ given, explored, result }: Chooser): PlotChoice {
  const hint = 'Each explored parameter has an axis; --y names the last one.'
  if (given.x !== undefined) throw refuse('--x', 'parallel coordinates have no x', hint)
  if (given.facet !== undefined) throw refuse('--facet', 'parallel coordinates have no panels', hint)
  const last = given.y ?? (given.color !== undefined && isMeasured(given.color) ? given.color : result())
  assertSingle({ y: last, color: given.color })
  const columns = explored.map(({ column }) => column).filter((column) => column !== last)
  const axes = [...columns.slice(0, PARALLEL_AXES_MAX - 1), last]
  if (axes.length < 2) throw refuse('--kind', 'parallel coordinates need an explored parameter')
  return { kind: 'parallel', axes, color: given.color ?? last }
}

/** @throws PypetError `PYPET_USAGE` if a column has more than one number per run. Explored lists are names. */
function assertSingle(roles: Readonly<Record<string, Column | undefined>>): void {
  for (const [role, column] of Object.entries(roles)) {
    if (column === undefined || column.kind === 'parameter') continue
    const isArray = isNumericArray(column)
    if (!isArray && !column.dtype.startsWith('complex')) continue
    throw refuse(
      `--${role}`,
      `${column.name} is ${isArray ? `an array of ${column.dtype}` : column.dtype}; only single real numbers and texts can be drawn here`,
      isArray
        ? `Write --y ${column.name}, without --kind.`
        : 'Let the job store the real part or the magnitude, too.',
    )
  }
}

function refuse(where: string, found: string, hint?: string): PypetError {
  return new PypetError('PYPET_USAGE', `${where}: ${found}`, { where, hint })
}

/** Other results that the user may have meant. */
function noticesOf(choice: PlotChoice, { source, given }: Chooser): readonly string[] {
  const drawn = Object.values(choice).flat()
  const others = source.columns.filter(
    (column) =>
      column.kind === 'result' && (isNumeric(column) || isNumericArray(column)) && !drawn.includes(column),
  )
  if (others.length === 0 || Object.values(given).some((column) => column?.kind === 'result')) return []
  return [`other results: ${listed(others)}; choose one with --y`]
}
