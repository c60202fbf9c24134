/** Ctrl-C and SIGTERM: the first lets active runs finish, the second ends at once. */
import { ExitCode } from './exit-code.ts'

export interface SignalStop extends Disposable {
  readonly signal: AbortSignal
  /** 130 or 143 once a signal has come. */
  readonly exitCode: number | undefined
}

/** Listens until disposed of. */
export function stopOnSignals(): SignalStop {
  const controller = new AbortController()
  let exitCode: number | undefined
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    const code = signal === 'SIGINT' ? ExitCode.INTERRUPTED : ExitCode.TERMINATED
    // The writer notices that main is gone, keeps every run that has arrived whole, and closes the file.
    if (controller.signal.aborted) process.exit(code)
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
    [Symbol.dispose]() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
