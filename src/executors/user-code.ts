/** The user's modules in the main thread, which they share with pypet-ts and, in a script, with its caller. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PypetError } from '../errors.ts'
import { ExitRefusal, refuseExit } from '../experiment/refuse-exit.ts'
import type { RunIndex } from '../values/path.ts'
import { type CapturedOutput, captureOutput, type StreamName } from './captured-output.ts'

export interface UserCodeListener {
  /** A printed line, with its run and its stream. */
  onLine(line: string, run: RunIndex | undefined, from: StreamName): void
  /** An error outside all promises: thrown in a timer, or an unhandled rejection. */
  onStrayError(thrown: unknown, run: RunIndex | undefined): void
}

/**
 * Watches the job and config file of one experiment in the main thread. Captures what they print, catches errors that
 * nothing else can catch, and makes `process.exit` throw. Other code in the process is not affected.
 *
 * Lines and errors are kept until there is a listener.
 */
export class UserCode implements Disposable {
  /** Rejects at the first stray error, and never resolves. Code that waits for user code need not wait forever. */
  readonly failed: Promise<never>
  /** Lines printed before there was a listener. */
  readonly printed: string[] = []
  readonly #jobFile: string
  readonly #isProcessOurs: boolean
  #takesAllErrors = false
  readonly #output: CapturedOutput
  readonly #restoreExit: () => void
  #listener: UserCodeListener
  #early: ((listener: UserCodeListener) => void)[] = []

  /**
   * Starts to listen to the process.
   *
   * @param jobFile the user's source file, as in stacks
   * @param options.isProcessOurs the process belongs to the command and ends with it. Then everything stays in place
   *   after the disposal too, because timers of the job may still be pending.
   */
  constructor(jobFile: string, { isProcessOurs }: { readonly isProcessOurs: boolean }) {
    this.#jobFile = jobFile
    this.#isProcessOurs = isProcessOurs
    let fail: (thrown: unknown) => void = () => undefined
    this.failed = new Promise<never>((_resolve, reject) => {
      fail = reject
    })
    // May be awaited several times, or never.
    this.failed.catch(() => undefined)
    this.#listener = {
      onLine: (line, run, from) => {
        this.printed.push(line)
        this.#early.push((listener) => listener.onLine(line, run, from))
      },
      onStrayError: (thrown, run) => {
        fail(thrown)
        this.#early.push((listener) => listener.onStrayError(thrown, run))
      },
    }
    this.#output = captureOutput(
      (line, from) => this.#listener.onLine(line, places.getStore()?.run, from),
      () => places.getStore()?.code === this,
    )
    this.#restoreExit = refuseExit((exitCode) => {
      const place = places.getStore()
      return place?.code === this ? this.#refuse(exitCode, place.run) : undefined
    })
    catchStrayErrors(this)
  }

  /** Calls the user's code. Everything it starts is attributed to the experiment and the run. */
  call<Result>(action: () => Result, run?: RunIndex): Result {
    return places.run({ code: this, run }, action)
  }

  /** Calls code that is not the user's from the user's code: output of a reporter is not output of the job. */
  leave(action: () => void): void {
    places.run(undefined, action)
  }

  /** Passes everything on from now on, starting with what was kept. Only the latest listener is used. */
  listen(listener: UserCodeListener): void {
    this.#listener = listener
    const early = this.#early
    this.#early = []
    for (const tell of early) tell(listener)
  }

  /** Passes on an unfinished line, because nothing more will be added to it. */
  flush(): void {
    this.#output.flush()
  }

  /** Runs are performed in this thread. If the process is ours, errors of unknown origin are theirs. */
  claimErrors(): void {
    this.#takesAllErrors = this.#isProcessOurs
  }

  /** Whether an error belongs to this experiment, judged by the error alone. */
  owns(thrown: unknown): boolean {
    return this.#takesAllErrors || (thrown instanceof Error && String(thrown.stack).includes(this.#jobFile))
  }

  /** Takes an error of this experiment. */
  strayError(thrown: unknown, run: RunIndex | undefined): void {
    this.#listener.onStrayError(thrown, run)
  }

  [Symbol.dispose](): void {
    if (this.#isProcessOurs) return
    leaveStrayErrors(this)
    this.#restoreExit()
    this.#output.restore()
  }

  /**
   * In a thread, `process.exit` ends the thread. Here it would end the experiment, usually with exit code 0. So it
   * throws, and fails the run that calls it, even if the job catches that error.
   */
  #refuse(exitCode: unknown, run: RunIndex | undefined): Error {
    const error = run === undefined ? new ExitRefusal(exitCode) : exitError(exitCode)
    this.strayError(error, run)
    return error
  }
}

/** Whose code is running. Inherited by every timer, promise and callback that starts there. */
interface Place {
  readonly code: UserCode
  readonly run: RunIndex | undefined
}

const places = new AsyncLocalStorage<Place | undefined>()
const listening = new Set<UserCode>()

function catchStrayErrors(code: UserCode): void {
  if (listening.size === 0) {
    process.on('uncaughtException', onUncaughtException)
    process.on('unhandledRejection', onUnhandledRejection)
  }
  listening.add(code)
}

function leaveStrayErrors(code: UserCode): void {
  listening.delete(code)
  if (listening.size > 0) return
  process.off('uncaughtException', onUncaughtException)
  process.off('unhandledRejection', onUnhandledRejection)
}

function onUncaughtException(thrown: unknown): void {
  if (wasTaken(thrown) || process.listenerCount('uncaughtException') > 1) return
  // There is no other listener, so this error ends the process, as it would without pypet-ts.
  process.off('uncaughtException', onUncaughtException)
  process.nextTick(() => {
    throw thrown
  })
}

function onUnhandledRejection(thrown: unknown): void {
  if (wasTaken(thrown) || process.listenerCount('unhandledRejection') > 1) return
  // Like Node: an unhandled rejection becomes an uncaught exception.
  throw thrown
}

function wasTaken(thrown: unknown): boolean {
  const place = places.getStore()
  // Node before 24 loses the context of errors in a bare microtask.
  const code = place?.code ?? [...listening].find((candidate) => candidate.owns(thrown))
  code?.strayError(thrown, place?.run)
  return code !== undefined
}

function exitError(exitCode: unknown): PypetError {
  return new PypetError('PYPET_EXECUTOR_FAILED', `the job called process.exit(${exitCode ?? ''})`, {
    hint: 'To end a run, return from the job. To fail it, throw an error.',
  })
}
