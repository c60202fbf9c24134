import Table from 'cli-table3'

/** No column is narrowed below this; a narrower terminal breaks the lines itself. */
const COLUMN_WIDTH_MIN = 6
const COLUMN_GAP = 2

export interface TextTableOptions {
  /** Columns of the terminal; undefined where lines may have any length. */
  readonly width: number | undefined
  readonly indent: number
  /** Styles a heading, like `dim`; the identity where nothing is styled. */
  readonly style: (heading: string) => string
}

/**
 * A table without lines: headings, rows, columns padded to their widest cell. Where it is wider than
 * the terminal, the widest columns lose first. Columns without any text are left out.
 */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { width, indent, style }: TextTableOptions,
): string {
  const used = headings.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== ''))
  const natural = used.map((column) =>
    Math.max(...[headings, ...rows].map((row) => [...(row[column] ?? '')].length)),
  )
  const widths = width === undefined ? natural : narrow(natural, width - indent)
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': COLUMN_GAP, head: [], border: [] },
    colWidths: widths.map((columnWidth) => columnWidth + COLUMN_GAP),
  })
  for (const row of [headings, ...rows]) table.push(used.map((column) => row[column] ?? ''))
  const lines = table.toString().split('\n')
  return lines
    .map((line, index) => {
      const text = line.trimEnd()
      return ' '.repeat(indent) + (index === 0 ? style(text) : text)
    })
    .join('\n')
}

/** Takes characters from the widest column until all fit. */
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

const LINES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
] as const
const NO_LINES = Object.fromEntries(LINES.map((line) => [line, '']))
