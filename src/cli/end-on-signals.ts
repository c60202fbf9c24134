/**
 * Handles Ctrl-C, SIGTERM and SIGHUP before a command starts runs, or if it starts none: they end the process at once,
 * as by default, but with a message. Small: the first file of a command loads it.
 */
import { ExitCode } from './exit-codes.ts'

const SIGNALS = { SIGINT: ExitCode.INTERRUPTED, SIGTERM: ExitCode.TERMINATED, SIGHUP: ExitCode.TERMINATED }

/** Listens from now on, and does nothing if there is another listener. */
export function endOnSignals(): void {
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (process.listenerCount(signal) > 1) return
      process.stderr.write(interruptedBy(signal))
      process.exit(exitCode)
    })
  }
}

/** Starts a new line, even if a terminal has written `^C` on the current one. */
export function interruptedBy(signal: string, left?: string): string {
  const begin = process.stderr.isTTY === true ? '\n' : ''
  return `${begin}interrupted by ${signal}${left === undefined ? '' : `: ${left}`}\n`
}

/**
 * Does work that a signal may interrupt, at once and without a trace: unfinished output is removed at the exit
 * (`undoAtExit`). Node handles signals between two turns of the event loop, so long work pauses now and then.
 *
 * @param left the state after the interruption, as `nothing was written`; called when the signal arrives
 */
export async function interruptible<Value>(
  command: string,
  left: () => string,
  work: () => Promise<Value>,
): Promise<Value> {
  const ends = Object.entries(SIGNALS).map(([signal, exitCode]) => {
    const end = () => {
      process.stderr.write(`${command} was interrupted by ${signal}: ${left()}\n`)
      process.exit(exitCode)
    }
    process.on(signal, end)
    return () => process.off(signal, end)
  })
  try {
    return await work()
  } finally {
    for (const forget of ends) forget()
  }
}
