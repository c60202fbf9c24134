/** Performs one run: calls the job at its point, catches all errors, and hands over the record. */
import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isPypetError, PypetError, toErrorRecord } from '../errors.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import type { LoadedJob } from '../experiment/load-job.ts'
import { assertClasses } from '../experiment/own-classes.ts'
import type { RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { parameterViews } from '../run/parameter-view.ts'
import { encodeRunFrame } from '../run/run-frame.ts'
import type { RunRecord } from '../run/run-record.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import { JobRun } from '../tree/job-run.ts'
import type { RunIndex } from '../values/path.ts'
import { AttemptParts } from './attempt-parts.ts'
import type { WriteLog } from './job-log.ts'
import { jobTree } from './job-tree.ts'
import type { RangeRows } from './range-rows.ts'
import type { RecordStore } from './record-store.ts'
import { runSeeds } from './run-seeds.ts'

export class RunPerformer {
  readonly #job: JobFunction
  readonly #setup: WorkerSetup
  readonly #tree: ReturnType<typeof jobTree>
  readonly #viewAt: ReturnType<typeof parameterViews>
  readonly #derivedAt: ReturnType<typeof parameterViews>
  readonly #seedsAt: ReturnType<typeof runSeeds>
  readonly #store: Pick<RecordStore, 'sendFrame' | 'ready'>
  readonly #writeLog: WriteLog
  readonly #storedBefore: StoredBefore
  /** The active call of the job. Undefined between runs. */
  #call: JobCall | undefined

  constructor(
    { run, classes, file }: Pick<LoadedJob, 'run' | 'classes' | 'file'>,
    setup: WorkerSetup,
    store: Pick<RecordStore, 'sendFrame' | 'ready'>,
    writeLog: WriteLog,
    storedBefore: StoredBefore = async () => undefined,
  ) {
    assertClasses(setup.parameters, classes, file)
    this.#storedBefore = storedBefore
    this.#job = run
    this.#setup = setup
    this.#tree = jobTree(setup, classes)
    this.#viewAt = parameterViews(setup.parameters, this.#tree.findParameter, classes)
    this.#derivedAt = parameterViews(setup.parameters, undefined, classes, 'derived_parameters')
    this.#seedsAt = runSeeds(setup)
    this.#store = store
    this.#writeLog = writeLog
  }

  /**
   * Performs one run at a time. A failed run is an outcome, not an error.
   *
   * @param rows takes the run if it can be packed. It is handed over with the others.
   * @throws PypetError `PYPET_WRITER_DIED` if nobody takes the results
   */
  async perform(task: RunTask, rows?: RangeRows): Promise<RunOutcome> {
    const { run, attempt } = task
    if (this.#store.ready !== undefined) await this.#store.ready()
    const startTimestamp = now()
    const parts = new AttemptParts(this.#setup.parts, task, this.#storedBefore)
    let performed: Performed
    try {
      performed = await this.#performJob(task, startTimestamp, parts, rows)
    } catch (thrown) {
      if (parts.isUsed) await parts.drop()
      const error = toErrorRecord(thrown)
      const failure = { run, error, attempts: attempt, startTimestamp, finishTimestamp: now() }
      return { state: 'failed', failure }
    }
    try {
      if (performed.frame !== undefined || rows?.isFull === true) await rows?.flush()
      if (performed.frame !== undefined) await this.#store.sendFrame(performed.frame)
      if (parts.isUsed) await parts.handOver()
    } catch (thrown) {
      // A user's storage service may refuse one run and take the next.
      if (!isPypetError(thrown, 'PYPET_STORAGE_SERVICE_FAILED')) {
        await parts.close()
        throw thrown
      }
      if (parts.isUsed) await parts.drop()
      const error = toErrorRecord(thrown)
      const failure = { run, error, attempts: attempt, startTimestamp, finishTimestamp: now() }
      return { state: 'failed', failure }
    }
    const { returned } = performed
    return {
      state: 'handed-over',
      run,
      count: 1,
      startTimestamp,
      ...(returned !== undefined && this.#setup.tellsReturned && { returned }),
    }
  }

  /** The run's record, as a frame or a row. Any error here is the job's. */
  async #performJob(
    task: RunTask,
    startTimestamp: number,
    parts: AttemptParts,
    rows: RangeRows | undefined,
  ): Promise<Performed> {
    const { run, attempt, point, runCount } = task
    const live = new JobRun({
      run,
      runCount,
      par: this.#viewAt(point),
      point,
      derived: () => this.#derivedAt(point),
      tree: this.#tree,
      seeds: () => this.#seedsAt(point),
      writeLog: (level, message) => this.#writeLog(level, message, run),
      parts: () => parts.open(),
    })
    const value = await this.#callJob(live, task.args ?? this.#setup.args)
    const added = live.end()
    const leaves = parts.isUsed ? parts.leavesToSend(added) : added
    const returned = value === undefined ? undefined : cloneReturned(value)
    const record: RunRecord = {
      run,
      startTimestamp,
      finishTimestamp: now(),
      ...(attempt > 1 && { attempts: attempt }),
      leaves,
      ...(live.links.length > 0 && { links: live.links }),
      ...(live.groups.length > 0 && { groups: live.groups }),
      ...(returned !== undefined && { returned }),
      ...(parts.path !== undefined && { partFile: parts.path }),
    }
    return { frame: rows?.pack(record) === true ? undefined : encodeRunFrame(record), returned }
  }

  /**
   * Takes an error outside the promises of the job: thrown in a timer, or an unhandled rejection. It fails the active
   * run.
   *
   * @param run where the error comes from. If unknown, it is attributed to the active run.
   * @returns false if that run is not active. Then the error can only be logged.
   */
  strayError(thrown: unknown, run: RunIndex | undefined): boolean {
    const call = this.#call
    if (call === undefined || (run !== undefined && run !== call.run)) return false
    call.stray ??= { thrown }
    call.reject?.(thrown)
    return true
  }

  /** Resolves to the job's return value. */
  async #callJob(live: JobRun, args: readonly unknown[]): Promise<unknown> {
    const call: JobCall = { run: live.idx, stray: undefined, reject: undefined }
    this.#call = call
    let returned: unknown
    try {
      // Called as a function: `this` is not this object.
      const job = this.#job
      const pending: unknown = job(live, ...args)
      returned = pending
      // Most jobs return no promise. Then no stray error can come any more.
      if (isThenable(pending)) {
        returned = await new Promise((resolve, reject) => {
          call.reject = reject
          pending.then(resolve, reject)
        })
      }
      call.reject = undefined
      await drain(live)
    } finally {
      this.#call = undefined
    }
    // Even if the job continued as if nothing had happened.
    if (call.stray !== undefined) throw call.stray.thrown
    return returned
  }
}

/**
 * What the job did not wait for. If it cannot be stored, the job has handled the rejection, or it becomes a stray
 * error.
 */
async function drain(live: JobRun): Promise<void> {
  let hasFailed = false
  for (let storing = live.storing; storing !== undefined; storing = live.storing) {
    await storing.catch(() => {
      hasFailed = true
    })
  }
  // Node reports an unhandled rejection at the end of a turn.
  if (hasFailed) await nextTurn()
}

interface Performed {
  /** Undefined if the run is packed in a row. */
  readonly frame: readonly Uint8Array[] | undefined
  /** As structured-clone bytes. */
  readonly returned: Uint8Array | undefined
}

/** Loaded when the first job returns something: many return nothing. */
let v8: typeof import('node:v8') | undefined

/** The job's return value, as structured-clone bytes. */
function cloneReturned(returned: unknown): Uint8Array {
  try {
    v8 ??= createRequire(import.meta.url)('node:v8') as typeof import('node:v8')
    return v8.serialize(returned)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new PypetError('PYPET_VALUE_UNSUPPORTED', `cannot keep the job's return value: ${found}`, {
      hint: 'Return plain values, not functions. Store results with traj.addResult.',
      cause,
    })
  }
}

interface JobCall {
  readonly run: RunIndex
  /** The first stray error, boxed because any value can be thrown. */
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
