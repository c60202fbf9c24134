/** What users see of an experiment: a bar, lines, JSON, or almost nothing. */
import type { Reporter } from '../events.ts'
import { eventLines } from './event-lines.ts'
import { plainLines, printedLines, quietLines, verboseLines } from './plain-lines.ts'
import { teeReporters } from './tee-reporter.ts'
import type { OutputStream } from './text-output.ts'

export type ProgressKind = 'auto' | 'bar' | 'lines' | 'json' | 'none'

export interface ShownOptions {
  readonly progress: ProgressKind
  /** Percentage of the runs between two progress lines. */
  readonly progressStep: number
  /** Also print each log line on stderr. */
  readonly isVerbose?: boolean
  /** Only failures and warnings. */
  readonly isQuiet?: boolean
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}

/**
 * A bar needs a terminal; elsewhere, or next to log lines, there are lines instead. If what the job prints is not for
 * the logs, it goes to its original stream, above the bar, or becomes an event.
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
