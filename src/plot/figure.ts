/** What is drawn, whether on a terminal or as SVG. Pure data: `make-figure.ts` makes it, `terminal/` and `svg/` draw it. */
import type { CategoryScale, NumberScale, Scale } from './scale.ts'

export const PLOT_KINDS = ['line', 'scatter', 'heatmap', 'histogram', 'parallel'] as const
export type PlotKind = (typeof PLOT_KINDS)[number]

type Drawing = SeriesFigure | HeatmapFigure | HistogramFigure | ParallelFigure

export type Figure = FigureTexts & Drawing

/** A drawing, and what the subtitle says about it. */
export type Explained<Each extends Drawing = Drawing> = Each & { readonly facts: readonly string[] }

/** All texts are without control characters. */
interface FigureTexts {
  /** File and trajectory. */
  readonly title: string
  /** How many runs are drawn, what is averaged, and what is missing. */
  readonly subtitle: string
}

export interface Axis {
  /** `tau (ms)`. */
  readonly label: string
  readonly scale: Scale
}

interface Panel {
  /** `method = euler`; empty if the figure has one panel only. */
  readonly name: string
}

export interface SeriesFigure {
  readonly kind: 'line' | 'scatter'
  readonly x: Axis
  readonly y: Axis
  readonly legend: Legend
  readonly panels: readonly SeriesPanel[]
}

export interface SeriesPanel extends Panel {
  readonly series: readonly Series[]
}

/** What colours mean. */
export type Legend =
  | { readonly kind: 'none' }
  /** Series are indices of the names. `isOrdered` if they are numbers in ascending order. */
  | {
      readonly kind: 'series'
      readonly label: string
      readonly names: readonly string[]
      readonly isOrdered: boolean
    }
  /** Each point has a number. */
  | { readonly kind: 'ramp'; readonly label: string; readonly scale: NumberScale }

export interface Series {
  /** Index in the legend. */
  readonly index: number
  readonly x: Float64Array
  /** NaN interrupts a line. */
  readonly y: Float64Array
  /** Bounds of the spread, NaN where there is none. */
  readonly spread?: { readonly low: Float64Array; readonly high: Float64Array } | undefined
  /** Numbers for the colours of points. */
  readonly colors?: Float64Array | undefined
  readonly isJoined: boolean
}

export interface HeatmapFigure {
  readonly kind: 'heatmap'
  readonly x: Axis & { readonly scale: CategoryScale }
  readonly y: Axis & { readonly scale: CategoryScale }
  readonly color: Axis & { readonly scale: NumberScale }
  readonly panels: readonly HeatmapPanel[]
}

export interface HeatmapPanel extends Panel {
  /** Row by row, the row of the first y first. NaN for cells without a run. */
  readonly cells: Float64Array
}

export interface HistogramFigure {
  readonly kind: 'histogram'
  readonly x: Axis
  readonly y: Axis & { readonly scale: NumberScale }
  readonly panels: readonly HistogramPanel[]
}

export interface HistogramPanel extends Panel {
  /** Bounds of the bins, one more than counts. For categories from -0.5. */
  readonly edges: Float64Array
  readonly counts: Float64Array
}

export interface ParallelFigure {
  readonly kind: 'parallel'
  readonly axes: readonly Axis[]
  readonly legend: Legend
  readonly lineCount: number
  /** A value per line, for each axis. */
  readonly values: readonly Float64Array[]
  /** A number per line: an index in the legend, or a value of its ramp. */
  readonly colors: Float64Array
}
