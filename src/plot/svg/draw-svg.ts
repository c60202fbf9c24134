/** One panel of a figure as SVG, by Observable Plot. */
import {
  areaY,
  axisX,
  axisY,
  dot,
  gridY,
  line,
  type Markish,
  plot,
  rect,
  ruleX,
  type ScaleOptions,
  text,
} from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { cutTo, textWidth } from '../../reporting/text-width.ts'
import type {
  Axis,
  Figure,
  HeatmapFigure,
  HistogramFigure,
  Legend,
  ParallelFigure,
  Series,
  SeriesFigure,
} from '../figure.ts'
import { positionOf, type Scale, type Tick, ticksOf } from '../scale.ts'
import { GREY, rampColor, seriesColor } from './colors.ts'
import { type SvgNode, svgText } from './svg-text.ts'

export interface PanelSize {
  readonly width: number
  readonly height: number
}

/** Points of a line that can be seen. */
const LINE_POINTS_MAX = 2000
/** More points or lines make a file too large to open. */
const POINTS_MAX = 20_000
const LINES_MAX = 1000
/** Lines with few points have dots. */
const DOTTED_POINTS_MAX = 40
const CHARACTER_WIDTH = 6.4
/** On both sides of the bar of a category, of its band. */
const CATEGORY_GAP = 0.1
const NAME_WIDTH_MAX = 20
/** Left of all texts. */
export const PADDING = 16
const MARGIN = { top: 28, right: 20, bottom: 46, left: 48 } as const

/** An SVG element of this size. */
export function drawPanel(figure: Figure, panelIndex: number, size: PanelSize): string {
  switch (figure.kind) {
    case 'line':
    case 'scatter':
      return drawn(seriesMarks(figure, panelIndex), axesOf(figure, size), size)
    case 'heatmap':
      return drawn(heatmapMarks(figure, panelIndex), axesOf(figure, size), size)
    case 'histogram':
      return drawn(histogramMarks(figure, panelIndex), axesOf(figure, size), size)
    case 'parallel':
      return drawn(parallelMarks(figure, size), parallelAxes(figure), size)
  }
}

interface Axes {
  readonly x: ScaleOptions
  readonly y: ScaleOptions
  readonly marginLeft: number
  readonly marginRight?: number
  readonly marks: readonly Markish[]
}

function drawn(content: readonly Markish[], { marks, ...axes }: Axes, { width, height }: PanelSize): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const made = plot({
    document,
    width,
    height,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    ...axes,
    color: { type: 'identity' },
    style: { fontSize: '11px' },
    marks: [...marks, ...content],
  })
  return svgText(made as unknown as SvgNode)
}

function axesOf({ x, y }: { readonly x: Axis; readonly y: Axis }, { width, height }: PanelSize): Axes {
  const yTicks = ticksFor(y.scale, Math.max(2, Math.floor(height / (y.scale.kind === 'category' ? 16 : 60))))
  const widest = Math.max(...yTicks.map((tick) => textWidth(tick.text)), 0)
  const marginLeft = Math.max(MARGIN.left, Math.ceil(widest * CHARACTER_WIDTH) + 18)
  const room = width - marginLeft - MARGIN.right
  const names = x.scale.kind === 'category' ? x.scale.names.map(shortName) : []
  const nameWidth = (Math.max(1, ...names.map(textWidth)) + 2) * CHARACTER_WIDTH
  const xTicks = ticksFor(x.scale, Math.max(2, Math.floor(room / (names.length > 0 ? nameWidth : 75))))
  const grid = y.scale.kind === 'category' ? [] : [gridY(yTicks, { y: 'value' })]
  // Ticks of our own: those of a logarithmic scale would lose some of their texts.
  const options = { text: 'text', labelArrow: 'none' } as const
  return {
    marginLeft,
    x: scaleOptions(x),
    y: scaleOptions(y),
    marks: [
      ...grid,
      axisX(xTicks, { ...options, x: 'value', label: x.label, labelAnchor: 'center', labelOffset: 38 }),
      // The label begins where the title does.
      axisY(yTicks, { ...options, y: 'value', label: y.label, labelOffset: marginLeft - PADDING }),
    ],
  }
}

