/** How often the values of one column occur: of all runs, and of those that are left. */
import { type Axis, axisOf } from './axis.ts'
import { drawAbsent, drawFrame, frameIn, isIn, placesAt, xIn, yIn } from './frame.ts'
import { countText, runsText } from './number-text.ts'
import { brushBetween, type Plot, type PlotInput } from './plot.ts'
import { rangeOf } from './range.ts'

const BAR_PX = 10
const BARS_MAX = 100

export function histogramPlot({ model, size, palette }: PlotInput, name: string): Plot | undefined {
  const column = model.column(name)
  if (column === undefined) return undefined
  const x = axisOf(column, model.looked.scales.get(name))
  const frame = frameIn(size)
  const barsMax = Math.max(1, Math.min(BARS_MAX, Math.floor(frame.width / BAR_PX)))
  const categoryCount = x.categories?.length ?? Number.POSITIVE_INFINITY
  // Each category has a bar unless a bar is narrower than a pixel.
  const barCount = categoryCount <= frame.width ? categoryCount : barsMax
  const barOf = (run: number) => {
    const place = x.place(column.numbers[run] as number)
    return place >= 0 && place <= 1 ? Math.min(barCount - 1, Math.floor(place * barCount)) : -1
  }
  const { mask, runCount } = model
  const [all, left] = [new Uint32Array(barCount), new Uint32Array(barCount)]
  for (let run = 0; run < runCount; run += 1) {
    const bar = barOf(run)
    if (bar < 0) continue
    all[bar] = (all[bar] as number) + 1
    if (mask[run] === 1) left[bar] = (left[bar] as number) + 1
  }
  const most = Math.max(1, rangeOf(all)[1])
  const y = countAxis(most)
  const { missing, other } = column.absences
  const absent = [
    missing > 0 ? `null ${countText(missing)}` : '',
    other > 0 ? `no number ${countText(other)}` : '',
  ]
  return {
    title: `Histogram of ${name}; ${runsText(model.matchCount)}`,
    notes: [`${barCount} bars`],
    draw(pen) {
      for (const [counts, colour] of [
        [all, palette.faint],
        [left, palette.accent],
      ] as const) {
        for (const [bar, count] of counts.entries()) {
          if (count === 0) continue
          const [from, to] = [xIn(frame, bar / barCount), xIn(frame, (bar + 1) / barCount)]
          const top = yIn(frame, y.place(count))
          pen.rectangle(from + 0.5, top, Math.max(1, to - from - 1), frame.top + frame.height - top, {
            colour,
          })
        }
      }
      drawFrame(pen, frame, x, y, palette)
      drawAbsent(pen, frame, absent.filter(Boolean).join(' · '), palette)
    },
    mark(pen, run) {
      const place = x.place(column.numbers[run] as number)
      if (!(place >= 0 && place <= 1)) return
      const at = xIn(frame, place)
      pen.line([at, frame.top, at, frame.top + frame.height], { colour: palette.ink, width: 2 })
    },
    runAt: () => undefined,
    brushOf(from, to) {
      if (!isIn(frame, from)) return undefined
      if (Math.abs(from.x - to.x) < 3) return { [name]: undefined }
      const [one, two] = [placesAt(frame, from).x, placesAt(frame, to).x]
      return { [name]: brushBetween(x, x.number(one), x.number(two)) }
    },
  }
}

function countAxis(most: number): Axis {
  const to = most * 1.05
  return {
    title: 'runs',
    isLog: false,
    categories: undefined,
    few: undefined,
    from: 0,
    to,
    place: (number) => number / to,
    number: (place) => place * to,
  }
}
