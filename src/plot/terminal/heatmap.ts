import type { HeatmapFigure, HeatmapPanel } from '../figure.ts'
import { positionOf } from '../scale.ts'
import { newCanvas } from './canvas.ts'
import { framed, gutterOf } from './frame.ts'
import { rampInk, shadeOf } from './ink.ts'
import type { Look } from './legend.ts'

const CELL_COLUMNS_MAX = 8
const CELL_ROWS_MAX = 3

/** A block per cell, with the axes. If there are more cells than characters, each shows a mean. */
export function heatmapLines(
  figure: HeatmapFigure,
  panel: HeatmapPanel,
  rowsMax: number,
  look: Look,
): string[] {
  const [columnCount, rowCount] = [figure.x.scale.names.length, figure.y.scale.names.length]
  const cellRows = Math.max(1, Math.min(CELL_ROWS_MAX, Math.floor(rowsMax / rowCount)))
  const rows = Math.min(rowsMax, rowCount * cellRows)
  const gutter = gutterOf(figure.y, rows)
  const room = Math.max(10, look.width - gutter.width)
  const cellColumns = Math.max(1, Math.min(CELL_COLUMNS_MAX, Math.floor(room / columnCount)))
  const columns = Math.min(room, columnCount * cellColumns)
  const canvas = newCanvas(columns, rows)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const value = meanWithin(panel.cells, {
        columnCount,
        columns: share(column, columns, columnCount),
        // The first y is at the bottom.
        rows: share(rows - 1 - row, rows, rowCount),
      })
      const position = positionOf(figure.color.scale, value)
      if (Number.isNaN(position)) continue
      canvas.text(column, row, look.isColoured ? '█' : shadeOf(position), rampInk(position))
    }
  }
  return framed(canvas, { ...figure, gutter, ...look })
}

type Span = readonly [start: number, end: number]

/** The cells behind one of `parts` characters; at least one. */
function share(index: number, parts: number, cellCount: number): Span {
  const start = Math.floor((index * cellCount) / parts)
  return [start, Math.max(start + 1, Math.floor(((index + 1) * cellCount) / parts))]
}

function meanWithin(
  cells: Float64Array,
  {
    columnCount,
    columns,
    rows,
  }: { readonly columnCount: number; readonly columns: Span; readonly rows: Span },
): number {
  let [mean, count] = [0, 0]
  for (let row = rows[0]; row < rows[1]; row += 1) {
    for (let column = columns[0]; column < columns[1]; column += 1) {
      const value = cells[row * columnCount + column] as number
      if (Number.isNaN(value)) continue
      count += 1
      mean += value / count - mean / count
    }
  }
  return count === 0 ? Number.NaN : mean
}
