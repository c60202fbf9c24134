/** The lines that a job writes, with `traj.log` or by printing, on their way to the log files. */
import { inspect } from 'node:util'
import { toErrorRecord } from '../errors.ts'
import type { WorkerLine, WorkerSetup } from '../protocol.ts'
import { allowsLevel, type LogLevel } from '../run/log-level.ts'
import type { RunIndex } from '../values/path.ts'
import type { StreamName } from './captured-output.ts'

export type WriteLog = (level: LogLevel, message: string, run?: RunIndex) => void

/**
 * Lets through lines at or above the level. Values that are not texts (a job in JavaScript may log an error or an
 * object) become text as in `console.log`, because they must cross to main.
 */
export function atLogLevel(threshold: LogLevel, write: WriteLog): WriteLog {
  return (level, message: unknown, run) => {
    if (!allowsLevel(threshold, level)) return
    write(level, typeof message === 'string' ? message : inspect(message), run)
  }
}

/**
 * Turns a printed line into a log line at level `info`, or into a terminal line at any level. Undefined if it is not
 * wanted.
 */
export function printedLine(
  { logLevel, logStdout }: Pick<WorkerSetup, 'logLevel' | 'logStdout'>,
  {
    message,
    from,
    run,
  }: { readonly message: string; readonly from: StreamName; readonly run?: RunIndex | undefined },
): Omit<WorkerLine, 'worker'> | undefined {
  if (logStdout && !allowsLevel(logLevel, 'info')) return undefined
  return {
    type: 'log',
    level: 'info',
    message,
    ...(run !== undefined && { run }),
    ...(!logStdout && { printedTo: from }),
  }
}

/** The line for an error that fails no run, because it came after its run or belongs to none. */
export function strayErrorLine(
  thrown: unknown,
  { when, ...source }: { readonly when: string } & Pick<WorkerLine, 'worker' | 'run'>,
): WorkerLine {
  return { type: 'log', level: 'error', message: strayErrorText(thrown, when), isStray: true, ...source }
}

/** `after its run had ended: TypeError: …`, with the stack. */
export function strayErrorText(thrown: unknown, when: string): string {
  const { name, message, stack, hint } = toErrorRecord(thrown)
  const text = `${when}: ${stack === '' ? `${name}: ${message}` : stack}`
  return hint === undefined ? text : `${text}\nhint: ${hint}`
}
