import pc from 'picocolors'
import { formatBytes, formatCount, formatDuration, plural } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import type {
  ExploredOverview,
  FileOverview,
  Listing,
  RunsOverview,
  RunTable,
  SurveyedLeaf,
  TrajectoryOverview,
} from '../../results/trajectory-overview.ts'
import { shellWord } from '../../shell-word.ts'
import { printable } from '../../values/printable.ts'
import { textTable } from '../text-table.ts'
import { cut, previewText, rangeText } from '../value-text.ts'

export interface OverviewTextOptions {
  /** Columns of the terminal; undefined on a pipe, where nothing is cut. */
  readonly width: number | undefined
  readonly isColoured: boolean
}

/** Rows of one section: four sections and their headings fit on a screen. */
const ROWS_MAX = 10
/** Trajectories shown in full; if there are more, each gets a line. */
const TRAJECTORIES_IN_FULL = 3
const COMMENT_LENGTH_MAX = 80
const INDENT = 2

/** The overview of a file as text of bounded length, whatever the file holds. Ends with a newline. */
export function overviewText(overview: FileOverview, options: OverviewTextOptions): string {
  const { trajectories } = overview
  const page = new Page(options)
  const size = page.dim(
    `${formatBytes(overview.fileBytes)}, ${plural(trajectories.length, 'trajectory', 'trajectories')}`,
  )
  const notes = overview.notes.map((note) => `${page.red('note')}  ${printable(note)}`)
  const title = [`${printable(overview.file)}  ${size}`, ...notes].join('\n')
  if (trajectories.length <= TRAJECTORIES_IN_FULL) {
    return `${[title, ...trajectories.map((trajectory) => trajectoryText(trajectory, page))].join('\n\n')}\n`
  }
  const rows = trajectories.map(({ name, time, runs, comment }) => [
    printable(name),
    timeText(time),
    runsText(runs),
    commentText(comment),
  ])
  // The newest are most likely wanted. They are at the end of the list, oldest first.
  const shown = rows.slice(-2 * ROWS_MAX)
  const omitted = rows.length - shown.length
  const lines = [title, '']
  if (omitted > 0) lines.push(page.dim(`${' '.repeat(INDENT)}${formatCount(omitted)} older ones, see --json`))
  lines.push(page.table(['trajectory', 'written', 'runs', 'comment'], shown), '')
  lines.push(page.dim('Show one in full: --trajectory NAME'))
  return `${lines.join('\n')}\n`
}

function trajectoryText(trajectory: TrajectoryOverview, page: Page): string {
  const { name, comment, time, runs, explored, parameters, results, derivedParameters } = trajectory
  const facts = [
    [page.bold(printable(name)), commentText(comment)].filter(Boolean).join('  '),
    `${' '.repeat(INDENT)}written  ${timeText(time)} by ${versionText(trajectory)}`,
    `${' '.repeat(INDENT)}runs     ${runsText(runs, page)}`,
    ...provenanceLines(trajectory),
    ...failureLines(runs, page),
    ...continuationLines(trajectory, page),
  ]
  const sections = [facts.join('\n')]
  const add = (title: string, headings: string[], rows: string[][], count: number, isCountExact = true) => {
    if (count > 0) sections.push(page.section(title, headings, rows, count, isCountExact))
  }
  const ofRange = ['name', 'type', 'range', 'comment']
  add('explored parameters', ofRange, explored.slice(0, ROWS_MAX).map(exploredRow), explored.length)
  const constant = parameters.entries.filter(({ isExplored }) => !isExplored)
  const constantCount = parameters.count - (parameters.entries.length - constant.length)
  const parameterRows = constant
    .slice(0, ROWS_MAX)
    .map(({ name, value, comment }) => [
      printable(name),
      value.type,
      previewText(value),
      commentText(comment),
    ])
  const title = explored.length > 0 ? 'other parameters' : 'parameters'
  add(title, ['name', 'type', 'value', 'comment'], parameterRows, constantCount, parameters.isCountExact)
  for (const [title, listing] of [
    ['derived parameters', derivedParameters],
    ['results', results],
  ] as const) {
    const ofLeaf = ['name', 'in', 'type', 'shape', exampleHeading(listing), 'comment']
    const rows = listing.entries.slice(0, ROWS_MAX).map((entry) => leafRow(entry, trajectory))
    add(title + sampleText(listing, trajectory, page), ofLeaf, rows, listing.count, listing.isCountExact)
  }
  if (runs.table) sections.push(runTableText(runs.table, explored, page))
  return sections.join('\n\n')
}