function ticksFor(scale: Scale, count: number): readonly Tick[] {
  return ticksOf(scale, count).map((tick) => ({ ...tick, text: shortName(tick.text) }))
}

function shortName(name: string): string {
  return cutTo(name, NAME_WIDTH_MAX)
}

/** Categories are numbers here, too. Axes are marks. */
function scaleOptions({ scale }: Axis): ScaleOptions {
  return {
    type: scale.kind === 'log' ? 'log' : 'linear',
    domain: scale.kind === 'category' ? [-0.5, scale.names.length - 0.5] : [...scale.domain],
    axis: null,
  }
}

interface Point {
  readonly x: number
  readonly y: number
  readonly low: number
  readonly high: number
  readonly color: string
}

function seriesMarks({ kind, legend, panels }: SeriesFigure, panelIndex: number): Markish[] {
  const series = panels[panelIndex]?.series ?? []
  const total = series.reduce((sum, { x }) => sum + x.length, 0)
  const every = kind === 'scatter' ? Math.ceil(total / POINTS_MAX) : 1
  const drawnPoints = series.map((each) => ({ each, points: pointsOf(each, legend, every) }))
  const spreads = drawnPoints.flatMap(({ each, points }) => spreadMarks(each, points, legend))
  const others = drawnPoints.flatMap(({ each, points }) => pointMarks(each, points, legend))
  return [...spreads, ...others]
}

function pointsOf(series: Series, legend: Legend, every: number): readonly Point[] {
  const { x, y, spread, colors, isJoined } = series
  const own = seriesColor(legend, series.index)
  const kept = isJoined ? visible(y) : Array.from(y.keys()).filter((at) => at % every === 0)
  return kept.map((at) => ({
    x: x[at] as number,
    y: y[at] as number,
    low: spread?.low[at] ?? Number.NaN,
    high: spread?.high[at] ?? Number.NaN,
    color: legend.kind === 'ramp' ? rampColor(positionOf(legend.scale, colors?.[at] ?? Number.NaN)) : own,
  }))
}

/** Of a long line the lowest and the highest point of each stretch. */
function visible(y: Float64Array): readonly number[] {
  const all = Array.from(y.keys())
  if (y.length <= LINE_POINTS_MAX) return all
  const stretch = Math.ceil((2 * y.length) / LINE_POINTS_MAX)
  const kept = new Set<number>()
  for (let start = 0; start < y.length; start += stretch) {
    const part = all.slice(start, start + stretch)
    const order = part.toSorted((a, b) => (y[a] as number) - (y[b] as number))
    for (const at of [order[0], order.at(-1)]) kept.add(at as number)
  }
  return [...kept].sort((a, b) => a - b)
}

function spreadMarks(
  { spread, isJoined, index }: Series,
  points: readonly Point[],
  legend: Legend,
): Markish[] {
  if (spread === undefined) return []
  const color = seriesColor(legend, index)
  if (isJoined && points.length > 1)
    return [areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.18 })]
  const bars = points.filter(({ low, high }) => Number.isFinite(low) && Number.isFinite(high))
  return [ruleX(bars, { x: 'x', y1: 'low', y2: 'high', stroke: color, strokeWidth: 1.5 })]
}

function pointMarks({ isJoined, index }: Series, points: readonly Point[], legend: Legend): Markish[] {
  const finite = points.filter(({ y }) => Number.isFinite(y))
  const isFew = points.length <= DOTTED_POINTS_MAX
  const dots = dot(finite, { x: 'x', y: 'y', fill: 'color', r: isJoined || !isFew ? 2.2 : 3.5 })
  if (!isJoined) return [dots]
  const stroke = seriesColor(legend, index)
  const joined = line(points, { x: 'x', y: 'y', stroke, strokeWidth: 1.6 })
  return isFew ? [joined, dots] : [joined]
}

function heatmapMarks({ x, color, panels }: HeatmapFigure, panelIndex: number): Markish[] {
  const columns = x.scale.names.length
  const cells = Array.from(panels[panelIndex]?.cells ?? [], (value, cell) => ({
    left: (cell % columns) - 0.5,
    right: (cell % columns) + 0.5,
    bottom: Math.floor(cell / columns) - 0.5,
    top: Math.floor(cell / columns) + 0.5,
    value,
    fill: rampColor(positionOf(color.scale, value)),
  }))
  return [
    rect(
      cells.filter(({ value }) => !Number.isNaN(value)),
      { x1: 'left', x2: 'right', y1: 'bottom', y2: 'top', fill: 'fill', stroke: 'fill', strokeWidth: 0.5 },
    ),
  ]
}

