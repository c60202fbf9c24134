/** Draws a figure with characters: braille for lines and points, blocks for bars and cells. */
import { cutTo, wrapped } from '../../reporting/text-width.ts'
import type { Figure } from '../figure.ts'
import { heatmapLines } from './heatmap.ts'
import { histogramLines } from './histogram.ts'
import { DIM, painterOf } from './ink.ts'
import { colorBar, type Look, legendLines } from './legend.ts'
import { parallelLines } from './parallel.ts'
import { seriesLines } from './series.ts'

export interface TerminalOptions {
  /** Columns. No line is wider. */
  readonly width: number
  readonly isColoured: boolean
}

const WIDTH_DEFAULT = 80
const WIDTH_MIN = 40
const WIDTH_MAX = 120

/** The width to draw in. Undefined for a pipe. */
export function widthOf(columns: number | undefined): number {
  return columns === undefined ? WIDTH_DEFAULT : Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, columns))
}

/** Rows between the axes. With several panels, each gets fewer. */
const ROWS = 16
const ROWS_OF_PANEL = 9

/** Ends with a newline. */
export function drawTerminal(figure: Figure, { width, isColoured }: TerminalOptions): string {
  const look: Look = { width, isColoured, paint: painterOf(isColoured) }
  const line = (text: string) => cutTo(text, width)
  const head = [line(figure.title), ...wrapped(figure.subtitle, width).map((each) => look.paint(each, DIM))]
  const lines = [...head, '', ...bodyLines(figure, look)]
  return `${lines.map((each) => each.trimEnd()).join('\n')}\n`
}

function bodyLines(figure: Figure, look: Look): string[] {
  switch (figure.kind) {
    case 'line':
    case 'scatter':
      return [
        ...panelLines(figure.panels, look, (panel, rows) => seriesLines(figure, panel, rows, look)),
        ...legendLines(figure.legend, look),
      ]
    case 'heatmap':
      return [
        ...panelLines(figure.panels, look, (panel, rows) => heatmapLines(figure, panel, rows, look)),
        colorBar(figure.color, look),
      ]
    case 'histogram':
      return panelLines(figure.panels, look, (panel, rows) => histogramLines(figure, panel, rows, look))
    case 'parallel':
      return [...parallelLines(figure, ROWS, look), ...legendLines(figure.legend, look)]
  }
}

function panelLines<Each extends { readonly name: string }>(
  panels: readonly Each[],
  { width }: Look,
  linesOf: (panel: Each, rows: number) => string[],
): string[] {
  const rows = panels.length > 1 ? ROWS_OF_PANEL : ROWS
  return panels.flatMap((panel, index) => [
    ...(index > 0 ? [''] : []),
    ...(panel.name === '' ? [] : [cutTo(panel.name, width)]),
    ...linesOf(panel, rows),
  ])
}
