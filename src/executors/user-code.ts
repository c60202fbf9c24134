/** The user's modules in the main thread, which they share with pypet-ts and, in library use, with its caller. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PypetError } from '../errors.ts'
import { ExitRefusal, refuseExit } from '../experiment/refuse-exit.ts'
import type { RunIndex } from '../values/path.ts'
import { type CapturedOutput, captureOutput, type StreamName } from './captured-output.ts'

export interface UserCodeListener {
  /** A line that was printed, in which run, and where to. */
  onLine(line: string, run: RunIndex | undefined, from: StreamName): void
  /** An error that no promise carries to us: thrown in a timer, or a rejection nobody handles. */
  onStrayError(thrown: unknown, run: RunIndex | undefined): void
}

/**
 * What job and config file of one experiment do in the main thread: what they print is captured, what they
 * throw where nobody can catch it is caught, and `process.exit` throws. What others do in the same process
 * goes its usual way.
 *
 * Until somebody listens, lines and errors are kept.
 */
export class UserCode implements Disposable {
  /** Rejects at the first stray error; never resolves. Who waits for user code need not wait for ever. */
  readonly failed: Promise<never>
  /** Lines that were printed before anybody listened. */
  readonly printed: string[] = []
  readonly #jobFile: string
  readonly #isProcessOurs: boolean
  #takesAllErrors = false
  readonly #output: CapturedOutput
  readonly #restoreExit: () => void
  #listener: UserCodeListener
  #early: ((listener: UserCodeListener) => void)[] = []

  /**
   * Begins to listen to the process.
   *
   * @param jobFile the user's source file, as stacks name it
   * @param options.isProcessOurs the process is the command's and ends with it: then everything stays
   *   as it is after the disposal too, since timers of the job may still be waiting
   */
  constructor(jobFile: string, { isProcessOurs }: { readonly isProcessOurs: boolean }) {
    this.#jobFile = jobFile
    this.#isProcessOurs = isProcessOurs
    let fail: (thrown: unknown) => void = () => undefined
    this.failed = new Promise<never>((_resolve, reject) => {
      fail = reject
    })
    // Several await it, at times nobody does.
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

  /** Calls what calls the user's code. Whatever that begins is known as the experiment's, and the run's. */
  call<Result>(action: () => Result, run?: RunIndex): Result {
    return places.run({ code: this, run }, action)
  }

  /** Calls what is not the user's from within the user's code: what a reporter prints is no output of the job. */
  leave(action: () => void): void {
    places.run(undefined, action)
  }

  /** Hands everything on from now on, and first what was kept. The latest listener is the only one. */
  listen(listener: UserCodeListener): void {
    this.#listener = listener
    const early = this.#early
    this.#early = []
    for (const tell of early) tell(listener)
  }

  /** Hands on what was printed without an end of line, because nothing more will come to it. */
  flush(): void {
    this.#output.flush()
  }

  /** Runs are performed in this thread: in a process of ours, an error out of nowhere is theirs. */
  claimErrors(): void {
    this.#takesAllErrors = this.#isProcessOurs
  }

  /** Whether an error is this experiment's of which only itself is known. */
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
   * In a thread `process.exit` ends the thread; here it would end the experiment, and with the job's exit
   * code, which is 0 more often than not. So it throws, and fails the run that calls it, also when the
   * job catches that.
   */
  #refuse(exitCode: unknown, run: RunIndex | undefined): Error {
    const error = run === undefined ? new ExitRefusal(exitCode) : exitError(exitCode)
    this.strayError(error, run)
    return error
  }
}

/** Whose code is running: inherited by every timer, promise and callback that begins there. */
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
  // Nobody else listens, so the process ends by this error, as it would have without us.
  process.off('uncaughtException', onUncaughtException)
  process.nextTick(() => {
    throw thrown
  })
}

function onUnhandledRejection(thrown: unknown): void {
  if (wasTaken(thrown) || process.listenerCount('unhandledRejection') > 1) return
  // What Node does with a rejection that nobody listens for: it becomes an uncaught exception.
  throw thrown
}

function wasTaken(thrown: unknown): boolean {
  const place = places.getStore()
  // Node before 24 loses the place of what a bare microtask throws.
  const code = place?.code ?? [...listening].find((candidate) => candidate.owns(thrown))
  code?.strayError(thrown, place?.run)
  return code !== undefined
}

function exitError(exitCode: unknown): PypetError {
  return new PypetError('PYPET_EXECUTOR_FAILED', `the job called process.exit(${exitCode ?? ''})`, {
    hint: 'Return from the job to end a run, throw an error to fail it.',
  })
}
