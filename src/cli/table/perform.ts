/** Prints a table of runs, for people or for programs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PypetError } from '../../errors.ts'
import { csvText, jsonLines, jsonList } from '../../export/text-rows.ts'
import { knowsQuickening, quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import { formatCount, plural } from '../../reporting/quantity.ts'
import { coloursOf } from '../../reporting/text-output.ts'
import { defaultColumns } from '../../results/default-columns.ts'
import { type TrajectoryFacts, useTable } from '../../results/open-table.ts'
import { queryRuns, type ResultTable } from '../../results/query.ts'
import { printable } from '../../values/printable.ts'
import { FLAG_NAMES, type QueryFlags, queryOf } from '../query-flags.ts'
import { tableText } from './table-text.ts'

export interface TableFlags extends QueryFlags {
  readonly csv?: boolean | undefined
  readonly jsonl?: boolean | undefined
  readonly json?: boolean | undefined
}

/** `process.stdout`, or another stream. */
export type TableStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

const FORMATS = ['csv', 'jsonl', 'json'] as const

/**
 * The action of `pypet-ts table <file>`. Resolves when everything is written. An empty selection is no error: the head
 * is printed, and stderr says that no run matches.
 *
 * @throws PypetError `PYPET_COLUMN_UNKNOWN`, `PYPET_EXPRESSION_INVALID`, `PYPET_USAGE`, and as `useTable`
 */
export async function table(file: string, flags: TableFlags, stream: TableStream): Promise<void> {
  const formats = FORMATS.filter((format) => flags[format] === true)
  if (formats.length > 1) {
    throw new PypetError('PYPET_USAGE', `--${formats[0]} and --${formats[1]} exclude each other`, {
      hint: 'Leave out one of them.',
    })
  }
  const [format] = formats
  const query = queryOf(flags)
  if (knowsQuickening()) quickenH5wasm(TIERING.glance)
  await useTable(
    file,
    // Someone may read a page for long.
    { trajectory: flags.trajectory, isWhole: format === undefined && stream.isTTY === true },
    (data) =>
      queryRuns(data, query, (all) => defaultColumns(all, { withFacts: format !== undefined }), FLAG_NAMES),
    async (result, facts) => {
      if (format === undefined) await printTable(result, facts, flags, stream)
      else await write(stream, formatted(format, result, facts))
      if (result.length === 0) process.stderr.write(`${noRows(facts, flags)}\n`)
    },
  )
}

/** Why there are no rows. */
function noRows({ runCount, trajectory }: TrajectoryFacts, { where }: TableFlags): string {
  if (runCount === 0) return `${printable(trajectory)} has no runs`
  return where === undefined
    ? 'no rows'
    : `none of the ${plural(runCount, 'run')} matches --where ${printable(where)}`
}

function* formatted(
  format: (typeof FORMATS)[number],
  result: ResultTable,
  { file, trajectory, runCount, counts }: TrajectoryFacts,
): Generator<string | Uint8Array> {
  if (format === 'csv') yield* csvText(result)
  else if (format === 'jsonl') yield* jsonLines(result)
  else {
    const columns = result.columns.map(({ name, unit, comment, column, type }) => {
      const { dtype, shape } = type()
      return { name, kind: column?.kind ?? 'expression', dtype, shape: shape ?? null, unit, comment }
    })
    const head = { file, trajectory, run_count: runCount, ...counts, row_count: result.length, columns }
    yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": `
    yield* jsonList(result, '    ')
    yield '\n}\n'
  }
}

async function printTable(
  result: ResultTable,
  facts: TrajectoryFacts,
  flags: TableFlags,
  stream: TableStream,
): Promise<void> {
  const isTerminal = stream.isTTY === true
  const colours = coloursOf(stream)
  const isLong = isTerminal && result.length + HEAD_LINES > (stream.rows ?? Number.POSITIVE_INFINITY)
  const pager = isLong ? openPager() : undefined
  const options = {
    // A pager scrolls to the right.
    width: isTerminal && pager === undefined ? stream.columns : undefined,
    isExact: !isTerminal,
    dim: colours.dim,
    red: colours.red,
  }
  const text = () => tableText(result, options)
  const footer = isTerminal ? [`\n${colours.dim(footerText(result, facts, flags))}\n`] : []
  if (pager === undefined) await write(stream, both(text(), footer))
  else await pager.page(() => both(text(), footer), stream)
}

/** Names, units, types, and the line below the table. */
const HEAD_LINES = 5

function* both(first: Iterable<string>, second: Iterable<string>): Generator<string> {
  yield* first
  yield* second
}

function footerText(
  { length, runs }: ResultTable,
  { runCount, counts }: TrajectoryFacts,
  { limit }: TableFlags,
): string {
  const rows =
    runs === undefined
      ? plural(length, 'group')
      : `${formatCount(length)} of ${plural(runCount, 'run')}${limit !== undefined && length === Number(limit) ? ' (--limit)' : ''}`
  const states = [
    counts.failed > 0 ? `${formatCount(counts.failed)} failed` : '',
    counts.missing > 0 ? `${formatCount(counts.missing)} missing` : '',
  ]
  return [rows, ...states].filter(Boolean).join(' · ')
}

/** Undefined where there is none. */
function openPager():
  | { readonly page: (text: () => Iterable<string>, stream: TableStream) => Promise<void> }
  | undefined {
  const command = process.env.PAGER ?? 'less'
  if (command === '' || command === 'cat' || process.env.TERM === 'dumb') return undefined
  return {
    async page(text, stream) {
      // `F` quits if it fits, `R` keeps colours, `S` scrolls long lines to the right, `X` leaves the text on the screen.
      const env = { LESS: 'FRSX', ...process.env }
      const child = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'], env })
      const ended = new Promise<boolean>((resolve) => {
        child.on('error', () => resolve(false))
        child.on('exit', (code) => resolve(code !== COMMAND_NOT_FOUND))
      })
      // Ctrl-C belongs to the pager.
      const ignore = () => undefined
      process.on('SIGINT', ignore)
      try {
        // It may end before it has read everything.
        child.stdin.on('error', () => undefined)
        await write(child.stdin, text())
        child.stdin.end()
        if (!(await ended)) await write(stream, text())
      } finally {
        process.off('SIGINT', ignore)
      }
    },
  }
}

/** Of a shell. */
const COMMAND_NOT_FOUND = 127

/** Waits when the reader is slower. Ends quietly if it has gone: `pypet-ts table file.h5 | head` has read enough. */
async function write(stream: NodeJS.WritableStream, pieces: Iterable<string | Uint8Array>): Promise<void> {
  let hasFailed = false
  // Whoever called the command reports other failures.
  const onError = () => {
    hasFailed = true
  }
  stream.on('error', onError)
  try {
    for (const piece of pieces) {
      if (hasFailed) return
      if (!stream.write(piece) && !hasFailed)
        await Promise.race([once(stream, 'drain'), once(stream, 'close')]).catch(() => undefined)
    }
    if (!hasFailed) await new Promise<void>((resolve) => stream.write('', () => resolve()))
  } finally {
    stream.off('error', onError)
  }
}
