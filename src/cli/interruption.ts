/**
 * Ctrl-C, SIGTERM and SIGHUP in a command that runs nothing: it ends at once, without a trace. What is half made is removed
 * at the exit by whoever makes it; see `undoAtExit`.
 *
 * Node hears signals between two turns of the event loop, so long work takes a breath now and then.
 */
import { ExitCode } from './exit-code.ts'

const SIGNALS = { SIGINT: ExitCode.INTERRUPTED, SIGTERM: ExitCode.TERMINATED, SIGHUP: ExitCode.TERMINATED }

/**
 * Does what a signal may end before it is done.
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
