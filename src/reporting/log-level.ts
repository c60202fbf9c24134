import { LOG_LEVELS, type LogLevel } from '../run/log-level.ts'

/** Whether a line of `level` is kept where `threshold` is the least severe level to keep. */
export function allowsLevel(threshold: LogLevel, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(threshold)
}
