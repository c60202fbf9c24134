/** One column against another, with the mean and the spread of repeats. */
import { axisOf } from './axis.ts'
import { rgbText } from './colours.ts'
import { drawAbsent, drawFrame, frameIn, isIn, placesAt, xIn, yIn } from './frame.ts'
import { countText, runsText } from './number-text.ts'
import type { PageColumn } from './page-column.ts'
import type { Pen } from './pen.ts'
import {
  brushBetween,
  colourOfRuns,
  colourScale,
  DISTINCT_COLOURS_MAX,
  type Plot,
  type PlotInput,
  REACH_PX,
  shadesOf,
  strongAndPaper,
} from './plot.ts'

/** More points are drawn as a density. */
const POINTS_MAX = 5000
/** Of x, for which means are drawn. */
const GROUPS_MAX = 300
const DENSITY_PX = 2

export interface ScatterNames {
  readonly x: string
  readonly y: string
  readonly color: string | undefined
}

export function scatterPlot({ model, size, palette }: PlotInput, names: ScatterNames): Plot | undefined {
  const [xColumn, yColumn] = [model.column(names.x), model.column(names.y)]
  if (xColumn === undefined || yColumn === undefined) return undefined
  const { scales } = model.looked
  const [x, y] = [axisOf(xColumn, scales.get(names.x)), axisOf(yColumn, scales.get(names.y))]
  const { mask, runCount, matchCount } = model
  const color = names.color === undefined ? undefined : model.column(names.color)
  const legend = color === undefined ? [] : legendOf(color)
  const frame = frameIn(size, legend.length > 0 ? 120 : undefined)
  const hasPlace = (run: number) =>
    Number.isFinite(xColumn.numbers[run] as number) && Number.isFinite(yColumn.numbers[run] as number)
  const placeOf = (run: number) => ({
    x: xIn(frame, x.place(xColumn.numbers[run] as number)),
    y: yIn(frame, y.place(yColumn.numbers[run] as number)),
  })
  const groups = groupsOf(model.mask, xColumn, yColumn, color)
  const isDense = matchCount > POINTS_MAX
  const colourOf = colourOfRuns(model, names.color, palette)

  const drawDensity = (pen: Pen) => {
    const width = Math.ceil(frame.width / DENSITY_PX)
    const height = Math.ceil(frame.height / DENSITY_PX)
    const counts = new Float32Array(width * height)
    for (let run = 0; run < runCount; run += 1) {
      if (mask[run] !== 1 || !hasPlace(run)) continue
      const column = Math.min(width - 1, Math.floor(x.place(xColumn.numbers[run] as number) * width))
      const row = Math.min(height - 1, Math.floor((1 - y.place(yColumn.numbers[run] as number)) * height))
      counts[row * width + column] = (counts[row * width + column] as number) + 1
    }
    const { strong, paper, ink } = strongAndPaper(palette)
    pen.image(shadesOf(counts, width, strong, paper, ink), frame.left, frame.top, frame.width, frame.height)
  }

  const drawPoints = (pen: Pen) => {
    const opacity = groups.length > 0 ? 0.25 : Math.max(0.25, Math.min(0.9, 400 / Math.max(1, matchCount)))
    for (let run = 0; run < runCount; run += 1) {
      if (mask[run] !== 1 || !hasPlace(run)) continue
      const at = placeOf(run)
      pen.circle(at.x, at.y, groups.length > 0 ? 1.6 : 2.5, { colour: colourOf(run), opacity })
    }
  }

  const drawGroups = (pen: Pen) => {
    for (const { colour, points } of groups) {
      const own = colour === undefined ? palette.accent : colour
      const line = points.flatMap(({ x: at, mean }) => [xIn(frame, x.place(at)), yIn(frame, y.place(mean))])
      if (x.categories === undefined) pen.line(line, { colour: own, width: 1.5 })
      for (const { x: at, mean, deviation } of points) {
        const px = xIn(frame, x.place(at))
        const clamp = (number: number) => yIn(frame, Math.min(1, Math.max(0, y.place(number))))
        if (deviation > 0)
          pen.line([px, clamp(mean - deviation), px, clamp(mean + deviation)], { colour: own })
        pen.circle(px, yIn(frame, y.place(mean)), 2.5, { colour: own })
      }
    }
  }

  const drawMissing = (pen: Pen) => {
    const failed = model.column('status')?.categories?.indexOf('failed')
    const bottom = frame.top + frame.height
    let [without, drawn] = [0, 0]
    for (let run = 0; run < runCount; run += 1) {
      if (mask[run] !== 1 || hasPlace(run)) continue
      without += 1
      const place = x.place(xColumn.numbers[run] as number)
      if (!(place >= 0 && place <= 1) || drawn >= POINTS_MAX) continue
      drawn += 1
      const isFailed = model.column('status')?.numbers[run] === failed
      const at = xIn(frame, place)
      pen.line([at, bottom + 1, at, bottom + 6], {
        colour: isFailed ? palette.failed : palette.soft,
        width: 2,
      })
    }
    if (without > 0)
      drawAbsent(pen, frame, `null ${countText(without)}: no ${names.x} or no ${names.y}`, palette)
  }

  const notes = [
    ...(isDense ? [`density of all ${countText(matchCount)} runs`] : []),
    ...(groups.length > 0 ? ['lines: mean ± standard deviation'] : []),
  ]
  return {
    title: `${names.y} over ${names.x}; ${runsText(matchCount)}`,
    notes,
    draw(pen) {
      if (isDense) drawDensity(pen)
      else drawPoints(pen)
      drawFrame(pen, frame, x, y, palette)
      drawMissing(pen)
      drawGroups(pen)
      if (names.color === undefined || legend.length === 0) return
      const left = frame.left + frame.width + 14
      pen.text(names.color, left, frame.top + 6, { colour: palette.ink, isBold: true, widthMax: 100 })
      for (const [index, { text, colour }] of legend.entries()) {
        const top = frame.top + 24 + 16 * index
        pen.circle(left + 4, top, 4, { colour })
        pen.text(text, left + 14, top, { colour: palette.soft, widthMax: 90 })
      }
    },
    mark(pen, run) {
      if (!hasPlace(run)) return
      const at = placeOf(run)
      pen.circle(at.x, at.y, 6, { colour: palette.ink })
      pen.circle(at.x, at.y, 4, { colour: palette.paper })
      pen.circle(at.x, at.y, 3, { colour: colourOf(run) })
    },
    runAt(point) {
      if (!isIn(frame, point)) return undefined
      let [nearest, distance] = [-1, REACH_PX ** 2]
      for (let run = 0; run < runCount; run += 1) {
        if (mask[run] !== 1 || !hasPlace(run)) continue
        const at = placeOf(run)
        const own = (at.x - point.x) ** 2 + (at.y - point.y) ** 2
        if (own < distance) [nearest, distance] = [run, own]
      }
      return nearest < 0 ? undefined : nearest
    },
    brushOf(from, to) {
      if (!isIn(frame, from)) return undefined
      const [one, other] = [placesAt(frame, from), placesAt(frame, to)]
      if (Math.abs(from.x - to.x) < 3 && Math.abs(from.y - to.y) < 3)
        return { [names.x]: undefined, [names.y]: undefined }
      return {
        [names.x]: brushBetween(x, x.number(one.x), x.number(other.x)),
        [names.y]: brushBetween(y, y.number(one.y), y.number(other.y)),
      }
    },
  }
}

