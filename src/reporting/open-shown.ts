/** What people see of an experiment: a bar, lines, JSON, or next to nothing. */
import type { Reporter } from '../events.ts'
import { eventLines } from './event-lines.ts'
import { plainLines, printedLines, quietLines, verboseLines } from './plain-lines.ts'
import { teeReporters } from './tee-reporter.ts'
import type { OutputStream } from './text-output.ts'

export type ProgressKind = 'auto' | 'bar' | 'lines' | 'json' | 'none'

export interface ShownOptions {
  readonly progress: ProgressKind
  /** Percent of the runs from one line about the progress to the next. */
  readonly progressStep: number
  /** Each line of the log as well, on stderr. */
  readonly isVerbose?: boolean
  /** Nothing but failures and warnings. */
  readonly isQuiet?: boolean
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}

/**
 * A bar needs a terminal: elsewhere, and beside the lines of the log, there are lines instead. What the job prints,
 * where it is not for the logs, goes where it was printed to, above the bar or as an event.
 */
export async function openShownReporter(options: ShownOptions): Promise<Reporter> {
  const { stdout, stderr, progressStep, isVerbose = false, isQuiet = false } = options
  const progress = isQuiet ? 'none' : shownKind(options)
  if (progress === 'json') {
    return eventLines(stdout)
  }
  if (progress === 'bar') {
    const { progressBar } = await import('./progress-bar.ts')
    return progressBar(stdout, { stderr })
  }
  const printed = printedLines({ stdout, stderr })
  const log = isVerbose ? [verboseLines(stderr)] : []
  if (progress === 'none') {
    return teeReporters([quietLines(stderr), printed, ...log])
  }
  return teeReporters([plainLines(stdout, { progressStep }), printed, ...log])
}

function shownKind({ progress, isVerbose, stdout }: ShownOptions): Exclude<ProgressKind, 'auto'> {
  if (progress === 'json' || progress === 'none' || progress === 'lines') return progress
  return stdout.isTTY === true && isVerbose !== true ? 'bar' : 'lines'
}
