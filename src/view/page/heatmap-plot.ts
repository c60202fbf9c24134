/** The mean of one column over a grid of two others. Further parameters are fixed by sliders, or averaged over. */

import type { Brush } from './address.ts'
import { type Axis, axisOf, ticksOf } from './axis.ts'
import { parseRgb, type Rgb, rgbText, viridis } from './colours.ts'
import { drawAbsent, drawFrame, frameIn, isIn, placesAt, xIn, yIn } from './frame.ts'
import type { Model } from './model.ts'
import { countText, runsText, shortText } from './number-text.ts'
import type { PageColumn } from './page-column.ts'
import type { Pen } from './pen.ts'
import type { Plot, PlotInput, Point } from './plot.ts'
import { rangeOf } from './range.ts'

export interface HeatmapNames {
  readonly x: string
  readonly y: string
  readonly color: string
}

/** More values than this are put into bins. */
const CELLS_MAX = 1000
const BINS = 100
const SCALE_PX = 96

/** The cells along one axis. */
interface CellAxis {
  readonly axis: Axis
  readonly count: number
  readonly isBinned: boolean
  cellOf(number: number): number
  brushOf(first: number, last: number): Brush
}

export function heatmapPlot({ model, size, palette }: PlotInput, names: HeatmapNames): Plot | undefined {
  const [xColumn, yColumn] = [model.column(names.x), model.column(names.y)]
  const color = model.column(names.color)
  if (xColumn === undefined || yColumn === undefined || color === undefined) return undefined
  const [x, y] = [cellAxis(xColumn), cellAxis(yColumn)]
  const frame = frameIn(size, SCALE_PX)
  const mask = slicedMask(model)
  const { means, counts, runs, without, failedCells } = meansOf(
    model,
    mask,
    [x, xColumn],
    [y, yColumn],
    color,
  )
  const [least, most] = rangeOf(means.filter((mean) => !Number.isNaN(mean)))
  const scaleAxis = axisOf(color, model.looked.scales.get(names.color))
  const isLog = scaleAxis.isLog && least > 0
  const partOf = (mean: number) =>
    isLog
      ? (Math.log(mean) - Math.log(least)) / (Math.log(most) - Math.log(least) || 1)
      : (mean - least) / (most - least || 1)

  const pixels = () => {
    const rgba = new Uint8ClampedArray(x.count * y.count * 4)
    const [faint, failed, paper] = [palette.faint, palette.failed, palette.paper].map(parseRgb) as [
      Rgb,
      Rgb,
      Rgb,
    ]
    for (let cell = 0; cell < means.length; cell += 1) {
      const mean = means[cell] as number
      const empty = failedCells[cell] === 1 ? failed : runs[cell] === 0 ? paper : faint
      const colour = Number.isNaN(mean) ? empty : viridis(partOf(mean))
      // The first row of an image is at its top.
      const row = y.count - 1 - Math.floor(cell / x.count)
      rgba.set([...colour, 255], 4 * (row * x.count + (cell % x.count)))
    }
    return { width: x.count, height: y.count, rgba }
  }

  const drawScale = (pen: Pen) => {
    const left = frame.left + frame.width + 16
    const height = Math.min(frame.height - 20, 200)
    const steps = 64
    for (let step = 0; step < steps; step += 1) {
      const top = frame.top + 18 + (step * height) / steps
      pen.rectangle(left, top, 12, height / steps + 0.5, { colour: rgbText(viridis(1 - step / steps)) })
    }
    pen.text(names.color, left, frame.top + 4, { colour: palette.ink, isBold: true, widthMax: SCALE_PX - 20 })
    const legend: Axis = {
      ...scaleAxis,
      categories: undefined,
      few: undefined,
      from: least,
      to: most > least ? most : least + 1,
      isLog,
      place: partOf,
    }
    for (const { place, label } of ticksOf(legend, 5)) {
      if (place < 0 || place > 1) continue
      pen.text(label, left + 16, frame.top + 18 + (1 - place) * height, { colour: palette.soft })
    }
  }

  const cellAt = (point: Point) => {
    const at = placesAt(frame, point)
    return {
      x: Math.min(x.count - 1, Math.floor(at.x * x.count)),
      y: Math.min(y.count - 1, Math.floor(at.y * y.count)),
    }
  }
  const [, averaged] = rangeOf(counts)
  const notes = [
    ...(averaged > 1 ? [`mean of up to ${runsText(averaged)} in a cell`] : []),
    ...(x.isBinned ? [`${names.x} in ${BINS} bins`] : []),
    ...(y.isBinned ? [`${names.y} in ${BINS} bins`] : []),
  ]
  return {
    title: `${names.color} over ${names.x} and ${names.y}; ${runsText(model.matchCount)}`,
    notes,
    draw(pen) {
      pen.image(pixels(), frame.left, frame.top, frame.width, frame.height)
      drawFrame(pen, frame, x.axis, y.axis, palette)
      drawScale(pen)
      if (without > 0) drawAbsent(pen, frame, `null ${countText(without)}: no ${names.color}`, palette)
    },
    mark(pen, run) {
      const [atX, atY] = [x.cellOf(xColumn.numbers[run] as number), y.cellOf(yColumn.numbers[run] as number)]
      if (atX < 0 || atY < 0) return
      const [left, right] = [xIn(frame, atX / x.count), xIn(frame, (atX + 1) / x.count)]
      const [bottom, top] = [yIn(frame, atY / y.count), yIn(frame, (atY + 1) / y.count)]
      const box = [left, top, right, top, right, bottom, left, bottom, left, top]
      pen.line(box, { colour: palette.paper, width: 4 })
      pen.line(box, { colour: palette.ink, width: 2 })
    },
    runAt(point) {
      if (!isIn(frame, point)) return undefined
      const cell = cellAt(point)
      for (let run = 0; run < model.runCount; run += 1) {
        if (mask[run] !== 1) continue
        if (x.cellOf(xColumn.numbers[run] as number) !== cell.x) continue
        if (y.cellOf(yColumn.numbers[run] as number) === cell.y) return run
      }
      return undefined
    },
    brushOf(from, to) {
      if (!isIn(frame, from)) return undefined
      const [one, other] = [cellAt(from), cellAt(to)]
      const isClick = Math.abs(from.x - to.x) < 3 && Math.abs(from.y - to.y) < 3
      const isNarrow = model.looked.brushes.has(names.x) || model.looked.brushes.has(names.y)
      if (isClick && isNarrow) return { [names.x]: undefined, [names.y]: undefined }
      return {
        [names.x]: x.brushOf(Math.min(one.x, other.x), Math.max(one.x, other.x)),
        [names.y]: y.brushOf(Math.min(one.y, other.y), Math.max(one.y, other.y)),
      }
    },
  }
}

