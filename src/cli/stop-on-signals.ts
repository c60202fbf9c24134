/**
 * Handles Ctrl-C, SIGTERM and SIGHUP. Before the first run they end the command at once. After that, the first signal
 * lets active runs finish, the second cancels them and closes the file properly, and the third ends at once. After
 * SIGHUP, and after SIGTERM, which clusters send some seconds before they kill, active runs have 8 seconds. In each
 * case the experiment can be continued.
 *
 * Node handles signals between two turns of the event loop, so a run that computes inline for an hour delays them until
 * its end. Only SIGKILL is faster; it loses nothing but that run and some temporary files. With a pool, runs are on
 * other threads, and main handles every signal at once.
 */
import { interruptedBy } from './end-on-signals.ts'
import { ExitCode } from './exit-code.ts'

export interface SignalStop extends Disposable {
  /** Aborted: no more runs start, active ones finish. */
  readonly signal: AbortSignal
  /** Aborted: active runs are cancelled. */
  readonly giveUp: AbortSignal
  /** 130 or 143 once a signal has come. */
  readonly exitCode: number | undefined
  /** Call it before the first run: from now on the first signal waits for active runs. */
  letRunsFinish(): void
  /** Does work that a signal must not interrupt; the signal ends the command as soon as the work is done. */
  whole<Value>(work: () => Promise<Value>): Promise<Value>
}

/** Of the ten seconds that a cluster allows, this leaves two for the last commit. */
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
    // The writer notices that main is gone, stores every run that has arrived whole, and closes the file.
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
