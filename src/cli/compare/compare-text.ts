/** What differs between runs as text for people. Everything from a file is first made harmless for a terminal. */
import { formatCount, plural } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import type { Colours } from '../../reporting/text-output.ts'
import type {
  ComparedSources,
  ComparedValues,
  DifferingValue,
  RunComparison,
} from '../../results/run-comparison.ts'
import type { RunReport } from '../../results/run-report.ts'
import type { ValueDifference } from '../../results/same-value.ts'
import { printable, printableLine } from '../../values/printable.ts'
import type { StoredValue } from '../../values/stored-value.ts'
import { previewOf } from '../stored-preview.ts'
import { textTable } from '../text-table.ts'
import { cellText, cut } from '../value-text.ts'

export interface CompareTextOptions {
  /** Of the terminal. Undefined if lines may have any length. */
  readonly width: number | undefined
  readonly colours: Colours
}

const DIGITS = 6
const PERCENT_DIGITS = 3
const SPARKLINE_WIDTH = 16
const TEXT_LENGTH_MAX = 120
const MISSING = '–'

/** Ends with a newline. */
export function compareText(comparison: RunComparison, options: CompareTextOptions): string {
  const { runs, parameters, derivedParameters, results, config, provenance, sources } = comparison
  const { colours } = options
  const labels = labelsOf(runs)
  const section = (title: string, values: ComparedValues | undefined) =>
    values === undefined || values.differing.length + values.equalCount === 0
      ? ''
      : valuesText(title, values, labels, options)
  const sections = [
    runs.map((run, at) => headText(run, labels[at] as string, colours)).join('\n'),
    section('parameters', parameters),
    section('derived parameters', derivedParameters),
    section('results', results),
    section('config', config),
    section('provenance', provenance),
    sources === undefined ? '' : sourcesText(sources, labels, colours),
    config === undefined && runs[0]?.environment !== undefined
      ? colours.dim('config and source of the job: the same, from one environment')
      : '',
  ]
  return `${sections.filter(Boolean).join('\n\n')}\n`
}

/** As short as tells them apart. */
function labelsOf(runs: readonly RunReport[]): string[] {
  const isSame = (keyOf: (run: RunReport) => string) => new Set(runs.map(keyOf)).size === 1
  const isSameFile = isSame(({ file }) => file)
  const isSameTrajectory = isSame(({ trajectory }) => trajectory)
  return runs.map(({ file, trajectory, run }) => {
    if (isSameFile && isSameTrajectory) return `run ${run}`
    const name = isSameTrajectory ? '' : `${isSameFile ? '' : ':'}${trajectory}`
    return printable(`${isSameFile ? '' : shownPath(file)}${name}#${run}`)
  })
}

function headText(
  { file, trajectory, status, failure }: RunReport,
  label: string,
  { bold, dim, red }: Colours,
): string {
  const reason =
    failure === undefined ? '' : `: ${failure.error}${failure.message === '' ? '' : `: ${failure.message}`}`
  const state = status === 'stored' ? status : red(`${status}${printable(reason)}`)
  return `${bold(label)}  ${state}  ${dim(`${printable(trajectory)}, ${printable(shownPath(file))}`)}`
}

function valuesText(
  title: string,
  { differing, equalCount }: ComparedValues,
  labels: readonly string[],
  { width, colours }: CompareTextOptions,
): string {
  const equal = `${formatCount(equalCount)} equal`
  const head = `${colours.bold(title)}  ${colours.dim(differing.length === 0 ? `all ${equal}` : equal)}`
  if (differing.length === 0) return head
  const rows = differing.map((value) => [
    printable(value.name),
    printable(value.unit),
    ...labels.map((_, at) => cellOf(value, at)),
  ])
  const table = textTable(['name', 'unit', ...labels], rows, { width, indent: 2, style: colours.dim })
  return `${head}\n${table}`
}

/** `4 (+2, +100 %)` */
function cellOf({ values, differences }: DifferingValue, at: number): string {
  const difference = differences[at]
  const text = valueText(values[at])
  return difference === undefined ? text : `${text} (${differenceText(difference)})`
}

/** Texts such as a command are longer than other values. */
function valueText(value: StoredValue | undefined): string {
  if (value === undefined) return MISSING
  if (value.form === 'scalar' && typeof value.value === 'string')
    return cut(printable(value.value), TEXT_LENGTH_MAX)
  return previewOf(value, SPARKLINE_WIDTH)
}

function differenceText({ absolute, relative, at }: ValueDifference): string {
  const percent = relative === undefined ? undefined : Number((relative * 100).toPrecision(PERCENT_DIGITS))
  if (at === undefined) {
    return percent === undefined ? signed(absolute) : `${signed(absolute)}, ${signed(percent)} %`
  }
  const place = `[${at.join(',')}]`
  if (Number.isNaN(absolute)) return `only one is NaN at ${place}`
  const most = `at most ${cellText(absolute, DIGITS)} at ${place}`
  return percent === undefined ? most : `${most}, ${percent} %`
}

function signed(number: number): string {
  return `${number > 0 ? '+' : ''}${cellText(number, DIGITS)}`
}

function sourcesText(
  { differing, equalCount }: ComparedSources,
  labels: readonly string[],
  { bold, dim, red, green, cyan }: Colours,
): string {
  if (differing.length === 0) {
    const found = equalCount === 0 ? 'none are stored' : `${plural(equalCount, 'file')} equal`
    return `${bold('source of the job')}  ${dim(found)}`
  }
  const style = (line: string) => {
    const text = printableLine(line)
    if (line.startsWith('@@')) return cyan(text)
    return line.startsWith('-') ? red(text) : line.startsWith('+') ? green(text) : text
  }
  const files = differing.map(({ path, otherPath, other, diff }) =>
    [
      bold(`--- ${path === undefined ? 'nothing' : printable(path)}  ${labels[0]}`),
      bold(`+++ ${otherPath === undefined ? 'nothing' : printable(otherPath)}  ${labels[other]}`),
      ...diff.map(style),
    ].join('\n'),
  )
  return [`${bold('source of the job')}  ${dim(`${formatCount(equalCount)} equal`)}`, ...files].join('\n')
}
