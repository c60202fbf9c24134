/** Axes around a canvas, with labels that do not overlap. */
import { cutTo, textWidth } from '../../reporting/text-width.ts'
import type { Axis } from '../figure.ts'
import { type CategoryScale, type Tick, ticksOf } from '../scale.ts'
import type { Canvas } from './canvas.ts'
import { newCanvas } from './canvas.ts'
import { DIM, type Painter } from './ink.ts'

/** Rows for each label of a vertical axis. */
const ROWS_PER_TICK = 4
/** Columns for each label of a horizontal axis. */
const COLUMNS_PER_TICK = 10
const CATEGORY_WIDTH_MAX = 18
const LABEL_GAP = 2

/** The ticks of a vertical axis, and the columns that they take. */
export interface Gutter {
  readonly ticks: readonly (Tick & { readonly row: number })[]
  /** With the line of the axis. */
  readonly width: number
}

export function gutterOf({ scale }: Axis, rows: number): Gutter {
  const count = scale.kind === 'category' ? rows : Math.max(2, Math.round(rows / ROWS_PER_TICK))
  const seen = new Set<number>()
  const ticks = ticksOf(scale, count).flatMap((tick) => {
    const { position, text } = tick
    const row = scale.kind === 'category' ? Math.floor((1 - position) * rows) : rowOf(position, rows)
    if (seen.has(row)) return []
    seen.add(row)
    const isCategory = scale.kind === 'category'
    return [{ ...tick, row, text: isCategory ? cutTo(text, CATEGORY_WIDTH_MAX) : text }]
  })
  return { ticks, width: Math.max(0, ...ticks.map(({ text }) => textWidth(text))) + 2 }
}

/** The row of a position, in a grid of characters. */
function rowOf(position: number, rows: number): number {
  return Math.min(rows - 1, Math.floor(((1 - position) * (4 * rows - 1)) / 4))
}

function columnOf(position: number, columns: number): number {
  return Math.min(columns - 1, Math.floor((position * (2 * columns - 1)) / 2))
}

/** The lines of a canvas with both axes and their labels. */
export function framed(
  canvas: Canvas,
  {
    x,
    y,
    gutter,
    width,
    paint,
  }: {
    readonly x: Axis
    readonly y: Axis
    readonly gutter: Gutter
    readonly width: number
    readonly paint: Painter
  },
): string[] {
  const { columns, rows } = canvas
  const margin = gutter.width - 1
  const body = canvas.lines(paint).map((line, row) => {
    const tick = gutter.ticks.find((each) => each.row === row)
    const text = tick === undefined ? '' : tick.text
    return `${' '.repeat(margin - 1 - textWidth(text))}${paint(`${text} ${tick === undefined ? '│' : '┤'}`, DIM)}${line}`
  })
  const ticks = xTicks(x, columns)
  const rule = Array.from({ length: columns }, () => '─')
  for (const { column } of ticks) rule[column] = '┬'
  const labels = newCanvas(width, 1)
  let end = 0
  for (const { column, text } of ticks) {
    const length = textWidth(text)
    const centred = gutter.width + column - Math.floor(length / 2)
    const start = Math.max(0, Math.min(width - length, centred))
    if (start < end) continue
    labels.text(start, 0, text)
    end = start + length + 1
  }
  const name = cutTo(x.label, width)
  const indent = Math.max(
    0,
    Math.min(width - textWidth(name), gutter.width + Math.floor((columns - textWidth(name)) / 2)),
  )
  return [
    cutTo(y.label, width),
    ...body,
    `${' '.repeat(margin)}${paint(`└${rule.join('')}`, DIM)}`,
    ...labels.lines((text) => paint(text, DIM)),
    `${' '.repeat(indent)}${name}`,
  ].slice(0, rows + 4)
}

function xTicks(
  { scale }: Axis,
  columns: number,
): readonly { readonly column: number; readonly text: string }[] {
  const ticks =
    scale.kind === 'category'
      ? categoryTicks(scale, columns)
      : ticksOf(scale, Math.max(2, Math.floor(columns / COLUMNS_PER_TICK)))
  return ticks.map(({ position, text }) => ({ column: columnOf(position, columns), text }))
}

function categoryTicks(scale: CategoryScale, columns: number): readonly Tick[] {
  const room = Math.max(8, Math.floor(columns / Math.max(1, scale.names.length)) - 1)
  const names = scale.names.map((name) => cutTo(name, room))
  const widest = Math.max(1, ...names.map(textWidth))
  return ticksOf({ kind: 'category', names }, Math.max(1, Math.floor(columns / (widest + LABEL_GAP))))
}
