/** One storage, one executor, and the runs that they have to perform together. */
import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import { heldBack, LoadGate } from '../executors/held-back.ts'
import { openExecutor, workerCount } from '../executors/open-executor.ts'
import type { WorkerSetup } from '../protocol.ts'
import { sentParameter } from '../tree/run-nodes.ts'
import { PostprocessRounds } from './postprocess-rounds.ts'
import { RunQueue } from './run-queue.ts'
import { Runs, type StopReason } from './runs.ts'
import { runsToPerform } from './runs-to-perform.ts'
import type { SessionParts } from './session-parts.ts'
import { storedBefore } from './stored-before.ts'

export interface SessionEnd {
  /** The `.cnt` file, unless it was removed because every run is stored. */
  readonly cntFile: string | undefined
  /** As of `Closed`. */
  readonly isBehind?: true
  /** Why runs are left, where somebody or something has stopped them. */
  readonly stoppedBy: StopReason | undefined
  /** From the first run of this session to the last one stored. */
  readonly durationMs: number
}

/**
 * Performs what is missing and closes the file. As `runExperiment`; a writer that dies rejects with
 * `PYPET_WRITER_DIED`, when no run is active any more.
 */
export async function performSession(parts: SessionParts): Promise<SessionEnd> {
  const { experiment, store, ledger, open, listen, plan, postprocessing } = parts
  const { settings, parameters, job, userCode, args } = experiment
  const mayGrow = postprocessing !== undefined
  const setup: WorkerSetup = {
    job,
    parameters: parameters.map(sentParameter),
    nodes: parts.nodes,
    seed: settings.seed,
    runCount: mayGrow ? Math.max(settings.ncores, plan.runCount) : plan.runCount,
    args: args.common,
    tellsReturned: parts.wantsReturned || store.needsReturned === true,
    storage: await store.workerStorage(),
    parts: { folder: parts.partsFolder.path, areTaken: store.takesParts === true },
    logLevel: settings.logLevel,
    logStdout: settings.logStdout,
    timeoutMs: settings.timeout * 1000,
    niceness: settings.niceness,
  }
  ledger.attach(store)
  parts.provenance.begin()
  // The file is touched only when workers have loaded the job: one that does not load there changes nothing.
  await using executor = await openExecutor(settings, setup, listen, userCode, storedBefore(settings))
  const opened = await open(store, ledger)
  ledger.take(opened)
  const reporter = parts.onOpened(opened)

  const queue = new RunQueue(runsToPerform(experiment, plan, ledger), {
    retries: settings.retries,
    workerCount: workerCount(settings, setup.runCount),
  })
  const recorded = recordProvenance(parts, reporter)
  // It is awaited at the end; until then nobody hears of it.
  recorded.catch(() => undefined)
  const rounds = new PostprocessRounds(parts, {
    reporter,
    queue,
    seenCount: opened.postprocessedCount,
    settled: recorded,
  })
  const runs = new Runs(parts, { reporter, queue, rounds })
  ledger.whenLost = (lost) => runs.takeLost(lost)
  ledger.whenEnded = (ended) => parts.partsFolder.noteEnded(ended)
  void runs.givenUp.then(() => store.giveUp())
  const load = new LoadGate(settings, (level, message) => reporter.emit({ type: 'log', level, message }))
  const queueMaxsize = settings.wrapMode === 'queue' ? settings.queueMaxsize : 0
  const tasks = heldBack(heldBack(runs, load), ledger.gate(queueMaxsize))
  let performing: Promise<void> = Promise.resolve()
  try {
    do {
      do {
        performing = executor.perform(tasks, (outcome) => runs.take(outcome))
        await Promise.race([performing, ledger.broken, runs.givenUp])
      } while (!runs.isStopped && (await Promise.race([rounds.afterAll(), runs.givenUp])) === true)
      store.finish()
      // What a worker loses that ends meanwhile is performed again.
      if (store.storesInWorkers) await Promise.race([ledger.complete(), runs.givenUp])
    } while (store.storesInWorkers && runs.hasNext())
    const completed = runs.isGivenUp ? undefined : ledger.complete()
    // The threads end while the writer commits; what they have still to say comes before the end.
    const ended = Promise.all([completed, executor[Symbol.asyncDispose]()])
    await Promise.race([ended, runs.givenUp.then(() => executor[Symbol.asyncDispose]())])
    await Promise.race([recorded, runs.givenUp])
  } catch (error) {
    runs.stop()
    // A run in this thread cannot be ended from outside, and two at once would be one too many.
    if (settings.executor === 'inline') {
      await Promise.race([performing.catch(() => undefined), runs.givenUp])
    }
    // Workers may notice that the writer is gone before it is known why.
    if (isPypetError(error, 'PYPET_WRITER_DIED')) await Promise.race([ledger.broken, delay(REASON_WAIT_MS)])
    throw error
  }
  runs.stop()
  const finishTimestamp = (performance.timeOrigin + performance.now()) / 1000
  const isComplete = ledger.storedCount + ledger.failedCount === plan.runCount && !rounds.isPending
  const config = isComplete ? parts.closingConfig(finishTimestamp) : []
  const closed = await store.close({ config, isComplete })
  if (rounds.error !== undefined) throw rounds.error
  const durationMs = Math.max(0, (finishTimestamp - Math.min(runs.startTimestamp, finishTimestamp)) * 1000)
  return { ...closed, stoppedBy: isComplete ? undefined : runs.stoppedBy, durationMs }
}

/**
 * Stores it after the first commit, which it would delay, or soon, where runs take long: an experiment may be killed
 * before its end.
 */
async function recordProvenance(
  { provenance, store, ledger }: SessionParts,
  reporter: Reporter,
): Promise<void> {
  try {
    const extension = await provenance.collected()
    if (extension.leaves.length === 0) return
    await Promise.race([ledger.firstCommit, delay(PROVENANCE_WAIT_MS, undefined, { ref: false })])
    await store.extend(extension)
  } catch (error) {
    if (!isPypetError(error)) throw error
    // Who cannot be reached any more has said so elsewhere.
    if (['PYPET_WRITER_DIED', 'PYPET_STORAGE_FAILED'].includes(error.code)) return
    reporter.emit({ type: 'log', level: 'warn', message: `provenance is not stored: ${error.message}` })
  }
}

const PROVENANCE_WAIT_MS = 250

/** What a dying writer has to say arrives a moment later than its end. */
const REASON_WAIT_MS = 5000
