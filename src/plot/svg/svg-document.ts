/** A figure as an SVG document or an HTML page: title, panels and legend. */
import { cutTo, textWidth, wrapped } from '../../reporting/text-width.ts'
import type { Figure, Legend } from '../figure.ts'
import { type NumberScale, shortNumber } from '../scale.ts'
import { rampColor, seriesColor } from './colors.ts'
import { drawPanel, PADDING, thinnedText } from './draw-svg.ts'
import { element, escaped } from './svg-text.ts'

const WIDTH = 760
const PANEL_HEIGHT = 400
const SMALL_PANEL_HEIGHT = 240
const PANEL_COLUMNS = 2
const LINE_HEIGHT = 18
const HEADING_HEIGHT = 24
const CHARACTER_WIDTH = 7
const TITLE_WIDTH_MAX = 90
const NAME_WIDTH_MAX = 36
const RAMP_WIDTH = 200
const RAMP_STEPS = 50

/** A part of the page, and how high it is. */
interface Part {
  readonly svg: string
  readonly height: number
}

/** A whole file. It needs nothing else, and has no scripts. */
export function drawSvg(figure: Figure): string {
  const parts = [headOf(figure), panelsOf(figure), legendOf(legendIn(figure))]
  let top = 0
  const placed = parts.map(({ svg, height }) => {
    const moved = element('g', { transform: `translate(0,${top})` }, svg)
    top += height
    return svg === '' ? '' : moved
  })
  const height = top + PADDING
  const content = [
    `<title>${escaped(`${figure.title} · ${figure.subtitle}`)}</title>`,
    element('rect', { width: WIDTH, height, fill: '#ffffff' }),
    ...placed,
  ].join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" color="#000000" fill="#000000">${content}</svg>\n`
}

export function drawHtml(figure: Figure): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escaped(figure.title)}</title>
<style>body { margin: 1rem; background: #fff } svg { display: block; max-width: 100%; height: auto; margin: auto }</style>
</head>
<body>
${drawSvg(figure)}</body>
</html>
`
}

function headOf(figure: Figure): Part {
  const title = textAt(PADDING, 28, cutTo(figure.title, TITLE_WIDTH_MAX), {
    'font-size': 16,
    'font-weight': 600,
  })
  const thinned = thinnedText(figure)
  const facts = [figure.subtitle, ...(thinned === undefined ? [] : [thinned])].join(' · ')
  const lines = wrapped(facts, Math.floor((WIDTH - 2 * PADDING) / CHARACTER_WIDTH))
  const texts = lines.map((line, index) => textAt(PADDING, 48 + index * 16, line, { fill: '#555555' }))
  return { svg: [title, ...texts].join(''), height: 48 + lines.length * 16 }
}

function textAt(
  x: number,
  y: number,
  text: string,
  attributes: Readonly<Record<string, string | number>> = {},
): string {
  return element('text', { x, y, ...attributes }, escaped(text))
}

function panelsOf(figure: Figure): Part {
  if (figure.kind === 'parallel' || figure.panels.length === 1) {
    return { svg: drawPanel(figure, 0, { width: WIDTH, height: PANEL_HEIGHT }), height: PANEL_HEIGHT }
  }
  const width = Math.floor(WIDTH / PANEL_COLUMNS)
  const outer = SMALL_PANEL_HEIGHT + HEADING_HEIGHT
  const panels = figure.panels.map(({ name }, index) => {
    const [column, row] = [index % PANEL_COLUMNS, Math.floor(index / PANEL_COLUMNS)]
    const heading = textAt(PADDING, 14, cutTo(name, Math.floor(width / CHARACTER_WIDTH) - 4), {
      'font-weight': 600,
    })
    const panel = drawPanel(figure, index, { width, height: SMALL_PANEL_HEIGHT })
    const content = heading + element('g', { transform: `translate(0,${HEADING_HEIGHT})` }, panel)
    return element('g', { transform: `translate(${column * width},${row * outer})` }, content)
  })
  return { svg: panels.join(''), height: Math.ceil(figure.panels.length / PANEL_COLUMNS) * outer }
}

function legendIn(figure: Figure): Legend {
  if (figure.kind === 'histogram') return { kind: 'none' }
  if (figure.kind !== 'heatmap') return figure.legend
  return { kind: 'ramp', label: figure.color.label, scale: figure.color.scale }
}

function legendOf(legend: Legend): Part {
  switch (legend.kind) {
    case 'none':
      return { svg: '', height: 0 }
    case 'ramp':
      return rampLegend(legend)
    case 'series':
      return seriesLegend(legend)
  }
}

function rampLegend({ label, scale }: { readonly label: string; readonly scale: NumberScale }): Part {
  const name = cutTo(label, NAME_WIDTH_MAX)
  const [low, high] = scale.domain.map(shortNumber) as [string, string]
  const start = PADDING + (textWidth(name) + 2 + low.length) * CHARACTER_WIDTH + 10
  const step = RAMP_WIDTH / RAMP_STEPS
  const steps = Array.from({ length: RAMP_STEPS }, (_, index) =>
    element('rect', {
      x: start + index * step,
      y: 4,
      // Without gaps between them.
      width: index + 1 < RAMP_STEPS ? step + 0.5 : step,
      height: 12,
      fill: rampColor(index / (RAMP_STEPS - 1)),
    }),
  )
  const svg = [
    textAt(PADDING, 14, name),
    textAt(start - 6, 14, low, { 'text-anchor': 'end' }),
    ...steps,
    textAt(start + RAMP_WIDTH + 6, 14, high),
  ].join('')
  return { svg, height: LINE_HEIGHT }
}

function seriesLegend(legend: Extract<Legend, { kind: 'series' }>): Part {
  const parts: string[] = []
  const label = cutTo(legend.label, NAME_WIDTH_MAX)
  let [x, row] = [PADDING, 0]
  if (label !== '') {
    parts.push(textAt(x, 14, label))
    x += textWidth(label) * CHARACTER_WIDTH + 16
  }
  for (const [index, name] of legend.names.entries()) {
    const shown = cutTo(name, NAME_WIDTH_MAX)
    const width = textWidth(shown) * CHARACTER_WIDTH + 32
    if (x + width > WIDTH - PADDING && x > PADDING) [x, row] = [PADDING, row + 1]
    const y = 14 + row * LINE_HEIGHT
    parts.push(element('circle', { cx: x + 5, cy: y - 4, r: 5, fill: seriesColor(legend, index) }))
    parts.push(textAt(x + 15, y, shown))
    x += width
  }
  return { svg: parts.join(''), height: (row + 1) * LINE_HEIGHT }
}
