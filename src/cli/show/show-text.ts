/** A run as text for people. Everything from a file is first made harmless for a terminal. */
import { formatBytes, formatCount, formatDuration, plural } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import type { Colours } from '../../reporting/text-output.ts'
import type { RunLog } from '../../results/run-log.ts'
import { hostOf, type RunReport, type RunValue } from '../../results/run-report.ts'
import { printable, printableLine } from '../../values/printable.ts'
import { type StoredValue, typeName } from '../../values/stored-value.ts'
import { previewOf } from '../stored-preview.ts'
import { textTable } from '../text-table.ts'
import { cut, localTimeText } from '../value-text.ts'
import type { RunCommands } from './run-commands.ts'

export interface ShowTextOptions {
  /** Of the terminal. Undefined if lines may have any length. */
  readonly width: number | undefined
  /** All parameters, where otherwise many are only counted. */
  readonly showsAll: boolean
  readonly colours: Colours
}

/** Parameters that have the same value in all runs. */
const CONSTANTS_MAX = 20
const SPARKLINE_WIDTH = 40
const COMMENT_LENGTH_MAX = 60

/** Ends with a newline. */
export function showText(
  report: RunReport,
  log: RunLog,
  commands: RunCommands,
  options: ShowTextOptions,
): string {
  const { colours, showsAll } = options
  const { explored, constants, derived, results } = report
  const shown = showsAll ? constants : constants.slice(0, CONSTANTS_MAX)
  const omitted = constants.length - shown.length
  const sections = [
    headText(report, colours),
    errorText(report, colours),
    valuesText(explored.length === 0 ? '' : 'explored parameters', explored, options),
    [
      valuesText(explored.length === 0 ? 'parameters' : 'other parameters', shown, options),
      omitted > 0 ? colours.dim(`  and ${formatCount(omitted)} more (--all shows them)`) : '',
    ]
      .filter(Boolean)
      .join('\n'),
    valuesText('derived parameters', derived, options),
    valuesText('results', results, options),
    logText(log, colours),
    commandsText(commands, colours),
  ]
  return `${sections.filter(Boolean).join('\n\n')}\n`
}

function headText(report: RunReport, { bold, dim, red, green, yellow }: Colours): string {
  const { file, trajectory, run, name, runCount, status, start, runtime, attempts, environment } = report
  const colour = { stored: green, failed: red, missing: yellow }[status]
  const host = hostOf(report)
  const finish = start !== undefined && runtime !== undefined ? start + runtime : undefined
  const times = [
    start === undefined ? '' : localTimeText(start),
    finish === undefined ? '' : `to ${localTimeText(finish)}`,
    runtime === undefined ? '' : `(${formatDuration(runtime * 1000)})`,
  ]
  const rows: [string, string][] = [
    ['status', `${colour(status)}${status === 'missing' ? ': not run yet' : ''}`],
    ['time', times.filter(Boolean).join(' ')],
    ['attempts', attempts === undefined ? '' : String(attempts)],
    ['host', host === undefined ? '' : printable(host)],
    ['made by', environment === undefined ? '' : printable(environment.name)],
  ]
  const title = `${bold(name)}  ${dim(`run ${run} of ${formatCount(runCount)} in ${printable(trajectory)}, ${printable(shownPath(file))}`)}`
  return [
    title,
    ...rows.filter(([, text]) => text !== '').map(([key, text]) => `  ${key.padEnd(8)}  ${text}`),
  ].join('\n')
}

/** The stack usually begins with the message. */
function errorText({ failure }: RunReport, { bold, red, dim }: Colours): string {
  if (failure === undefined) return ''
  const { error, message, stack } = failure
  const title = red(printable(message === '' ? error : `${error}: ${message}`))
  const lines = stack.split(/\r?\n/).filter((line) => /^\s+at /.test(line))
  return [bold('error'), `  ${title}`, ...lines.map((line) => dim(`  ${printableLine(line)}`))].join('\n')
}

function valuesText(title: string, values: readonly RunValue[], { width, colours }: ShowTextOptions): string {
  if (values.length === 0) return ''
  const rows = values.map(({ name, unit, comment, value }) => [
    printable(name),
    previewOf(value, SPARKLINE_WIDTH),
    printable(unit),
    typeText(value),
    cut(printable(comment), COMMENT_LENGTH_MAX),
  ])
  const table = textTable(['name', 'value', 'unit', 'type', 'comment'], rows, {
    width,
    indent: 2,
    style: colours.dim,
  })
  return `${colours.bold(title)}\n${table}`
}

/** `float64`, `float64[100]`. */
function typeText(value: StoredValue): string {
  if (value.form === 'ndarray') return `${value.dtype}[${value.shape.join(',')}]`
  if (value.form === 'list') return `${value.dtype}[${value.values.length}]`
  return printable(typeName(value))
}

function logText(
  { file, lines, omittedCount, unreadBytes, looked, problem }: RunLog,
  { bold, dim }: Colours,
): string {
  const unread = unreadBytes > 0 ? `, without its first ${formatBytes(unreadBytes)} (--all reads them)` : ''
  const omitted =
    omittedCount > 0 ? `, ${plural(omittedCount, 'earlier line')} not shown (--all shows them)` : ''
  const earlier = `${unread}${omitted}`
  const place = file === undefined ? '' : printable(shownPath(file))
  if (file === undefined) {
    const places = looked.map((folder) => `  ${printable(shownPath(folder))}`)
    return looked.length === 0 ? '' : [bold('log'), dim('  not found; looked in'), ...places].join('\n')
  }
  if (problem !== undefined) return `${bold('log')}\n${dim(`  cannot read ${place}: ${problem}`)}`
  if (lines.length === 0) return `${bold('log')}\n${dim(`  no more lines of this run in ${place}${earlier}`)}`
  return [
    `${bold('log')}  ${dim(`${place}${earlier}`)}`,
    ...lines.map((line) => `  ${printableLine(line)}`),
  ].join('\n')
}

function commandsText({ debug, again }: RunCommands, { bold }: Colours): string {
  const lines = [
    debug === undefined ? '' : `${bold('debug it')}      ${printable(debug)}`,
    again === undefined ? '' : `${bold('run it again')}  ${printable(again)}`,
  ]
  return lines.filter(Boolean).join('\n')
}