function provenanceLines({ provenance }: TrajectoryOverview): string[] {
  if (provenance === undefined) return []
  const { commit, state } = provenance
  const text = commit === undefined ? state : `commit ${commit.slice(0, 12)}, ${state}`
  return [`${' '.repeat(INDENT)}source   ${printable(text)}`]
}

function runsText({ total, done, failed, left, unmarked }: RunsOverview, page?: Page): string {
  if (total === 0) return 'none'
  const failedText = `${formatCount(failed)} failed`
  const states = [
    `${formatCount(done)} done`,
    failed > 0 ? (page?.red(failedText) ?? failedText) : failedText,
    `${formatCount(left)} left`,
  ]
  const note =
    unmarked > 0 ? ` (${formatCount(unmarked)} of them have results, but are not marked as completed)` : ''
  return `${formatCount(total)}: ${states.join(', ')}${note}`
}

function failureLines({ failures, failed }: RunsOverview, page: Page): string[] {
  const lines = failures.map(({ run, error, message }) => {
    const text = cut(printable(message === '' ? error : `${error}: ${message}`), COMMENT_LENGTH_MAX)
    return `${' '.repeat(INDENT)}failed   run ${run}: ${page.red(text)}`
  })
  if (failed > failures.length && failures.length > 0) {
    lines.push(
      `${' '.repeat(INDENT)}         ${page.dim(`... and ${formatCount(failed - failures.length)} more`)}`,
    )
  }
  return lines
}

/** The command that continues. The file does not say whether another process is already doing so. */
function continuationLines({ continuation }: TrajectoryOverview, page: Page): string[] {
  if (continuation === undefined || continuation.missing + continuation.failed === 0) return []
  const { cntFile, missing } = continuation
  const command = `pypet-ts continue ${shellWord(shownPath(cntFile))}${missing > 0 ? '' : ' --retry-failed'}`
  return [`${' '.repeat(INDENT)}continue ${page.bold(printable(command))}`]
}

function exploredRow({ name, type, range, comment }: ExploredOverview): string[] {
  const values = range === undefined ? 'its values are not in the file' : rangeText(range)
  return [printable(name), type, values, commentText(comment)]
}

function leafRow(leaf: SurveyedLeaf, { sampledRuns }: TrajectoryOverview): string[] {
  const { name, isPerRun, types, example, comment, foundInRuns } = leaf
  const isInSample = foundInRuns.some((run) => sampledRuns.includes(run))
  const isInAll = foundInRuns.length === sampledRuns.length
  const ofSample = isInSample ? `${foundInRuns.length} of ${sampledRuns.length} runs` : 'other runs'
  const place = !isPerRun ? 'trajectory' : isInSample && isInAll ? 'each run' : ofSample
  return [
    printable(name),
    place,
    types.join(' | '),
    shapeText(leaf),
    previewText(example),
    commentText(comment),
  ]
}

/** `[3, 4]`; `[2..15]` if the sampled runs differ in length. */
function shapeText({ shape }: SurveyedLeaf): string {
  if (shape === undefined) return 'varies'
  if (shape.length === 0) return ''
  const sizes = shape.map(({ minimum, maximum }) =>
    minimum === maximum ? minimum : `${minimum}..${maximum}`,
  )
  return `[${sizes.join(', ')}]`
}

