import type { Legend, Series, SeriesFigure, SeriesPanel } from '../figure.ts'
import { positionOf, type Scale } from '../scale.ts'
import { type Canvas, newCanvas } from './canvas.ts'
import { framed, gutterOf } from './frame.ts'
import { type Ink, markOf, rampInk } from './ink.ts'
import { inkOfSeries, type Look } from './legend.ts'

/** With points at more places, each is a dot. */
const MARKED_POINTS_MAX = 60
/** Dots between the bars of the first series and of the last. */
const BARS_ASIDE = 4
/** Columns between two marks of a line. */
const COLUMNS_PER_MARK = 9

/** Lines or points, with their axes. */
export function seriesLines(figure: SeriesFigure, panel: SeriesPanel, rows: number, look: Look): string[] {
  const gutter = gutterOf(figure.y, rows)
  const canvas = newCanvas(Math.max(10, look.width - gutter.width), rows)
  for (const series of panel.series) drawSpread(canvas, figure, series)
  for (const series of panel.series) {
    if (series.isJoined && series.x.length > 1) drawLine(canvas, figure, series)
    else drawPoints(canvas, figure, series, look)
  }
  if (!look.isColoured && panel.series.length > 1) {
    for (const series of panel.series) if (series.isJoined) drawMarks(canvas, figure, series)
  }
  return framed(canvas, { ...figure, gutter, ...look })
}

/** The dot of a value; NaN outside of the scale. */
function dotAt(scale: Scale, value: number, dots: number): number {
  return Math.round(positionOf(scale, value) * (dots - 1))
}

function dotsOf(canvas: Canvas, { x, y }: SeriesFigure, atX: number, atY: number): readonly [number, number] {
  const height = 4 * canvas.rows
  return [dotAt(x.scale, atX, 2 * canvas.columns), height - 1 - dotAt(y.scale, atY, height)]
}

function drawLine(canvas: Canvas, figure: SeriesFigure, { index, x, y }: Series): void {
  const ink = inkOfSeries(figure.legend, index)
  let before: readonly [number, number] | undefined
  for (const [at, value] of y.entries()) {
    const dot = dotsOf(canvas, figure, x[at] as number, value)
    if (Number.isNaN(dot[0]) || Number.isNaN(dot[1])) {
      before = undefined
      continue
    }
    canvas.line(before ?? dot, dot, ink)
    before = dot
  }
}

/** Error bars, or dotted bounds if there are too many. */
function drawSpread(canvas: Canvas, figure: SeriesFigure, { index, x, spread, isJoined }: Series): void {
  if (spread === undefined) return
  const ink = inkOfSeries(figure.legend, index)
  const isDense = isJoined && x.length > canvas.columns / 3
  let before: readonly [low: readonly [number, number], high: readonly [number, number]] | undefined
  for (const [at, value] of x.entries()) {
    const low = dotsOf(canvas, figure, value, spread.low[at] as number)
    const high = dotsOf(canvas, figure, value, spread.high[at] as number)
    if (Number.isNaN(low[0] + low[1] + high[1])) {
      before = undefined
    } else if (isDense) {
      canvas.line(before?.[0] ?? low, low, ink, 3)
      canvas.line(before?.[1] ?? high, high, ink, 3)
      before = [low, high]
    } else {
      // Bars of several series stand side by side.
      const aside = index % BARS_ASIDE
      canvas.line([low[0] + aside, low[1]], [high[0] + aside, high[1]], ink)
    }
  }
}

function drawPoints(
  canvas: Canvas,
  figure: SeriesFigure,
  { index, x, y, colors }: Series,
  { isColoured }: Look,
): void {
  const { legend } = figure
  const dots = Array.from(y, (value, at) => dotsOf(canvas, figure, x[at] as number, value))
  const places = new Set(dots.map(([dotX, dotY]) => `${dotX},${dotY}`))
  const isMarked = places.size <= MARKED_POINTS_MAX || (!isColoured && legend.kind === 'series')
  const mark = isColoured || legend.kind !== 'series' ? '●' : markOf(index)
  for (const [at, [dotX, dotY]] of dots.entries()) {
    if (Number.isNaN(dotX + dotY)) continue
    const ink = inkOfPoint(legend, index, colors?.[at])
    if (isMarked) canvas.text(Math.floor(dotX / 2), Math.floor(dotY / 4), mark, ink)
    else canvas.dot(dotX, dotY, ink)
  }
}

function inkOfPoint(legend: Legend, index: number, value: number | undefined): Ink {
  return legend.kind === 'ramp'
    ? rampInk(positionOf(legend.scale, value ?? Number.NaN))
    : inkOfSeries(legend, index)
}

/** Where there are no colours, marks tell lines apart. */
function drawMarks(canvas: Canvas, figure: SeriesFigure, { index, x, y }: Series): void {
  const every = Math.max(1, Math.ceil((x.length * COLUMNS_PER_MARK) / canvas.columns))
  // Lines that share their points have their marks at different ones.
  for (let at = every > 1 ? index % every : 0; at < x.length; at += every) {
    const [dotX, dotY] = dotsOf(canvas, figure, x[at] as number, y[at] as number)
    if (!Number.isNaN(dotX + dotY)) canvas.text(Math.floor(dotX / 2), Math.floor(dotY / 4), markOf(index))
  }
}
