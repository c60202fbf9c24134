/** What every view of the space is: something to draw, to point at and to brush. */
import type { Brush } from './address.ts'
import type { Axis } from './axis.ts'
import { categoryColour, type Palette, parseRgb, type Rgb, rgbText, viridis } from './colours.ts'
import type { Model } from './model.ts'
import type { PageColumn } from './page-column.ts'
import type { Pen } from './pen.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Plot {
  /** For a screen reader, and the title of a saved picture. */
  readonly title: string
  /** What is not drawn as it is: samples, bins. */
  readonly notes: readonly string[]
  draw(pen: Pen): void
  /** Draws one run above the others. */
  mark(pen: Pen, run: number): void
  /** The run that is drawn closest to a point. */
  runAt(point: Point): number | undefined
  /** What a drag from one point to another narrows. With equal points, a click. Undefined if nothing is there. */
  brushOf(from: Point, to: Point): Readonly<Record<string, Brush | undefined>> | undefined
}

export interface PlotInput {
  readonly model: Model
  readonly size: Size
  readonly palette: Palette
}

/** A click that hits nothing closer than this hits nothing. */
export const REACH_PX = 12

/** The brush between two numbers. Of categories, whole ones. */
export function brushBetween(axis: Axis, one: number, other: number): Brush {
  const [from, to] = [Math.min(one, other), Math.max(one, other)]
  if (axis.categories === undefined) return { from: shortened(axis, from), to: shortened(axis, to) }
  return { from: Math.ceil(from), to: Math.max(Math.ceil(from), Math.floor(to)) }
}

/** No more digits than pixels can tell apart, so that the command is readable. */
function shortened(axis: Axis, number: number): number {
  if (axis.isLog) return Number(number.toPrecision(4))
  const step = 10 ** (Math.floor(Math.log10(axis.to - axis.from)) - 3)
  const digits = Math.max(0, Math.min(100, -Math.log10(step)))
  return Number((Math.round(number / step) * step).toFixed(Math.ceil(digits)))
}

/** The colour of runs: by a column, red for failed ones. */
export function colourOfRuns(
  model: Model,
  name: string | undefined,
  palette: Palette,
): (run: number) => string {
  const status = model.column('status')
  const failedCode = status?.categories?.indexOf('failed') ?? -1
  const column = name === undefined ? undefined : model.column(name)
  const scale = column === undefined ? undefined : colourScale(column)
  return (run) => {
    if (failedCode >= 0 && status?.numbers[run] === failedCode) return palette.failed
    if (scale === undefined || column === undefined) return palette.accent
    const number = column.numbers[run] as number
    return Number.isNaN(number) ? palette.soft : rgbText(scale(number))
  }
}

/** Categories, and numbers of which there are few, have their own colours; others are magnitudes. */
export function colourScale(column: PageColumn): (number: number) => Rgb {
  const few = column.distinct(DISTINCT_COLOURS_MAX)
  if (column.isCategory || few !== undefined) {
    const indexOf = new Map((few ?? []).map((number, index) => [number, index]))
    return (number) => categoryColour(indexOf.get(number) ?? number)
  }
  const [least, most] = column.range
  return (number) => viridis((number - least) / (most - least || 1))
}

export const DISTINCT_COLOURS_MAX = 7

/** Positions on an axis, for counting: 0 to `BINS - 1`, and two others. */
export const BINS = 128
export const OTHER_BIN = BINS + 1
export const MISSING_BIN = BINS + 2
export const ALL_BINS = BINS + 3

export function binsOf(model: Model, column: PageColumn, axis: Axis): Uint8Array {
  const key = `${column.version} ${axis.from} ${axis.to} ${axis.isLog} ${column.runCount}`
  return model.remember(`bins ${column.name}`, key, () => {
    const bins = new Uint8Array(column.runCount)
    for (let run = 0; run < bins.length; run += 1) {
      if (column.has[run] !== 1) bins[run] = MISSING_BIN
      else {
        const place = axis.place(column.numbers[run] as number)
        bins[run] = place >= 0 && place <= 1 ? Math.min(BINS - 1, Math.floor(place * BINS)) : OTHER_BIN
      }
    }
    return bins
  })
}

/** Shades of how many runs are at a pixel: from faint to strong, as its logarithm. */
export function shadesOf(counts: Float32Array, width: number, strong: Rgb, paper: Rgb, ink: Rgb) {
  let most = 0
  for (const count of counts) if (count > most) most = count
  const rgba = new Uint8ClampedArray(counts.length * 4)
  const scale = 1 / Math.log1p(most || 1)
  for (let at = 0; at < counts.length; at += 1) {
    const count = counts[at] as number
    if (count <= 0) continue
    const part = 0.18 + 0.82 * Math.log1p(count) * scale
    const colour = part < 0.75 ? [strong, part / 0.75, paper] : [ink, (part - 0.75) / 0.5, strong]
    const [top, share, base] = colour as [Rgb, number, Rgb]
    for (let channel = 0; channel < 3; channel += 1) {
      const [from, to] = [base[channel] as number, top[channel] as number]
      rgba[4 * at + channel] = from + (to - from) * share
    }
    rgba[4 * at + 3] = 255
  }
  return { width, height: counts.length / width, rgba }
}

export function strongAndPaper(palette: Palette): { strong: Rgb; paper: Rgb; ink: Rgb; faint: Rgb } {
  const { accent, paper, ink, faint } = palette
  return { strong: parseRgb(accent), paper: parseRgb(paper), ink: parseRgb(ink), faint: parseRgb(faint) }
}
