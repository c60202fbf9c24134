/** The lines in which two texts differ, as a unified diff. */

/** Unchanged lines around a change. */
const CONTEXT = 3
/** Size of the table of two texts' lines. Larger changed parts count as replaced whole. */
const CELLS_MAX = 4_000_000

interface DiffLine {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
}

/** Hunks in the format of `diff -u`, without the head that names the files. Empty if the texts are equal. */
export function lineDiff(before: string, after: string): string[] {
  const lines = diffLines(splitLines(before), splitLines(after))
  const changes = lines.flatMap(({ mark }, at) => (mark === ' ' ? [] : [at]))
  const hunks: { start: number; end: number }[] = []
  for (const at of changes) {
    const last = hunks.at(-1)
    const [start, end] = [Math.max(0, at - CONTEXT), Math.min(lines.length, at + CONTEXT + 1)]
    if (last !== undefined && start <= last.end) last.end = end
    else hunks.push({ start, end })
  }
  return hunks.flatMap(({ start, end }) => [
    headOf(lines, start, end),
    ...lines.slice(start, end).map(({ mark, text }) => mark + text),
  ])
}

function splitLines(text: string): string[] {
  if (text === '') return []
  return text.replace(/\r?\n$/, '').split(/\r?\n/)
}

/** `@@ -3,7 +3,8 @@` */
function headOf(lines: readonly DiffLine[], start: number, end: number): string {
  const count = (from: number, to: number, without: '-' | '+') =>
    lines.slice(from, to).filter(({ mark }) => mark !== without).length
  const side = (without: '-' | '+') => {
    const length = count(start, end, without)
    return `${count(0, start, without) + (length === 0 ? 0 : 1)},${length}`
  }
  return `@@ -${side('+')} +${side('-')} @@`
}

/** By the longest common subsequence of what lies between the common start and the common end. */
function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0
  const shorter = Math.min(before.length, after.length)
  while (start < shorter && before[start] === after[start]) start += 1
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1
  const marked = (mark: DiffLine['mark'], texts: readonly string[]) => texts.map((text) => ({ mark, text }))
  return [
    ...marked(' ', before.slice(0, start)),
    ...changedLines(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...marked(' ', before.slice(before.length - end)),
  ]
}

function changedLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const [rows, columns] = [before.length, after.length]
  const lines: DiffLine[] = []
  const width = columns + 1
  const isSmall = (rows + 1) * width <= CELLS_MAX
  // The length of the longest common subsequence of what follows each pair of lines.
  const lengths = new Uint32Array(isSmall ? (rows + 1) * width : 0)
  for (let row = rows - 1; row >= 0 && isSmall; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      const [below, right] = [lengths[(row + 1) * width + column], lengths[row * width + column + 1]]
      lengths[row * width + column] =
        before[row] === after[column]
          ? (lengths[(row + 1) * width + column + 1] as number) + 1
          : Math.max(below as number, right as number)
    }
  }
  let [row, column] = [0, 0]
  while (row < rows || column < columns) {
    if (isSmall && row < rows && column < columns && before[row] === after[column]) {
      lines.push({ mark: ' ', text: before[row] as string })
      row += 1
      column += 1
    } else if (
      row < rows &&
      (column === columns ||
        !isSmall ||
        (lengths[(row + 1) * width + column] as number) >= (lengths[row * width + column + 1] as number))
    ) {
      lines.push({ mark: '-', text: before[row] as string })
      row += 1
    } else {
      lines.push({ mark: '+', text: after[column] as string })
      column += 1
    }
  }
  return lines
}
