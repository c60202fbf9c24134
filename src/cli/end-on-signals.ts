/**
 * Ctrl-C, SIGTERM and SIGHUP before a command performs runs, or where it performs none: they end the process at once, as
 * they would without this, but not in silence. Small: the first file of a command loads it.
 */
import { ExitCode } from './exit-codes.ts'

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

/**
 * Does what a signal may end before it is done, at once and without a trace: what is half made is removed at the exit by
 * whoever makes it (`undoAtExit`). Node hears signals between two turns of the event loop, so long work takes a breath
 * now and then.
 *
 * @param left what there is then, as `nothing was written`; asked when the signal comes
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
