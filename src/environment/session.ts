/** One storage, one executor, and the runs they compute together. */
import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { Executor, TaskSource } from '../executors/executor.ts'
import { heldBack, LoadGate } from '../executors/held-back.ts'
import { openExecutor, workerCount } from '../executors/open-executor.ts'
import { type ExplorationPlan, hasObjects } from '../exploration/run-point.ts'
import type { RunRanges } from '../journal/cnt-record.ts'
import { missingRuns } from '../journal/run-set.ts'
import type { Opened, WorkerSetup } from '../protocol.ts'
import type { RunStore } from '../storage/run-store.ts'
import { sentParameter } from '../tree/run-nodes.ts'
import type { Execution, SessionEnd } from './execution.ts'
import { PostprocessRounds } from './postprocess-rounds.ts'
import type { RunLedger } from './run-ledger.ts'
import { RunQueue } from './run-queue.ts'
import { Runs } from './runs.ts'
import { storedBefore } from './seen-nodes.ts'

/** Everything is open. After disposing of it, no worker is active. */
export interface Session extends AsyncDisposable {
  readonly execution: Execution
  readonly store: RunStore
  readonly executor: Executor
  readonly runs: Runs
  readonly rounds: PostprocessRounds
  /** The runs for the executor: held back while the machine or the storage is overloaded. */
  readonly tasks: TaskSource
  /** Resolves when the provenance is stored. */
  readonly recorded: Promise<void>
}

/**
 * Starts the workers, then opens the storage: a job that does not load in a worker changes nothing.
 *
 * @param open tells the storage how to start
 * @throws PypetError as `runExperiment`
 */
