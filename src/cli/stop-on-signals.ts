/**
 * Ctrl-C, SIGTERM and SIGHUP. Before the first run they end the command at once. Then the first lets active runs
 * finish, the second gives them up and closes the file in order, and the third ends at once. After SIGTERM, which
 * clusters send some seconds before they kill, and SIGHUP, active runs have 8 seconds. In each case the
 * experiment can be continued.
 *
 * Node hears signals between two turns of the event loop. A run that is performed inline and computes for
 * an hour keeps them waiting for its end; only SIGKILL is quicker, and loses nothing but that run and some
 * temporary files. On a pool the runs are elsewhere, and main hears everything at once.
 */
import { interruptedBy } from './end-on-signals.ts'
import { ExitCode } from './exit-code.ts'

export interface SignalStop extends Disposable {
  /** Aborted: no more runs begin, active ones finish. */
  readonly signal: AbortSignal
  /** Aborted: active runs are cancelled. */
  readonly giveUp: AbortSignal
  /** 130 or 143 once a signal has come. */
  readonly exitCode: number | undefined
  /** Call it before the first run: from now on the first signal waits for active runs. */
  letRunsFinish(): void
  /** Does what a signal must not tear: it ends the command as soon as that is done. */
  whole<Value>(work: () => Promise<Value>): Promise<Value>
}

/** Leaves two of the ten seconds that a cluster gives for the last commit. */
const GRACE_MS = 8000

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Listens until disposed of. */
export function stopOnSignals(): SignalStop {
  const stopping = new AbortController()
  const givingUp = new AbortController()
  let exitCode: number | undefined
  let areRunsUnderWay = false
  let grace: NodeJS.Timeout | undefined
  let isWhole = false
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    const code = signal === 'SIGINT' ? ExitCode.INTERRUPTED : ExitCode.TERMINATED
    if (isWhole && exitCode === undefined) {
      exitCode = code
      return
    }
    // The writer notices that main is gone, keeps every run that has arrived whole, and closes the file.
    if (!areRunsUnderWay || givingUp.signal.aborted) {
      if (exitCode === undefined) process.stderr.write(interruptedBy(signal, 'no run was started'))
      process.exit(exitCode ?? code)
    }
    if (stopping.signal.aborted) {
      process.stderr.write('\nstopping now: active runs are cancelled, the file is closed\n')
      givingUp.abort()
      return
    }
    exitCode = code
    const patience =
      signal === 'SIGINT'
        ? 'press Ctrl-C again to stop now'
        : `those that take longer than ${GRACE_MS / 1000} s are cancelled`
    process.stderr.write(`\nstopping: active runs finish and are stored; ${patience}\n`)
    stopping.abort()
    if (signal !== 'SIGINT') grace = setTimeout(() => givingUp.abort(), GRACE_MS)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return {
    signal: stopping.signal,
    giveUp: givingUp.signal,
    get exitCode() {
      return exitCode
    },
    async whole(work) {
      isWhole = true
      try {
        return await work()
      } finally {
        isWhole = false
        if (exitCode !== undefined) process.exit(exitCode)
      }
    },
    letRunsFinish() {
      areRunsUnderWay = true
    },
    [Symbol.dispose]() {
      clearTimeout(grace)
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}
