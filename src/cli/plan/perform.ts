/** The action of `pypet-ts plan <job>`. */
import { prepareExperiment } from '../../environment/prepare-experiment.ts'
import type { PreparedExperiment } from '../../environment/prepared-experiment.ts'
import { PypetError } from '../../errors.ts'
import { explorationReader } from '../../exploration/exploration.ts'
import type { ExploreTexts } from '../../exploration/explore-flags.ts'
import { runPoint } from '../../exploration/run-point.ts'
import { formatCount } from '../../reporting/quantity.ts'
import { coloursOf, type OutputStream } from '../../reporting/text-output.ts'
import { ExitCode } from '../exit-code.ts'
import { exploredCsvText, exploredText } from '../explored-text.ts'
import { type CommandFlags, exploreTexts, optionFlags } from '../options.ts'
import { sayWarnings, sayWhenSlow, settingsText } from '../perform-command.ts'
import { factLines, jsonPoint, planFacts } from '../plan-text.ts'
import { textTable } from '../text-table.ts'

export interface PlanFlags extends CommandFlags, ExploreTexts {
  readonly config?: string
  readonly set?: readonly string[]
  readonly csv?: boolean
  readonly limit?: string
}

/** Default number of rows of the table: it should fit on a screen. */
const TABLE_LIMIT = 20
/** Columns are as wide as their widest cell, so all rows are in memory at once. */
const TABLE_LIMIT_MAX = 10_000

/**
 * Prints the points of the job, and resolves to the exit code. Points are computed as they are printed, no faster than
 * they are read. Ends when the reader of a pipe goes away.
 *
 * @throws PypetError as `prepareExperiment`, `PYPET_USAGE` for an invalid limit, or two formats
 */
export async function planCommand(jobFile: string, flags: PlanFlags, stream: OutputStream): Promise<number> {
  const limit = limitOf(flags)
  using slow = sayWhenSlow(flags)
  await using experiment = await prepareExperiment({
    jobFile,
    configFile: flags.config,
    flags: optionFlags(flags),
    presets: flags.set ?? [],
    ...exploreTexts(flags),
    env: process.env,
    isProcessOurs: true,
  })
  slow.clear()
  if (flags.verbose === true) process.stderr.write(settingsText(experiment))
  sayWarnings(experiment)
  const { runCount } = experiment.plan
  if (flags.csv === true)
    await writeLines(stream, csvLines(experiment, Math.min(limit ?? runCount, runCount)))
  else if (flags.json === true) {
    await writeLines(stream, jsonLines(experiment, Math.min(limit ?? runCount, runCount)))
  } else stream.write(tableText(experiment, Math.min(limit ?? TABLE_LIMIT, runCount), stream))
  return ExitCode.OK
}

function limitOf({ limit, csv, json }: PlanFlags): number | undefined {
  if (csv === true && json === true) {
    throw new PypetError('PYPET_USAGE', '--csv and --json cannot be combined', {
      hint: 'Leave out one of them.',
    })
  }
  if (limit === undefined) return undefined
  if (/^\d+$/.test(limit) && Number(limit) > 0) {
    if (csv === true || json === true || Number(limit) <= TABLE_LIMIT_MAX) return Number(limit)
    throw new PypetError(
      'PYPET_USAGE',
      `--limit: a table has at most ${TABLE_LIMIT_MAX} rows, found ${limit}`,
      {
        where: '--limit',
        hint: `Write --csv --limit ${limit}.`,
      },
    )
  }
  throw new PypetError(
    'PYPET_USAGE',
    `--limit: expected a whole number >= 1, found ${JSON.stringify(limit)}`,
    {
      where: '--limit',
      hint: 'Write --limit 100.',
    },
  )
}

/** Small enough to keep in memory, large enough to be worth a system call. */
const CHUNK_CHARACTERS = 65_536

/** Waits for each chunk to be read, so that only one is in memory. */
async function writeLines(stream: OutputStream, lines: Iterable<string>): Promise<void> {
  let chunk = ''
  for (const line of lines) {
    chunk += line
    if (chunk.length < CHUNK_CHARACTERS) continue
    if (!(await isWritten(stream, chunk))) return
    chunk = ''
  }
  await isWritten(stream, chunk)
}

function isWritten(stream: OutputStream, chunk: string): Promise<boolean> {
  return new Promise((resolve) => {
    stream.write(chunk, (error?: Error | null) => resolve(error === null || error === undefined))
  })
}

function* csvLines({ plan }: PreparedExperiment, count: number): Generator<string> {
  const { exploration, explored } = plan
  const readers =
    exploration === undefined
      ? []
      : explored.map(({ name, dtype, pool }) => {
          const read = explorationReader(exploration, name)
          return dtype === 'object' ? (run: number) => pool[read(run) as number] : read
        })
  yield `${['run', ...explored.map(({ name }) => name)].join(',')}\n`
  for (let run = 0; run < count; run += 1) {
    let line = String(run)
    for (const read of readers) line += `,${csvCell(read(run))}`
    yield `${line}\n`
  }
}

/** As in RFC 4180: text that contains a comma, a quote or a line end is quoted. */
function csvCell(value: unknown): string {
  const text = exploredCsvText(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function* jsonLines(experiment: PreparedExperiment, count: number): Generator<string> {
  yield `${JSON.stringify(planFacts(experiment))}\n`
  for (let run = 0; run < count; run += 1) {
    yield `${JSON.stringify({ event: 'point', run, point: jsonPoint(runPoint(experiment.plan, run)) })}\n`
  }
}

function tableText(experiment: PreparedExperiment, count: number, stream: OutputStream): string {
  const { plan } = experiment
  const { dim } = coloursOf(stream)
  const lines = [...factLines(experiment), '']
  const headings = ['run', ...plan.explored.map(({ name }) => name)]
  const rows = Array.from({ length: count }, (_, run) => [
    String(run),
    ...Object.values(runPoint(plan, run)).map(exploredText),
  ])
  lines.push(textTable(headings, rows, { width: stream.columns, indent: 2, style: dim }))
  const more = plan.runCount - count
  if (more > 0) lines.push(dim(`  ... ${formatCount(more)} more; --limit shows more, --csv all`))
  return `${lines.join('\n')}\n`
}
