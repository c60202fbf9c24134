/**
 * Ctrl-C, SIGTERM and SIGHUP before a command listens for them itself, or where it never does: they end the process at
 * once, as they would without this, but not in silence.
 */
import { ExitCode } from './exit-code.ts'

const SIGNALS = { SIGINT: ExitCode.INTERRUPTED, SIGTERM: ExitCode.TERMINATED, SIGHUP: ExitCode.TERMINATED }

/** Listens from now on, and stands back for whoever else does. */
export function endOnSignals(): void {
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (process.listenerCount(signal) > 1) return
      process.stderr.write(interruptedBy(signal))
      process.exit(exitCode)
    })
  }
}

/** A line of its own, also where a terminal has written `^C` on the one before. */
export function interruptedBy(signal: string, left?: string): string {
  const begin = process.stderr.isTTY === true ? '\n' : ''
  return `${begin}interrupted by ${signal}${left === undefined ? '' : `: ${left}`}\n`
}
