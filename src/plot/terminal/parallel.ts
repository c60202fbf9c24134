import { cutTo, textWidth } from '../../reporting/text-width.ts'
import type { Axis, Legend, ParallelFigure } from '../figure.ts'
import { positionOf, shortNumber } from '../scale.ts'
import { type Canvas, newCanvas } from './canvas.ts'
import { DIM, type Ink, rampInk, shadeOf } from './ink.ts'
import { inkOfSeries, type Look } from './legend.ts'

/** More lines would fill the space between the axes, so their density is shown. */
const SINGLE_LINES_MAX = 40
const NAMES_ON_AXIS_MAX = 8

/** Axes side by side with their names and bounds, and a line per run. */
export function parallelLines(figure: ParallelFigure, rows: number, look: Look): string[] {
  const { axes } = figure
  const { width, paint } = look
  const canvas = newCanvas(width, rows)
  const places = axes.map((_, index) => Math.round((index * (width - 3)) / Math.max(1, axes.length - 1)) + 1)
  if (figure.lineCount <= SINGLE_LINES_MAX) drawLines(canvas, figure, places)
  else drawDensity(canvas, figure, places, look.isColoured)
  for (const place of places) for (let row = 0; row < rows; row += 1) canvas.text(place, row, '│', DIM)
  const [names, highs, lows] = [newCanvas(width, 1), newCanvas(width, 1), newCanvas(width, 1)]
  for (const [index, axis] of axes.entries()) {
    const room = Math.floor((width - 2) / axes.length) - 1
    const put = (line: Canvas, text: string) => putAround(line, places[index] as number, text, room)
    put(names, axis.label)
    const [low, high] = boundsOf(axis)
    put(highs, high)
    put(lows, low)
    drawNames(canvas, axis, places[index] as number, room)
  }
  const dim = (text: string) => paint(text, DIM)
  return [...names.lines((text) => text), ...highs.lines(dim), ...canvas.lines(paint), ...lows.lines(dim)]
}

function boundsOf({ scale }: Axis): readonly [string, string] {
  if (scale.kind === 'category') {
    return scale.names.length <= NAMES_ON_AXIS_MAX
      ? ['', '']
      : [scale.names[0] ?? '', scale.names.at(-1) ?? '']
  }
  return [shortNumber(scale.domain[0]), shortNumber(scale.domain[1])]
}

/** Categories beside their axis. */
function drawNames(canvas: Canvas, { scale }: Axis, place: number, room: number): void {
  if (scale.kind !== 'category' || scale.names.length > NAMES_ON_AXIS_MAX) return
  for (const [index, name] of scale.names.entries()) {
    const row = Math.floor((1 - positionOf(scale, index)) * canvas.rows)
    const shown = cutTo(name, room)
    const isLast = place + 1 + textWidth(shown) > canvas.columns
    canvas.text(isLast ? place - textWidth(shown) : place + 1, row, shown)
  }
}

/** A text around a column, cut to the room of the axis, within the line. */
function putAround(line: Canvas, column: number, text: string, room: number): void {
  const shown = cutTo(text, room)
  const length = textWidth(shown)
  line.text(Math.max(0, Math.min(line.columns - length, column - Math.floor(length / 2))), 0, shown)
}

function inkOf(legend: Legend, color: number): Ink {
  return legend.kind === 'ramp' ? rampInk(positionOf(legend.scale, color)) : inkOfSeries(legend, color)
}

function drawLines(
  canvas: Canvas,
  { axes, values, lineCount, legend, colors }: ParallelFigure,
  places: readonly number[],
): void {
  const height = 4 * canvas.rows
  const dotOf = (index: number, line: number) => {
    const position = positionOf((axes[index] as Axis).scale, values[index]?.[line] as number)
    return [2 * (places[index] as number), Math.round((1 - position) * (height - 1))] as const
  }
  for (let line = 0; line < lineCount; line += 1) {
    const ink = inkOf(legend, colors[line] as number)
    for (let index = 1; index < axes.length; index += 1)
      canvas.line(dotOf(index - 1, line), dotOf(index, line), ink)
  }
}

/** How many lines pass through each character, in the mean colour of these lines. */
function drawDensity(
  canvas: Canvas,
  { axes, values, lineCount, legend, colors }: ParallelFigure,
  places: readonly number[],
  isColoured: boolean,
): void {
  const { rows } = canvas
  const shares = colors.map((color) =>
    legend.kind === 'ramp' ? positionOf(legend.scale, color) : Number.NaN,
  )
  for (let index = 1; index < axes.length; index += 1) {
    const [start, end] = [places[index - 1] as number, places[index] as number]
    const positions = [index - 1, index].map((axis) =>
      (values[axis] as Float64Array).map((value) => positionOf((axes[axis] as Axis).scale, value)),
    ) as [Float64Array, Float64Array]
    for (let column = start; column <= end; column += 1) {
      const counts = new Float64Array(rows)
      const sums = new Float64Array(rows)
      const along = (column - start) / Math.max(1, end - start)
      for (let line = 0; line < lineCount; line += 1) {
        const position = (positions[0][line] as number) * (1 - along) + (positions[1][line] as number) * along
        const row = Math.min(rows - 1, Math.floor((1 - position) * rows))
        counts[row] = (counts[row] as number) + 1
        sums[row] = (sums[row] as number) + (shares[line] as number)
      }
      for (const [row, count] of counts.entries()) {
        if (count === 0) continue
        const shade = shadeOf(Math.log1p(count) / Math.log1p(lineCount))
        canvas.text(column, row, shade, isColoured ? rampInk((sums[row] as number) / count) : undefined)
      }
    }
  }
}
