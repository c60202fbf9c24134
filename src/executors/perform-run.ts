/** Performs one run: calls the job at its point, catches whatever comes, hands the record over. */
import { toErrorRecord } from '../errors.ts'
import type { JobFunction } from '../experiment/load-job.ts'
import type { RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { LOG_LEVELS, type LogLevel } from '../trajectory/log-level.ts'
import { parameterViews } from '../trajectory/parameter-view.ts'
import type { RunIndex } from '../trajectory/path.ts'
import { LiveRun } from '../trajectory/run.ts'
import type { RunRecord } from '../trajectory/run-record.ts'

export type WriteLog = (level: LogLevel, message: string, run?: RunIndex) => void

export class RunPerformer {
  readonly #job: JobFunction
  readonly #setup: WorkerSetup
  readonly #viewAt: ReturnType<typeof parameterViews>
  readonly #send: (record: RunRecord) => Promise<void>
  readonly #writeLog: WriteLog
  /** Rejects the run being performed; none between runs. */
  #failCurrent: ((thrown: unknown) => void) | undefined

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
    const loudest = LOG_LEVELS.indexOf(setup.logLevel)
    this.#writeLog = (level, message, run) => {
      if (LOG_LEVELS.indexOf(level) <= loudest) writeLog(level, message, run)
    }
  }

  /** Never rejects: a run that goes wrong is an outcome. */
  async perform({ run, point }: RunTask): Promise<RunOutcome> {
    const startTimestamp = now()
    try {
      const live = new LiveRun({
        run,
        runCount: this.#setup.runCount,
        par: this.#viewAt(point),
        writeLog: (level, message) => this.#writeLog(level, message, run),
      })
      await this.#call(live)
      const leaves = live.leaves()
      await this.#send({ run, startTimestamp, finishTimestamp: now(), leaves })
      return { state: 'handed-over', run, startTimestamp }
    } catch (thrown) {
      const error = toErrorRecord(thrown)
      return { state: 'failed', failure: { run, error, startTimestamp, finishTimestamp: now() } }
    }
  }

  /** An error that no promise of the job carries: thrown in a timer, or a rejection nobody handles. */
  strayError(thrown: unknown): void {
    if (this.#failCurrent !== undefined) this.#failCurrent(thrown)
    else this.#writeLog('error', `after a run had ended: ${toErrorRecord(thrown).stack}`)
  }

  async #call(live: LiveRun): Promise<void> {
    const pending = this.#job(live)
    // Most jobs return no promise, and then no error can come from elsewhere meanwhile.
    if (!isThenable(pending)) return
    try {
      await new Promise((resolve, reject) => {
        this.#failCurrent = reject
        pending.then(resolve, reject)
      })
    } finally {
      this.#failCurrent = undefined
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function'
}

/** Seconds since 1970, to the microsecond. */
function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000
}
