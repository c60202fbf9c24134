/** The lines that a job writes, through `traj.log` or by printing, on their way to the log files. */
import { inspect } from 'node:util'
import { LOG_LEVELS, type LogLevel } from '../trajectory/log-level.ts'
import type { RunIndex } from '../trajectory/path.ts'

export type WriteLog = (level: LogLevel, message: string, run?: RunIndex) => void

/**
 * Lets through what is at least as important as the level. What is no text (a job in JavaScript may log
 * an error or an object) becomes text, as `console.log` shows it, because it has to cross to main.
 */
export function atLogLevel(threshold: LogLevel, write: WriteLog): WriteLog {
  const loudest = LOG_LEVELS.indexOf(threshold)
  return (level, message: unknown, run) => {
    if (LOG_LEVELS.indexOf(level) > loudest) return
    write(level, typeof message === 'string' ? message : inspect(message), run)
  }
}
