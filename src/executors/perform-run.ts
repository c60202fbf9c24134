/** Performs one run: calls the job at its point, catches whatever comes, hands the record over. */
import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isPypetError, PypetError, toErrorRecord } from '../errors.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import type { LoadedJob } from '../experiment/load-job.ts'
import { assertClasses } from '../experiment/own-classes.ts'
import type { RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { parameterViews } from '../run/parameter-view.ts'
import { encodeRunFrame } from '../run/run-frame.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import { JobRun } from '../tree/job-run.ts'
import type { RunIndex } from '../values/path.ts'
import { AttemptParts } from './attempt-parts.ts'
import type { WriteLog } from './job-log.ts'
import { jobTree } from './job-tree.ts'
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
  /** The call of the job that has not ended; none between runs. */
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
   * A run that goes wrong is an outcome. One at a time.
   *
   * @throws PypetError `PYPET_WRITER_DIED` when nobody takes what the run has made
   */
  async perform(task: RunTask): Promise<RunOutcome> {
    const { run, attempt } = task
    if (this.#store.ready !== undefined) await this.#store.ready()
    const startTimestamp = now()
    const parts = new AttemptParts(this.#setup.parts, task, this.#storedBefore)
    let performed: Performed
    try {
      performed = await this.#performJob(task, startTimestamp, parts)
    } catch (thrown) {
      if (parts.isUsed) await parts.drop()
      const error = toErrorRecord(thrown)
      const failure = { run, error, attempts: attempt, startTimestamp, finishTimestamp: now() }
      return { state: 'failed', failure }
    }
    try {
      await this.#store.sendFrame(performed.frame)
      if (parts.isUsed) await parts.handOver()
    } catch (thrown) {
      // A user's own storage may refuse one run and take the next.
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
      startTimestamp,
      ...(returned !== undefined && this.#setup.tellsReturned && { returned }),
    }
  }

  /** The run's record, as a frame. Whatever it throws is the job's fault. */
  async #performJob(task: RunTask, startTimestamp: number, parts: AttemptParts): Promise<Performed> {
    const { run, point, runCount } = task
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
    const frame = encodeRunFrame({
      run,
      startTimestamp,
      finishTimestamp: now(),
      leaves,
      ...(live.links.length > 0 && { links: live.links }),
      ...(live.groups.length > 0 && { groups: live.groups }),
      ...(returned !== undefined && { returned }),
      ...(parts.path !== undefined && { partFile: parts.path }),
    })
    return { frame, returned }
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

  /** Resolves to what the job returns. */
  async #callJob(live: JobRun, args: readonly unknown[]): Promise<unknown> {
    const call: JobCall = { run: live.idx, stray: undefined, reject: undefined }
    this.#call = call
    let returned: unknown
    try {
      // Called as a function: `this` is what the job gave it, not this object.
      const job = this.#job
      const pending: unknown = job(live, ...args)
      returned = pending
      // Most jobs return no promise, and then nothing more can come from elsewhere.
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
    // Also when the job itself went on as if nothing had happened.
    if (call.stray !== undefined) throw call.stray.thrown
    return returned
  }
}

/** What the job did not wait for. Where that cannot be stored, whoever had its promise has handled it, or it is a stray error. */
async function drain(live: JobRun): Promise<void> {
  let hasFailed = false
  for (let storing = live.storing; storing !== undefined; storing = live.storing) {
    await storing.catch(() => {
      hasFailed = true
    })
  }
  // Node tells of a rejection that nobody has handled at the end of a turn.
  if (hasFailed) await nextTurn()
}

interface Performed {
  readonly frame: readonly Uint8Array[]
  /** As structured-clone bytes. */
  readonly returned: Uint8Array | undefined
}

/** Loaded with the first job that returns something: many return nothing. */
let v8: typeof import('node:v8') | undefined

/** What a job returned, as structured-clone bytes. */
function cloneReturned(returned: unknown): Uint8Array {
  try {
    v8 ??= createRequire(import.meta.url)('node:v8') as typeof import('node:v8')
    return v8.serialize(returned)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new PypetError('PYPET_VALUE_UNSUPPORTED', `what the job returned cannot be kept: ${found}`, {
      hint: 'Return values, not functions; store results by traj.addResult.',
      cause,
    })
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
