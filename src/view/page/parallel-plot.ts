/**
 * Parallel coordinates. Many runs are drawn as an exact density: the runs of each pair of places on two neighbouring
 * axes are counted, and each pair adds its count to the pixels between. Few runs are drawn as single lines.
 */
import { type Axis, axisOf, ticksOf } from './axis.ts'
import { countText, runsText } from './number-text.ts'
import type { PageColumn } from './page-column.ts'
import type { Pen } from './pen.ts'
import {
  ALL_BINS,
  BINS,
  binsOf,
  brushBetween,
  colourOfRuns,
  MISSING_BIN,
  OTHER_BIN,
  type Plot,
  type PlotInput,
  type Point,
  REACH_PX,
  shadesOf,
  strongAndPaper,
} from './plot.ts'

const TOP_PX = 30
/** Below the axes are the places of runs without a number, and without a value. */
const BOTTOM_PX = 42
const SIDE_PX = 56
/** More lines hide each other, and take long. */
const LINES_MAX = 1000

interface ColumnAxis {
  readonly column: PageColumn
  readonly axis: Axis
}

/** Undefined until the columns of all axes are here. */
export function parallelPlot({ model, size, palette }: PlotInput): Plot | undefined {
  const { looked } = model
  const axes = model.axes.flatMap((name) => {
    const column = model.column(name)
    return column === undefined ? [] : [{ column, axis: axisOf(column, looked.scales.get(name)) }]
  })
  if (axes.length < model.axes.length) return undefined
  const bottom = size.height - BOTTOM_PX
  const inner = Math.max(1, bottom - TOP_PX)
  const xs = axes.map((_, index) =>
    axes.length === 1
      ? size.width / 2
      : SIDE_PX + (index * (size.width - 2 * SIDE_PX)) / Math.max(1, axes.length - 1),
  )
  const yOfBin = (bin: number) =>
    bin === OTHER_BIN
      ? bottom + 16
      : bin === MISSING_BIN
        ? bottom + 32
        : bottom - ((bin + 0.5) / BINS) * inner
  const yOf = ({ column, axis }: ColumnAxis, run: number) => {
    if (column.has[run] !== 1) return yOfBin(MISSING_BIN)
    const at = axis.place(column.numbers[run] as number)
    return at >= 0 && at <= 1 ? bottom - at * inner : yOfBin(OTHER_BIN)
  }
  const pointsOf = (run: number) => axes.flatMap((each, index) => [xs[index] as number, yOf(each, run)])
  const { matchCount, mask, runCount } = model
  const areLines = matchCount <= LINES_MAX
  const colourOf = colourOfRuns(model, looked.color, palette)
  const axisAt = ({ x }: Point) => xs.findIndex((at) => Math.abs(at - x) <= REACH_PX)

  const density = (isOfAll: boolean) => {
    const width = Math.max(1, Math.round(size.width))
    const height = Math.max(1, Math.round(size.height))
    const pixels = new Float32Array(width * height)
    const bins = axes.map(({ column, axis }) => binsOf(model, column, axis))
    for (let index = 0; index + 1 < axes.length; index += 1) {
      const pairs = countPairs(
        bins[index] as Uint8Array,
        bins[index + 1] as Uint8Array,
        isOfAll ? undefined : mask,
      )
      const [from, to] = [Math.round(xs[index] as number), Math.round(xs[index + 1] as number)]
      addPairs(pixels, width, pairs, from, to, yOfBin)
    }
    return { pixels, width }
  }

  const draw = (pen: Pen) => {
    const { strong, paper, ink, faint } = strongAndPaper(palette)
    if (axes.length > 1) {
      if (matchCount < runCount) {
        // The others, as a faint background.
        const scales = axes.map(({ axis }) => [axis.title, axis.from, axis.to])
        const key = JSON.stringify([model.dataVersion, size, scales])
        const { pixels, width } = model.remember('density of all', key, () => density(true))
        pen.image(shadesOf(pixels, width, faint, paper, faint), 0, 0, size.width, size.height)
      }
      if (!areLines) {
        const { pixels, width } = density(false)
        pen.image(shadesOf(pixels, width, strong, paper, ink), 0, 0, size.width, size.height)
      }
    }
    if (areLines) {
      const opacity = Math.max(0.15, Math.min(0.9, 40 / Math.max(1, matchCount)))
      for (let run = 0; run < runCount; run += 1) {
        if (mask[run] !== 1) continue
        const points = pointsOf(run)
        if (axes.length > 1) pen.line(points, { colour: colourOf(run), opacity })
        else pen.circle(points[0] as number, points[1] as number, 2, { colour: colourOf(run), opacity })
      }
    }
    for (const [index, each] of axes.entries()) drawAxis(pen, each, xs[index] as number)
  }

  const drawAxis = (pen: Pen, each: ColumnAxis, x: number) => {
    const { column, axis } = each
    const room = axes.length > 1 ? (size.width - 2 * SIDE_PX) / (axes.length - 1) : size.width
    pen.line([x, TOP_PX, x, bottom], { colour: palette.ink, width: 1 })
    const isLast = each === axes.at(-1) && axes.length > 1
    const label = (text: string, y: number, colour: string) => {
      const width = Math.min(text.length * 6.2, room - 6) + 4
      const left = isLast ? x + 5 : x - 5 - width
      pen.rectangle(left, y - 7, width, 14, { colour: palette.paper, opacity: 0.75 })
      pen.text(text, isLast ? x + 7 : x - 7, y, {
        colour,
        align: isLast ? 'start' : 'end',
        widthMax: room - 4,
      })
    }
    for (const { place, label: text } of ticksOf(axis, Math.max(2, inner / 36))) {
      const y = bottom - place * inner
      pen.line([x - 3, y, x + 3, y], { colour: palette.ink })
      label(text, y, palette.soft)
    }
    pen.text(axis.title, x, 12, {
      colour: palette.ink,
      align: 'middle',
      isBold: true,
      widthMax: Math.max(24, room - 4),
    })
    const { missing, other } = column.absences
    const tick = (text: string, bin: number) => {
      const y = yOfBin(bin)
      pen.line([x - 4, y, x + 4, y], { colour: palette.ink, width: 2 })
      label(text, y, palette.soft)
    }
    if (other > 0) tick(`no number ${countText(other)}`, OTHER_BIN)
    if (missing > 0) tick(`null ${countText(missing)}`, MISSING_BIN)
    const brush = looked.brushes.get(column.name)
    if (brush === undefined) return
    const margin = axis.categories === undefined ? 0 : 0.5
    const clamp = (number: number) => bottom - Math.min(1, Math.max(0, axis.place(number))) * inner
    const [from, to] = [clamp(brush.from - margin), clamp(brush.to + margin)]
    pen.rectangle(x - 6, to, 12, Math.max(2, from - to), { colour: palette.accent, opacity: 0.45 })
  }

  return {
    title: `Parallel coordinates of ${axes.map(({ column }) => column.name).join(', ')}; ${runsText(matchCount)}`,
    notes: areLines ? [] : [`density of all ${countText(matchCount)} runs; single lines from 1,000 on down`],
    draw,
    mark(pen, run) {
      if (axes.length > 1) pen.line(pointsOf(run), { colour: palette.ink, width: 2 })
    },
    runAt(point) {
      if (!areLines || axes.length < 2) return undefined
      let [nearest, distance] = [-1, REACH_PX]
      const after = xs.findIndex((x) => x >= point.x)
      const [left, right] = [axes[after - 1], axes[after]]
      if (left === undefined || right === undefined) return undefined
      const [from, to] = [xs[after - 1] as number, xs[after] as number]
      const part = (point.x - from) / (to - from)
      for (let run = 0; run < runCount; run += 1) {
        if (mask[run] !== 1) continue
        const y = yOf(left, run) * (1 - part) + yOf(right, run) * part
        if (Math.abs(y - point.y) < distance) {
          nearest = run
          distance = Math.abs(y - point.y)
        }
      }
      return nearest < 0 ? undefined : nearest
    },
    brushOf(from, to) {
      const found = axes[axisAt(from)]
      if (found === undefined) return undefined
      const { axis, column } = found
      const { name } = column
      if (Math.abs(from.y - to.y) < 3) return { [name]: undefined }
      const numberAt = ({ y }: Point) => axis.number(Math.min(1, Math.max(0, (bottom - y) / inner)))
      return { [name]: brushBetween(axis, numberAt(from), numberAt(to)) }
    },
  }
}

