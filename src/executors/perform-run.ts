/** Performs one run: calls the job at its point, catches whatever comes, hands the record over. */
import { toErrorRecord } from '../errors.ts'
import type { JobFunction } from '../experiment/load-job.ts'
import type { RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { parameterViews } from '../trajectory/parameter-view.ts'
import type { RunIndex } from '../trajectory/path.ts'
import { LiveRun } from '../trajectory/run.ts'
import type { RunRecord } from '../trajectory/run-record.ts'
import type { WriteLog } from './job-log.ts'

export class RunPerformer {
  readonly #job: JobFunction
  readonly #setup: WorkerSetup
  readonly #viewAt: ReturnType<typeof parameterViews>
  readonly #send: (record: RunRecord) => Promise<void>
  readonly #writeLog: WriteLog
  /** The call of the job that has not ended; none between runs. */
  #call: JobCall | undefined

  constructor(
    job: JobFunction,
    setup: WorkerSetup,
    send: (record: RunRecord) => Promise<void>,
    writeLog: WriteLog,
  ) {
    this.#job = job
    this.#setup = setup
    this.#viewAt = parameterViews(setup.parameters)
    this.#send = send
    this.#writeLog = writeLog
  }

  /** Never rejects: a run that goes wrong is an outcome. One at a time. */
  async perform({ run, point }: RunTask): Promise<RunOutcome> {
    const startTimestamp = now()
    try {
      const live = new LiveRun({
        run,
        runCount: this.#setup.runCount,
        par: this.#viewAt(point),
        writeLog: (level, message) => this.#writeLog(level, message, run),
      })
      await this.#callJob(live)
      const leaves = live.end()
      await this.#send({ run, startTimestamp, finishTimestamp: now(), leaves })
      return { state: 'handed-over', run, startTimestamp }
    } catch (thrown) {
      const error = toErrorRecord(thrown)
      return { state: 'failed', failure: { run, error, startTimestamp, finishTimestamp: now() } }
    }
  }

  /**
   * Takes an error that no promise of the job carries: thrown in a timer, or a rejection nobody handles.
   * It fails the run that is being performed.
   *
   * @param run where the error comes from; where that is not known, it is taken for the active run's
   * @returns false when that run is not being performed: then the error can only be logged
   */
  strayError(thrown: unknown, run: RunIndex | undefined): boolean {
    const call = this.#call
    if (call === undefined || (run !== undefined && run !== call.run)) return false
    call.stray ??= { thrown }
    call.reject?.(thrown)
    return true
  }

  async #callJob(live: LiveRun): Promise<void> {
    const call: JobCall = { run: live.idx, stray: undefined, reject: undefined }
    this.#call = call
    try {
      // Called as a function: `this` is what the job gave it, not this object.
      const job = this.#job
      const pending = job(live)
      // Most jobs return no promise, and then nothing more can come from elsewhere.
      if (isThenable(pending)) {
        await new Promise((resolve, reject) => {
          call.reject = reject
          pending.then(resolve, reject)
        })
      }
    } finally {
      this.#call = undefined
    }
    // Also when the job itself went on as if nothing had happened.
    if (call.stray !== undefined) throw call.stray.thrown
  }
}

interface JobCall {
  readonly run: RunIndex
  /** The first error from elsewhere, boxed, because anything can be thrown. */
  stray: { readonly thrown: unknown } | undefined
  /** Ends the wait for the job's promise. */
  reject: ((thrown: unknown) => void) | undefined
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function'
}

/** Seconds since 1970, to the microsecond. */
function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000
}