export async function openSession(
  execution: Execution,
  store: RunStore,
  open: (store: RunStore, ledger: RunLedger) => Promise<Opened>,
): Promise<Session> {
  const { ledger } = execution
  const { settings } = execution.experiment
  const setup = await workerSetup(execution, store)
  ledger.attach(store)
  execution.provenance.begin()
  const executor = await openWorkers(execution, setup)
  try {
    const opened = await open(store, ledger)
    ledger.take(opened)
    const reporter = execution.opened(opened)
    const queue = new RunQueue(runsToPerform(execution), {
      retries: settings.retries,
      workerCount: workerCount(settings, setup.runCount),
    })
    const recorded = recordProvenance(execution, store, reporter)
    // It is awaited at the end; until then a rejection must not be unhandled.
    recorded.catch(() => undefined)
    const seenCount = opened.postprocessedCount
    const rounds = new PostprocessRounds(execution, { store, reporter, queue, seenCount, settled: recorded })
    const runs = new Runs(execution, { reporter, queue, rounds })
    runs.whenStopped = () => executor.interrupt()
    rounds.whenFailed = () => executor.interrupt()
    ledger.whenLost = (lost) => runs.takeLost(lost)
    ledger.whenEnded = (ended) => execution.partsFolder.noteEnded(ended)
    void runs.givenUp.then(() => store.giveUp())
    const load = new LoadGate(settings, (level, message) => reporter.emit({ type: 'log', level, message }))
    const queueMaxsize = settings.wrapMode === 'queue' ? settings.queueMaxsize : 0
    const tasks = heldBack(heldBack(runs, load), ledger.gate(queueMaxsize))
    const dispose = () => executor[Symbol.asyncDispose]()
    return { execution, store, executor, runs, rounds, tasks, recorded, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await executor[Symbol.asyncDispose]()
    throw error
  }
}

async function workerSetup(execution: Execution, store: RunStore): Promise<WorkerSetup> {
  const { experiment, plan, options, partsFolder } = execution
  const { settings, parameters, job, args } = experiment
  const mayGrow = options.postprocessing !== undefined
  return {
    job,
    parameters: parameters.map(sentParameter),
    nodes: execution.nodes,
    seed: settings.seed,
    runCount: mayGrow ? Math.max(settings.ncores, plan.runCount) : plan.runCount,
    ...(isSmall(plan.now) && { plan: plan.now }),
    args: args.common,
    tellsReturned: execution.wantsReturned || store.needsReturned === true,
    storage: await store.workerStorage(),
    parts: { folder: partsFolder.path, areTaken: store.takesParts === true },
    logLevel: settings.logLevel,
    logStdout: settings.logStdout,
    timeoutMs: settings.timeout * 1000,
    niceness: settings.niceness,
  }
}

/** Whether each thread may have a copy. */
function isSmall(plan: ExplorationPlan): boolean {
  return !hasObjects(plan) && valueCount(plan.exploration) <= SENT_VALUES_MAX
}

/** Copying this many numbers takes a thread about twice as long as its start. */
const SENT_VALUES_MAX = 1_000_000

/** How many values are listed one by one. */
function valueCount(data: unknown): number {
  if (ArrayBuffer.isView(data)) return data.byteLength / Float64Array.BYTES_PER_ELEMENT
  if (typeof data !== 'object' || data === null) return 1
  if (Array.isArray(data) && typeof data[0] !== 'object') return data.length
  return Object.values(data).reduce((sum: number, each) => sum + valueCount(each), 0)
}

async function openWorkers(execution: Execution, setup: WorkerSetup): Promise<Executor> {
  const { settings, userCode } = execution.experiment
  try {
    return await openExecutor(settings, setup, execution.listen, userCode, storedBefore(settings))
  } catch (error) {
    execution.showEarlyLines()
    throw error
  }
}

/** The runs that are neither stored nor failed, if they are wanted. */
function runsToPerform({ experiment, plan, ledger }: Execution): RunRanges {
  const { opening } = experiment
  const missing = missingRuns(plan.runCount, ledger.stored.toRanges(), ledger.failed.toRanges())
  const only = opening.kind === 'continue' ? opening.only : undefined
  if (only !== undefined) missing.removeRanges(missingRuns(plan.runCount, only.toRanges()).toRanges())
  return missing.toRanges()
}

/**
 * Computes what is missing. Resolves
 *
 * - when there is no run left, post-processing has nothing to add, and the storage has announced every run that was
 *   started; runs that a dying worker loses are repeated before that;
 * - when the experiment is stopped, by its signal, by too many failures or by failed post-processing: as soon as the
 *   active runs have ended and are announced;
 * - when active runs are cancelled: at once.
 *
 * After that no worker is active, and no run starts.
 *
 * @throws PypetError `PYPET_WRITER_DIED`, `PYPET_STORAGE_FAILED`, and as `Executor.perform`. Runs may be active on
 *   other threads and in other processes until the session is disposed of
 */
export async function performUntilQuiet(session: Session): Promise<void> {
  const { execution, store, executor, runs, rounds, tasks } = session
  const { ledger } = execution
  const unlessGivenUp = (work: Promise<unknown>) => Promise.race([work, runs.givenUp])
  let performing: Promise<void> = Promise.resolve()
  try {
    let isQuiet = false
    while (!isQuiet) {
      performing = executor.perform(tasks, (outcome) => runs.take(outcome))
      await unlessGivenUp(Promise.race([performing, ledger.broken]))
      const hasMore = !runs.isStopped && (await unlessGivenUp(rounds.afterAll())) === true
      if (hasMore) continue
      store.finish()
      // Runs lost by a worker that ends meanwhile are repeated.
      if (store.storesInWorkers) await unlessGivenUp(ledger.complete())
      isQuiet = !(store.storesInWorkers && runs.hasNext())
    }
    // The threads end while the writer commits; their last lines come before the end.
    const completed = runs.isGivenUp ? undefined : ledger.complete()
    const ended = executor[Symbol.asyncDispose]()
    await unlessGivenUp(Promise.all([completed, ended]))
    if (runs.isGivenUp) await ended
    await unlessGivenUp(session.recorded)
  } catch (error) {
    runs.stop()
    // A run in this thread cannot be stopped from outside, and two at once would be one too many.
    if (execution.experiment.settings.executor === 'inline') {
      await unlessGivenUp(performing.catch(() => undefined))
    }
    // Workers may notice that the writer is gone before the reason is known.
    if (isPypetError(error, 'PYPET_WRITER_DIED')) await Promise.race([ledger.broken, delay(REASON_WAIT_MS)])
    throw error
  }
  runs.stop()
}

/**
 * Closes the file.
 *
 * @throws PypetError what post-processing has thrown, and as `RunStore.close`
 */
export async function closeSession({ execution, store, runs, rounds }: Session): Promise<SessionEnd> {
  const { ledger, plan } = execution
  const finishTimestamp = (performance.timeOrigin + performance.now()) / 1000
  const isComplete = ledger.storedCount + ledger.failedCount === plan.runCount && !rounds.isPending
  const config = isComplete ? execution.closingConfig(finishTimestamp) : []
  const closed = await store.close({ config, isComplete })
  if (rounds.error !== undefined) throw rounds.error
  const durationMs = Math.max(0, (finishTimestamp - Math.min(runs.startTimestamp, finishTimestamp)) * 1000)
  return { ...closed, stoppedBy: isComplete ? undefined : runs.stoppedBy, durationMs }
}

/**
 * Stores provenance after the first commit, so as not to delay it, or soon if runs take long: an experiment may be
 * killed before its end.
 */
async function recordProvenance(
  { provenance, ledger }: Execution,
  store: RunStore,
  reporter: Reporter,
): Promise<void> {
  try {
    const extension = await provenance.collected()
    if (extension.leaves.length === 0) return
    await Promise.race([ledger.firstCommit, delay(PROVENANCE_WAIT_MS, undefined, { ref: false })])
    await store.extend(extension)
  } catch (error) {
    if (!isPypetError(error)) throw error
    // A writer that is gone has been reported elsewhere.
    if (['PYPET_WRITER_DIED', 'PYPET_STORAGE_FAILED'].includes(error.code)) return
    reporter.emit({ type: 'log', level: 'warn', message: `provenance is not stored: ${error.message}` })
  }
}

const PROVENANCE_WAIT_MS = 250

/** The last message of a dying writer arrives a moment after its end. */
const REASON_WAIT_MS = 5000