function countPairs(left: Uint8Array, right: Uint8Array, mask: Uint8Array | undefined): Uint32Array {
  const pairs = new Uint32Array(ALL_BINS * ALL_BINS)
  for (let run = 0; run < left.length; run += 1) {
    if (mask !== undefined && mask[run] !== 1) continue
    const pair = (left[run] as number) * ALL_BINS + (right[run] as number)
    pairs[pair] = (pairs[pair] as number) + 1
  }
  return pairs
}

/** Adds the count of each pair to the pixels of its line. A steep line has several pixels in each column. */
function addPairs(
  pixels: Float32Array,
  width: number,
  pairs: Uint32Array,
  fromX: number,
  toX: number,
  yOfBin: (bin: number) => number,
): void {
  const height = pixels.length / width
  const steps = Math.max(1, toX - fromX)
  const ys = Float64Array.from({ length: ALL_BINS }, (_, bin) => yOfBin(bin))
  for (let left = 0; left < ALL_BINS; left += 1) {
    for (let right = 0; right < ALL_BINS; right += 1) {
      const count = pairs[left * ALL_BINS + right] as number
      if (count === 0) continue
      const slope = ((ys[right] as number) - (ys[left] as number)) / steps
      const span = Math.max(1, Math.abs(slope))
      const share = count / span
      let y = ys[left] as number
      for (let step = 0; step < steps; step += 1) {
        const [low, high] = slope < 0 ? [y + slope, y] : [y, y + slope]
        const last = Math.min(height - 1, Math.max(Math.floor(low), Math.ceil(high) - 1))
        for (let row = Math.max(0, Math.floor(low)); row <= last; row += 1) {
          const at = row * width + fromX + step
          pixels[at] = (pixels[at] as number) + share
        }
        y += slope
      }
    }
  }
}
