import { fitted, textWidth } from '../reporting/text-width.ts'

/** Minimum width of a column; on a narrower terminal, lines wrap. */
const COLUMN_WIDTH_MIN = 6
const COLUMN_GAP = 2

export interface TextTableOptions {
  /** Columns of the terminal; undefined if lines may have any length. */
  readonly width: number | undefined
  readonly indent: number
  /** Styles a heading, like `dim`; the identity for plain text. */
  readonly style: (heading: string) => string
}

/**
 * A table without lines: headings, rows, columns padded to their widest cell. If it is wider than the terminal, the
 * widest columns are cut first. Columns without any text are left out.
 */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { width, indent, style }: TextTableOptions,
): string {
  const used = headings.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== ''))
  const cells = [headings, ...rows].map((row) => used.map((column) => row[column] ?? ''))
  const natural = used.map((_, column) => Math.max(...cells.map((row) => textWidth(row[column] ?? ''))))
  const widths = width === undefined ? natural : narrow(natural, width - indent)
  const gap = ' '.repeat(COLUMN_GAP)
  return cells
    .map((row, index) => {
      const text = row
        .map((cell, column) => fitted(cell, widths[column] ?? 0))
        .join(gap)
        .trimEnd()
      return ' '.repeat(indent) + (index === 0 ? style(text) : text)
    })
    .join('\n')
}

/** Takes width from the widest column until all fit. */
function narrow(widths: readonly number[], available: number): number[] {
  const narrowed = [...widths]
  let excess = narrowed.reduce((sum, columnWidth) => sum + columnWidth + COLUMN_GAP, 0) - available
  while (excess > 0) {
    const widest = narrowed.indexOf(Math.max(...narrowed))
    if ((narrowed[widest] ?? 0) <= COLUMN_WIDTH_MIN) break
    narrowed[widest] = (narrowed[widest] ?? 0) - 1
    excess -= 1
  }
  return narrowed
}