interface Group {
  readonly colour: string | undefined
  readonly points: readonly { readonly x: number; readonly mean: number; readonly deviation: number }[]
}

/** Means of the runs with the same x and the same colour. None if x has too many values, or no repeats. */
function groupsOf(mask: Uint8Array, x: PageColumn, y: PageColumn, color: PageColumn | undefined): Group[] {
  if (y.isCategory || !x.info.isExplored) return []
  const xs = x.distinct(GROUPS_MAX)
  const colors = color === undefined ? [Number.NaN] : color.distinct(DISTINCT_COLOURS_MAX)
  if (xs === undefined || colors === undefined) return []
  const indexOfX = new Map(xs.map((number, index) => [number, index]))
  const indexOfColor = new Map(colors.map((number, index) => [number, index]))
  const size = xs.length * colors.length
  const [counts, sums, means, squares] = [0, 1, 2, 3].map(() => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const groupOf = (run: number) => {
    const [atX, atColor] = [
      indexOfX.get(x.numbers[run] as number),
      color === undefined ? 0 : indexOfColor.get(color.numbers[run] as number),
    ]
    const isNumber = Number.isFinite(y.numbers[run] as number)
    if (mask[run] !== 1 || atX === undefined || atColor === undefined || !isNumber) return -1
    return atColor * xs.length + atX
  }
  const each = (add: (group: number, number: number) => void) => {
    for (let run = 0; run < x.runCount; run += 1) {
      const group = groupOf(run)
      if (group >= 0) add(group, y.numbers[run] as number)
    }
  }
  each((group, number) => {
    counts[group] = (counts[group] as number) + 1
    sums[group] = (sums[group] as number) + number
  })
  if (counts.every((count) => count <= 1)) return []
  for (let group = 0; group < size; group += 1)
    means[group] = (sums[group] as number) / (counts[group] as number)
  each((group, number) => {
    squares[group] = (squares[group] as number) + (number - (means[group] as number)) ** 2
  })
  const scale = color === undefined ? undefined : colourScale(color)
  return colors.map((number, atColor) => ({
    colour: scale === undefined ? undefined : rgbText(scale(number)),
    points: xs.flatMap((atX, index) => {
      const group = atColor * xs.length + index
      const count = counts[group] as number
      if (count === 0) return []
      const deviation = count > 1 ? Math.sqrt((squares[group] as number) / (count - 1)) : 0
      return [{ x: atX, mean: means[group] as number, deviation }]
    }),
  }))
}

function legendOf(color: PageColumn): { readonly text: string; readonly colour: string }[] {
  const scale = colourScale(color)
  const few = color.distinct(DISTINCT_COLOURS_MAX)
  const { categories } = color
  if (categories !== undefined) {
    return categories.slice(0, 12).map((text, index) => ({ text, colour: rgbText(scale(index)) }))
  }
  if (few !== undefined)
    return few.map((number) => ({ text: String(number), colour: rgbText(scale(number)) }))
  const axis = axisOf(color, 'linear')
  return [1, 0.75, 0.5, 0.25, 0].map((place) => {
    const number = axis.number(place)
    return { text: String(Number(number.toPrecision(4))), colour: rgbText(scale(number)) }
  })
}