/** Sizes and places come from the sampled runs, which the heading names. */
function sampleText(
  { entries }: Listing<SurveyedLeaf>,
  { runs, sampledRuns }: TrajectoryOverview,
  page: Page,
): string {
  const isSample = sampledRuns.length < runs.total && entries.some(({ isPerRun }) => isPerRun)
  return isSample ? page.dim(` seen in runs ${sampledRuns.join(', ')}`) : ''
}

function exampleHeading({ entries }: Listing<SurveyedLeaf>): string {
  const run = entries.find(({ isPerRun }) => isPerRun)?.foundInRuns[0]
  return run === undefined ? 'example' : `example (run ${run})`
}

function runTableText(table: RunTable, explored: readonly ExploredOverview[], page: Page): string {
  const hasValues = explored.some(({ range }) => range !== undefined)
  const headings = [
    'run',
    'state',
    'runtime',
    ...(hasValues ? explored.map(({ name }) => printable(name)) : ['values']),
  ]
  const rows = table.rows.map(({ run, state, runtimeSeconds, values, parameterSummary }) => [
    String(run),
    state,
    runtimeSeconds === undefined ? '' : formatDuration(runtimeSeconds * 1000),
    ...(hasValues
      ? values.map((value) => (value === undefined ? '' : previewText(value)))
      : [cut(printable(parameterSummary), COMMENT_LENGTH_MAX)]),
  ])
  const lines = page.table(headings, rows).split('\n')
  if (table.omittedCount > 0) {
    const half = 1 + Math.ceil(rows.length / 2)
    lines.splice(
      half,
      0,
      page.dim(
        `${' '.repeat(2 * INDENT)}... ${plural(table.omittedCount, 'run')} omitted, see pypet-ts table ...`,
      ),
    )
  }
  return [`${' '.repeat(INDENT)}${page.bold('runs')}`, ...lines].join('\n')
}

/** Text for one width and one choice of colours. */
class Page {
  readonly #width: number | undefined
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string

  constructor({ width, isColoured }: OverviewTextOptions) {
    this.#width = width
    const colours = pc.createColors(isColoured)
    this.bold = colours.bold
    this.dim = colours.dim
    this.red = colours.red
  }

  table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
    return textTable(headings, rows, { width: this.#width, indent: 2 * INDENT, style: this.dim })
  }

  section(
    title: string,
    headings: readonly string[],
    rows: readonly (readonly string[])[],
    count: number,
    isCountExact: boolean,
  ): string {
    const lines = [`${' '.repeat(INDENT)}${this.bold(title)}`, this.table(headings, rows)]
    if (count > rows.length) {
      const more = `${isCountExact ? '' : 'over '}${formatCount(count - rows.length)}`
      lines.push(this.dim(`${' '.repeat(2 * INDENT)}... and ${more} more, see --json`))
    }
    return lines.join('\n')
  }
}

/** pypet's `2026_01_31_12h34m56s`, in the usual form. */
function timeText(time: string): string {
  const match = /^(\d{4})_(\d\d)_(\d\d)_(\d\d)h(\d\d)m(\d\d)s$/.exec(time)
  if (match === null) return printable(time) || 'at an unknown time'
  const [, year, month, day, hour, minute, second] = match
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`
}

/** Bare numbers are versions of pypet and Python; pypet-ts and Node.js write their names. */
function versionText({ version, python }: TrajectoryOverview): string {
  const isPypet = /^\d/.test(python)
  const writer = /^\d/.test(version) ? `${isPypet ? 'pypet' : 'version'} ${version}` : version
  return printable(
    `${writer || 'an unknown version'}${python === '' ? '' : `, ${isPypet ? 'Python ' : ''}${python}`}`,
  )
}

function commentText(comment: string): string {
  return cut(printable(comment), COMMENT_LENGTH_MAX)
}
