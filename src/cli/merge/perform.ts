/** The action of `pypet-ts merge <files>`. */
import { existsSync, statSync } from 'node:fs'
import {
  type MergeInput,
  type MergeProgress,
  type MergeReport,
  mergeFiles,
  mergeFolder,
  mergeInto,
} from '../../library/merge.ts'
import { formatCount, formatRuns } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { type OutputStream, oneLine } from '../../reporting/text-output.ts'
import { shellWord } from '../../shell-word.ts'
import { interruptible } from '../end-on-signals.ts'
import { jsonDocument } from '../json-document.ts'

export interface MergeFlags {
  readonly into: string
  readonly overwrite?: boolean
  readonly append?: boolean
  readonly removeDuplicates?: boolean
  readonly trialParameter?: string
  readonly conflicts?: 'error' | 'keep-first'
  readonly json?: boolean
  readonly verbose?: boolean
}

/** @throws PypetError as `mergeFiles` and `mergeInto` */
export async function mergeCommand(words: readonly string[], flags: MergeFlags): Promise<void> {
  const into = { ...inputOf(flags.into), overwrite: flags.overwrite === true }
  const inputs = words.map(inputOf)
  const [first] = words as [string]
  const isFolder = words.length === 1 && statSync(first, { throwIfNoEntry: false })?.isDirectory() === true
  // One file and an existing target can only mean appending.
  const isOne = words.length === 1 && !isFolder && flags.overwrite !== true && existsSync(into.file)
  let isStored = false
  const line = progressLine(process.stderr, flags.verbose === true)
  const options = {
    removeDuplicates: flags.removeDuplicates === true,
    ...(flags.trialParameter !== undefined && { trialParameter: flags.trialParameter }),
    ...(flags.conflicts !== undefined && { conflicts: flags.conflicts }),
    onProgress(progress: MergeProgress) {
      if (progress.phase === 'stored') isStored = true
      else line.show(progress)
    },
  }
  const isAppending = flags.append === true || isOne
  const left = () => {
    if (isStored) return `${into.file} is complete`
    return isAppending ? `${into.file} is unchanged` : 'nothing was written'
  }
  const report = await interruptible('merge', left, async () => {
    if (isFolder) return await mergeFolder(first, into, options, { append: flags.append === true })
    if (isAppending) return await mergeInto(into, inputs, options)
    return await mergeFiles(inputs, into, options)
  }).finally(line.clear)
  process.stdout.write(
    flags.json === true
      ? jsonDocument({ event: 'merged', ...report })
      : reportText(report, options.removeDuplicates),
  )
}

/** `file.h5`, or `file.h5:name` if no file has that whole name. */
function inputOf(word: string): MergeInput {
  const [, file, name] = /^(..+):([A-Za-z0-9_-]+)$/.exec(word) ?? []
  return file === undefined || name === undefined || existsSync(word) ? { file: word } : { file, name }
}

function reportText(report: MergeReport, removesDuplicates: boolean): string {
  const { file, trajectory, runCount, failedCount, first, merged } = report
  const failed = (count: number) => (count === 0 ? '' : `, ${formatCount(count)} of them failed`)
  const lines = merged.flatMap((input) => {
    const duplicates =
      input.duplicates === 0
        ? ''
        : `, ${formatCount(input.duplicates)} ${input.duplicates === 1 ? 'point' : 'points'} existed already`
    const conflicts = input.conflicts.map(
      ({ known, run, names }) => `${run} differs from ${known} in ${names.join(', ')}; ${known} is kept`,
    )
    const leftOut = input.leftOut.map(({ name, reason }) => `left out: ${name} (${reason})`)
    const own = `${formatRuns(input.runs)} of ${input.trajectory} in ${input.file}`
    return [`  + ${own}${failed(input.failed)}${duplicates}`, ...shortened(conflicts), ...shortened(leftOut)]
  })
  const twice = merged.reduce((sum, { duplicates }) => sum + duplicates, 0)
  const advice =
    twice === 0 || removesDuplicates
      ? []
      : [
          `${formatCount(twice)} ${twice === 1 ? 'point is' : 'points are'} there twice: --remove-duplicates skips duplicates`,
        ]
  return `${[
    `${file}: ${trajectory}, ${formatRuns(runCount)}${failed(failedCount)}`,
    `    ${formatRuns(first.runs)} of ${first.trajectory} in ${first.file}${failed(first.failed)}`,
    ...lines,
    ...advice,
    `next:  pypet-ts overview ${shellWord(shownPath(file))}`,
  ].join('\n')}\n`
}

const LINES_MAX = 10

function shortened(lines: readonly string[]): string[] {
  const shown = lines.slice(0, LINES_MAX).map((line) => `    ${line}`)
  return lines.length <= LINES_MAX
    ? shown
    : [...shown, `    ... and ${lines.length - LINES_MAX} more, see --json`]
}

const COLUMNS_DEFAULT = 80
const CLEAR = '\r\x1B[2K'
const REDRAW_MS = 125

/** A line that is redrawn on a terminal; elsewhere, with `--verbose`, one line per step. */
function progressLine(
  stream: OutputStream,
  isVerbose: boolean,
): { readonly show: (progress: MergeProgress) => void; readonly clear: () => void } {
  const isTerminal = stream.isTTY === true && process.env.TERM !== 'dumb'
  let isShown = false
  let drawnMs = Number.NEGATIVE_INFINITY
  let last = ''
  const clear = () => {
    if (isShown) stream.write(CLEAR)
    isShown = false
  }
  // Ctrl-C ends the process before anything is disposed of.
  if (isTerminal) process.once('exit', clear)
  return {
    show(progress) {
      const { phase, file, done, total } = progress
      const text =
        total === 0 ? `${phase} ${file}` : `${phase} ${file}: ${formatCount(done)} of ${formatRuns(total)}`
      if (isTerminal && performance.now() - drawnMs >= REDRAW_MS) {
        drawnMs = performance.now()
        stream.write(`${isShown ? CLEAR : ''}${oneLine(text, (stream.columns || COLUMNS_DEFAULT) - 1)}`)
        isShown = true
      } else if (!isTerminal && isVerbose && `${phase} ${file}` !== last) {
        last = `${phase} ${file}`
        stream.write(`${total === 0 ? last : `${last}: ${formatRuns(total)}`}\n`)
      }
    },
    clear() {
      clear()
      process.off('exit', clear)
    },
  }
}
