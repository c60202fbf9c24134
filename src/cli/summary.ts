import type { ExperimentSummary } from '../events.ts'
import { WARNINGS_LOG } from '../reporting/log-folder.ts'
import { formatCount, formatDuration, formatRate, formatRuns } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { coloursOf, type OutputStream } from '../reporting/text-output.ts'

/**
 * The closing lines of `run`, with their last newline: what is stored where, how fast it went, and what to
 * type next.
 *
 *     10 of 12 runs stored in hdf5/multiply.h5, in 0.42 s (28.6 runs/s)
 *     2 runs failed: see logs/multiply/warnings_and_errors.txt
 *     logs:  logs/multiply
 *     next:  pypet-ts overview hdf5/multiply.h5
 *
 * @param stream decides on colours
 */
export function summaryText(summary: ExperimentSummary, stream: OutputStream): string {
  const { runCount, storedCount, failedCount, strayErrorCount, durationMs } = summary
  const colours = coloursOf(stream)
  const file = shownPath(summary.file)
  const logs = shownPath(summary.logFolder)
  const finishedCount = storedCount + failedCount
  const stored =
    storedCount === runCount ? formatRuns(runCount) : `${formatCount(storedCount)} of ${formatRuns(runCount)}`
  const rate =
    finishedCount > 0 && durationMs > 0 ? ` (${formatRate((finishedCount * 1000) / durationMs)})` : ''
  const lines = [`${stored} stored in ${file}, in ${formatDuration(durationMs)}${rate}`]
  if (failedCount > 0) {
    lines.push(colours.red(`${formatRuns(failedCount)} failed: see ${logs}/${WARNINGS_LOG}`))
  }
  if (strayErrorCount > 0) {
    const errors = strayErrorCount === 1 ? '1 error' : `${formatCount(strayErrorCount)} errors`
    lines.push(
      colours.red(`${errors} after the end of a run, results may be missing: see ${logs}/${WARNINGS_LOG}`),
    )
  }
  lines.push(`${colours.dim('logs:')}  ${logs}`)
  lines.push(`${colours.dim('next:')}  pypet-ts overview ${shellWord(file)}`)
  return `${lines.join('\n')}\n`
}

/** A file name as the shell takes it back, quoted where it must be. */
export function shellWord(name: string, platform: NodeJS.Platform = process.platform): string {
  // A leading dash would be read as a flag.
  const word = name.startsWith('-') ? `./${name}` : name
  if (platform === 'win32') return /^[\w./\\:~+@,=-]+$/.test(word) ? word : `"${word}"`
  if (/^[\w./:+@,=-]+$/.test(word)) return word
  return `'${word.replaceAll("'", `'\\''`)}'`
}
