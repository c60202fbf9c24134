import type { ExperimentSummary } from '../events.ts'
import { WARNINGS_LOG } from '../reporting/log-folder.ts'
import { formatCount, formatDuration, formatRate, formatRuns, plural } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { coloursOf, type OutputStream } from '../reporting/text-output.ts'
import { shellWord } from '../shell-word.ts'

/**
 * The closing lines of `run` and `continue`, with a newline at the end: what is stored where, the speed, and what to
 * type next.
 *
 *     10 of 12 runs stored in hdf5/multiply.h5, in 0.42 s (28.6 runs/s)
 *     2 runs failed: see logs/multiply/warnings_and_errors.txt
 *     logs:  logs/multiply
 *     next:  pypet-ts overview hdf5/multiply.h5
 *     retry: pypet-ts continue hdf5/multiply.cnt --retry-failed
 *
 * @param stream decides on colours
 */
export function summaryText(summary: ExperimentSummary, stream: OutputStream): string {
  const { failedCount, leftCount, strayErrorCount, stoppedBy, cntFile, isBehind } = summary
  const colours = coloursOf(stream)
  const file = shownPath(summary.file)
  const logs = summary.logFolder === undefined ? undefined : shownPath(summary.logFolder)
  const see = logs === undefined ? '' : `: see ${logs}/${WARNINGS_LOG}`
  const lines = [storedText(summary)]
  if (failedCount > 0) {
    lines.push(colours.red(`${formatRuns(failedCount)} failed${see}`))
  }
  if (strayErrorCount > 0) {
    lines.push(
      colours.red(`${plural(strayErrorCount, 'error')} after the end of a run, results may be missing${see}`),
    )
  }
  if (leftCount > 0) {
    const reason = stoppedBy === 'failures' ? ': too many runs have failed' : ''
    lines.push(colours.yellow(`${formatRuns(leftCount)} not run${reason}`))
  }
  if (isBehind && cntFile !== undefined) {
    const held = `${file} is still open in another program: its last changes are not in it`
    lines.push(colours.red(`${held}. All runs are safe in ${shownPath(cntFile)}`))
  }
  if (logs !== undefined) lines.push(`${colours.dim('logs:')}  ${logs}`)
  if (!summary.isInService) lines.push(`${colours.dim('next:')}  pypet-ts overview ${shellWord(file)}`)
  if (cntFile !== undefined) {
    const command = `pypet-ts continue ${shellWord(shownPath(cntFile))}`
    if (leftCount > 0 || isBehind) lines.push(`${colours.dim('continue:')} ${command}`)
    else if (failedCount > 0) lines.push(`${colours.dim('retry:')} ${command} --retry-failed`)
  }
  return `${lines.join('\n')}\n`
}

/** `88 of 100 runs stored in x.h5, 12 of them before, in 0.42 s (28.6 runs/s)`. */
function storedText(summary: ExperimentSummary): string {
  const { runCount, storedCount, previouslyStoredCount, failedCount, durationMs, file, isInService } = summary
  const stored =
    storedCount === runCount ? formatRuns(runCount) : `${formatCount(storedCount)} of ${formatRuns(runCount)}`
  const before = previouslyStoredCount > 0 ? `, ${formatCount(previouslyStoredCount)} of them before` : ''
  const finishedCount = storedCount - previouslyStoredCount + failedCount
  const rate =
    finishedCount > 0 && durationMs > 0 ? ` (${formatRate((finishedCount * 1000) / durationMs)})` : ''
  const where = isInService ? 'the storage service' : shownPath(file)
  return `${stored} stored in ${where}${before}, in ${formatDuration(durationMs)}${rate}`
}
