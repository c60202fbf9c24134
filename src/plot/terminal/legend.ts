/** What the colours or marks of a figure mean, below it. */
import { cutTo, textWidth } from '../../reporting/text-width.ts'
import type { Legend } from '../figure.ts'
import { type NumberScale, shortNumber } from '../scale.ts'
import { type Ink, markOf, type Painter, rampInk, seriesInk, shadeOf } from './ink.ts'

export interface Look {
  readonly width: number
  readonly isColoured: boolean
  readonly paint: Painter
}

const ENTRY_WIDTH_MAX = 38
const BAR_WIDTH = 24

/** Ordered series take the colours of the ramp. */
export function inkOfSeries(legend: Legend, index: number): Ink {
  if (legend.kind !== 'series' || !legend.isOrdered)
    return legend.kind === 'none' ? undefined : seriesInk(index)
  return rampInk(legend.names.length < 2 ? 0 : index / (legend.names.length - 1))
}

export function legendLines(legend: Legend, look: Look): string[] {
  switch (legend.kind) {
    case 'none':
      return []
    case 'ramp':
      return [colorBar(legend, look)]
    case 'series':
      return seriesLines(legend, look)
  }
}

function seriesLines(
  legend: Extract<Legend, { kind: 'series' }>,
  { width, isColoured, paint }: Look,
): string[] {
  const widest = Math.min(ENTRY_WIDTH_MAX, width - 2)
  const lines: string[] = []
  let line = legend.label === '' ? '' : cutTo(legend.label, widest)
  let lineWidth = textWidth(line)
  for (const [index, name] of legend.names.entries()) {
    const shown = cutTo(name, widest)
    const mark = isColoured ? '●' : markOf(index)
    const entryWidth = textWidth(shown) + 2
    const gap = lineWidth === 0 ? 0 : 2
    if (lineWidth > 0 && lineWidth + gap + entryWidth > width) {
      lines.push(line)
      line = ''
      lineWidth = 0
    }
    const space = lineWidth === 0 ? 0 : 2
    line += `${' '.repeat(space)}${paint(mark, inkOfSeries(legend, index))} ${shown}`
    lineWidth += space + entryWidth
  }
  return [...lines, line]
}

/** `z (mV)  0.1 ░░▒▒▓▓██ 3.5`. */
export function colorBar(
  { label, scale }: { readonly label: string; readonly scale: NumberScale },
  { width, isColoured, paint }: Look,
): string {
  const [low, high] = scale.domain.map(shortNumber) as [string, string]
  const room = width - low.length - high.length - 4
  const barWidth = Math.max(4, Math.min(BAR_WIDTH, Math.floor(room / 2)))
  const bar = Array.from({ length: barWidth }, (_, index) => {
    const share = index / (barWidth - 1)
    return isColoured ? paint('█', rampInk(share)) : shadeOf(share)
  }).join('')
  const name = cutTo(label, Math.max(1, room - barWidth))
  return `${name}  ${low} ${bar} ${high}`
}