function histogramMarks({ x, panels }: HistogramFigure, panelIndex: number): Markish[] {
  const { edges, counts } = panels[panelIndex] ?? { edges: new Float64Array(0), counts: new Float64Array(0) }
  const gap = x.scale.kind === 'category' ? CATEGORY_GAP : 0
  const bars = Array.from(counts, (count, bin) => ({
    left: (edges[bin] as number) + gap,
    right: (edges[bin + 1] as number) - gap,
    zero: 0,
    count,
  }))
  const fill = seriesColor({ kind: 'none' }, 0)
  return [
    rect(bars, { x1: 'left', x2: 'right', y1: 'zero', y2: 'count', fill, insetLeft: 0.5, insetRight: 0.5 }),
  ]
}

function parallelAxes({ axes }: ParallelFigure): Axes {
  const side = (axis: Axis | undefined) =>
    Math.min(130, Math.max(40, (textWidth(axis?.label ?? '') * CHARACTER_WIDTH) / 2 + 8))
  return {
    x: { type: 'linear', domain: [0, axes.length - 1], axis: null },
    y: { type: 'linear', domain: [0, 1], axis: null },
    marginLeft: side(axes[0]),
    marginRight: side(axes.at(-1)),
    marks: [],
  }
}

function parallelMarks(figure: ParallelFigure, { width }: PanelSize): Markish[] {
  const { axes, values, lineCount, legend, colors } = figure
  const every = Math.ceil(lineCount / LINES_MAX)
  const lines = Array.from({ length: lineCount }, (_, index) => index).filter((index) => index % every === 0)
  const points = lines.flatMap((index) => {
    const value = colors[index] as number
    const color =
      legend.kind === 'ramp' ? rampColor(positionOf(legend.scale, value)) : seriesColor(legend, value)
    return axes.map((axis, at) => ({
      line: index,
      x: at,
      y: positionOf(axis.scale, values[at]?.[index] as number),
      color,
    }))
  })
  const labels = axes.flatMap(({ scale }, x) => {
    if (scale.kind === 'category') {
      const every = Math.ceil(scale.names.length / 20)
      return scale.names.flatMap((name, index) =>
        index % every === 0 ? [{ x, y: positionOf(scale, index), text: shortName(name) }] : [],
      )
    }
    return ticksOf(scale, 5).map(({ position, text }) => ({ x, y: position, text }))
  })
  const nameWidth = Math.max(6, Math.floor(width / axes.length / CHARACTER_WIDTH) - 1)
  const names = axes.map(({ label }, x) => ({
    x,
    text: cutTo(label, nameWidth),
  }))
  const halo = { fill: '#000000', stroke: '#ffffff', strokeWidth: 3 } as const
  return [
    line(points, {
      x: 'x',
      y: 'y',
      z: 'line',
      stroke: 'color',
      strokeWidth: 1.2,
      strokeOpacity: Math.max(0.15, Math.min(0.8, 30 / lines.length)),
    }),
    ruleX(axes, { x: (_, index: number) => index, y1: 0, y2: 1, stroke: GREY }),
    text(labels, { x: 'x', y: 'y', text: 'text', dx: 5, textAnchor: 'start', ...halo }),
    text(names, { x: 'x', frameAnchor: 'top', text: 'text', dy: -18, fill: '#000000' }),
  ]
}

/** How many points or lines of how many a figure shows, if not all. */
export function thinnedText(figure: Figure): string | undefined {
  const [all, most, noun] =
    figure.kind === 'parallel'
      ? [figure.lineCount, LINES_MAX, 'line']
      : figure.kind === 'scatter'
        ? [largestPanel(figure), POINTS_MAX, 'point']
        : [0, 1, '']
  return all > most ? `1 of ${Math.ceil(all / most)} ${noun}s drawn` : undefined
}

function largestPanel({ panels }: SeriesFigure): number {
  return Math.max(0, ...panels.map(({ series }) => series.reduce((sum, { x }) => sum + x.length, 0)))
}
