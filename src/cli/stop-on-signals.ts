/**
 * Ctrl-C and SIGTERM. Before the first run they end the command at once; then the first lets active runs
 * finish, and the second ends at once, with what is stored in the file.
 *
 * Node hears signals between two turns of the event loop. A run that is performed inline and computes for
 * an hour keeps both waiting for its end; only SIGKILL is quicker, and leaves the temporary files. On a
 * pool the runs are elsewhere, and main hears everything at once.
 */
import { ExitCode } from './exit-code.ts'

export interface SignalStop extends Disposable {
  readonly signal: AbortSignal
  /** 130 or 143 once a signal has come. */
  readonly exitCode: number | undefined
  /** Call it before the first run: from now on the first signal waits for active runs. */
  letRunsFinish(): void
}

/** Listens until disposed of. */
export function stopOnSignals(): SignalStop {
  const controller = new AbortController()
  let exitCode: number | undefined
  let areRunsUnderWay = false
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    const code = signal === 'SIGINT' ? ExitCode.INTERRUPTED : ExitCode.TERMINATED
    // The writer notices that main is gone, keeps every run that has arrived whole, and closes the file.
    if (!areRunsUnderWay || controller.signal.aborted) process.exit(code)
    exitCode = code
    process.stderr.write('\nstopping: active runs finish and are stored; once more stops at once\n')
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    letRunsFinish() {
      areRunsUnderWay = true
    },
    [Symbol.dispose]() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