/** Each value has its cells, so that a grid has no gaps. */
function cellAxis(column: PageColumn): CellAxis {
  const own = axisOf(column, 'linear')
  const numbers =
    column.categories === undefined ? column.distinct(CELLS_MAX) : column.categories.map((_, index) => index)
  if (numbers !== undefined && numbers.length <= CELLS_MAX) {
    const labels = column.categories ?? numbers.map(shortText)
    const indexOf = new Map(numbers.map((number, index) => [number, index]))
    const count = Math.max(1, numbers.length)
    return {
      axis: {
        ...own,
        categories: labels,
        place: (index) => (index + 0.5) / count,
        number: (place) => place * count - 0.5,
      },
      count,
      isBinned: false,
      cellOf: (number) => indexOf.get(number) ?? -1,
      brushOf: (first, last) => ({ from: numbers[first] ?? 0, to: numbers[last] ?? 0 }),
    }
  }
  return {
    axis: own,
    count: BINS,
    isBinned: true,
    cellOf: (number) =>
      Number.isFinite(number) ? Math.min(BINS - 1, Math.floor(own.place(number) * BINS)) : -1,
    brushOf: (first, last) => ({ from: own.number(first / BINS), to: own.number((last + 1) / BINS) }),
  }
}

/** What the sliders leave. */
function slicedMask(model: Model): Uint8Array {
  const { slices } = model.looked
  const key = `${model.maskKey} ${JSON.stringify([...slices])}`
  return model.remember('sliced', key, () => {
    const mask = model.mask.slice()
    for (const [name, number] of slices) {
      const numbers = model.column(name)?.numbers
      if (numbers === undefined) continue
      for (let run = 0; run < mask.length; run += 1) if (numbers[run] !== number) mask[run] = 0
    }
    return mask
  })
}

function meansOf(
  model: Model,
  mask: Uint8Array,
  [x, xColumn]: readonly [CellAxis, PageColumn],
  [y, yColumn]: readonly [CellAxis, PageColumn],
  color: PageColumn,
) {
  const size = x.count * y.count
  const [means, counts, runs] = [new Float64Array(size), new Uint32Array(size), new Uint32Array(size)]
  const failedCells = new Uint8Array(size)
  const status = model.column('status')
  const failed = status?.categories?.indexOf('failed')
  let without = 0
  for (let run = 0; run < mask.length; run += 1) {
    if (mask[run] !== 1) continue
    const [atX, atY] = [x.cellOf(xColumn.numbers[run] as number), y.cellOf(yColumn.numbers[run] as number)]
    if (atX < 0 || atY < 0) continue
    const cell = atY * x.count + atX
    runs[cell] = (runs[cell] as number) + 1
    const number = color.numbers[run] as number
    if (Number.isFinite(number)) {
      means[cell] = (means[cell] as number) + number
      counts[cell] = (counts[cell] as number) + 1
    } else {
      without += 1
      if (status?.numbers[run] === failed) failedCells[cell] = 1
    }
  }
  for (let cell = 0; cell < size; cell += 1) {
    means[cell] = counts[cell] === 0 ? Number.NaN : (means[cell] as number) / (counts[cell] as number)
  }
  return { means, counts, runs, without, failedCells }
}
