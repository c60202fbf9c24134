import type { HistogramFigure, HistogramPanel } from '../figure.ts'
import { positionOf } from '../scale.ts'
import { newCanvas } from './canvas.ts'
import { framed, gutterOf } from './frame.ts'
import { seriesInk } from './ink.ts'
import type { Look } from './legend.ts'

const EIGHTHS = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇'] as const
/** Wider bars get a gap. */
const GAP_FROM_WIDTH = 4

/** A bar per bin, with the axes. */
export function histogramLines(
  figure: HistogramFigure,
  { edges, counts }: HistogramPanel,
  rows: number,
  look: Look,
): string[] {
  const gutter = gutterOf(figure.y, rows)
  const canvas = newCanvas(Math.max(10, look.width - gutter.width), rows)
  const columns = edges.map((edge) => Math.round(positionOf(figure.x.scale, edge) * canvas.columns))
  for (const [bin, count] of counts.entries()) {
    const [start, next] = [columns[bin] as number, columns[bin + 1] as number]
    const end = next - start >= GAP_FROM_WIDTH ? next - 1 : next
    const height = Math.round(positionOf(figure.y.scale, count) * rows * 8)
    // A bin with a run is never invisible.
    const eighths = count > 0 ? Math.max(1, height) : 0
    for (let row = 0; row < rows; row += 1) {
      const filled = eighths - 8 * row
      const block = filled >= 8 ? '█' : EIGHTHS[Math.max(0, filled)]
      if (block === undefined || block === '') continue
      canvas.text(start, rows - 1 - row, block.repeat(Math.max(1, end - start)), seriesInk(0))
    }
  }
  return framed(canvas, { ...figure, gutter, ...look })
}
