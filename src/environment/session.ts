/** One writer, one executor, and the runs that they have to perform together. */
import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError } from '../errors.ts'
import type { ExperimentEvent, Reporter } from '../events.ts'
import { openExecutor, workerCount } from '../executors/open-executor.ts'
import { runPoint } from '../exploration/expand.ts'
import type { Opened, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import type { Writer } from '../storage/writer.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import { failuresThatStop } from './failure-policy.ts'
import type { PreparedExperiment } from './prepare-experiment.ts'
import type { RunLedger } from './run-ledger.ts'
import { RunQueue } from './run-queue.ts'
import { runsToPerform } from './runs-to-perform.ts'

export interface SessionParts {
  readonly experiment: PreparedExperiment
  readonly writer: Writer
  readonly ledger: RunLedger
  /** Tells the writer what to begin with. */
  readonly open: (writer: Writer, ledger: RunLedger) => Promise<Opened>
  /** Told when the file is open; gives who is told of everything else. */
  readonly onOpened: (opened: Opened) => Reporter
  readonly listen: (line: Extract<ExperimentEvent, { type: 'log' }>) => void
  /** What is known when the last run has ended, in seconds since 1970. */
  readonly closingConfig: (finishTimestamp: number) => readonly Parameter[]
  readonly signal?: AbortSignal | undefined
  readonly giveUp?: AbortSignal | undefined
}

export interface SessionEnd {
  /** The `.cnt` file, unless it was removed because every run is stored. */
  readonly cntFile: string | undefined
  /** Why runs are left, where somebody or something has stopped them. */
  readonly stoppedBy: 'signal' | 'failures' | undefined
  /** From the first run of this session to the last one stored. */
  readonly durationMs: number
}

/**
 * Performs what is missing and closes the file. As `runExperiment`; a writer that dies rejects with
 * `PYPET_WRITER_DIED`, when no run is active any more.
 */
export async function performSession(parts: SessionParts): Promise<SessionEnd> {
  const { experiment, writer, ledger, open, listen } = parts
  const { settings, parameters, plan, job, userCode } = experiment
  const setup: WorkerSetup = {
    job,
    parameters: parameters.map(({ name, value }) => ({ name, value })),
    runCount: plan.runCount,
    writerAddress: await writer.address(),
    logLevel: settings.logLevel,
    timeoutMs: settings.timeout * 1000,
  }
  ledger.attach(writer)
  // The file is touched only when workers have loaded the job: one that does not load there changes nothing.
  await using executor = await openExecutor(settings, setup, listen, userCode)
  const opened = await open(writer, ledger)
  ledger.take(opened)
  const reporter = parts.onOpened(opened)

  const runs = new Runs(parts, reporter)
  const performing = executor.perform({ next: () => runs.next() }, (outcome) => runs.take(outcome))
  try {
    await Promise.race([performing, ledger.broken, runs.givenUp])
    writer.finish()
    // The threads end while the writer commits; what they have still to say comes before the end.
    const ended = Promise.all([
      runs.isGivenUp ? undefined : ledger.complete(),
      executor[Symbol.asyncDispose](),
    ])
    await Promise.race([ended, runs.givenUp.then(() => executor[Symbol.asyncDispose]())])
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
  const isComplete = ledger.storedCount + ledger.failedCount === plan.runCount
  const config = isComplete ? parts.closingConfig(finishTimestamp) : []
  const { cntFile } = await writer.close({ config, isComplete })
  const durationMs = Math.max(0, (finishTimestamp - Math.min(runs.startTimestamp, finishTimestamp)) * 1000)
  return { cntFile, stoppedBy: isComplete ? undefined : runs.stoppedBy, durationMs }
}

/** What a dying writer has to say arrives a moment later than its end. */
const REASON_WAIT_MS = 5000

/** Gives the executor one run after the other, and takes what becomes of them. */
class Runs {
  /** Of this session, in seconds since 1970; infinite before the first. */
  startTimestamp = Number.POSITIVE_INFINITY
  stoppedBy: SessionEnd['stoppedBy']
  /** Resolves when active runs are not waited for any more. */
  readonly givenUp: Promise<void>
  readonly #parts: SessionParts
  readonly #reporter: Reporter
  readonly #queue: RunQueue
  readonly #failuresThatStop: number
  #failureCount = 0
  #isOver = false

  constructor(parts: SessionParts, reporter: Reporter) {
    this.#parts = parts
    this.#reporter = reporter
    const { experiment, ledger, giveUp } = parts
    const { settings, plan } = experiment
    this.#queue = new RunQueue(runsToPerform(experiment, ledger), {
      retries: settings.retries,
      workerCount: workerCount(settings, plan.runCount),
    })
    this.#failuresThatStop = failuresThatStop(settings, plan.runCount)
    this.givenUp = new Promise((resolve) => {
      if (giveUp?.aborted === true) resolve()
      else giveUp?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  get isGivenUp(): boolean {
    return this.#parts.giveUp?.aborted === true
  }

  /** No run is begun, and none is taken. */
  stop(): void {
    this.#isOver = true
    this.#queue.stop()
  }

  next(): RunTask | undefined {
    const { experiment, ledger, signal } = this.#parts
    if (this.#isOver || ledger.isBroken) return undefined
    if (signal?.aborted === true || this.isGivenUp) this.#stopBecauseOf('signal')
    const queued = this.#queue.next()
    if (queued === undefined) return undefined
    ledger.begin(queued.run)
    return { ...queued, point: runPoint(experiment.plan, queued.run) }
  }

  /** Where it was handed over, the run counts when the writer announces it. */
  take(outcome: RunOutcome): void {
    // What a session did that has ended is done again by the next.
    if (this.#isOver) return
    const { ledger } = this.#parts
    const { startTimestamp } = outcome.state === 'failed' ? outcome.failure : outcome
    this.startTimestamp = Math.min(this.startTimestamp, startTimestamp)
    ledger.noteStart(startTimestamp)
    if (outcome.state === 'handed-over') return
    const { run, attempts, error } = outcome.failure
    if (this.#queue.retry({ run, attempt: attempts })) {
      ledger.takeBack(run)
      this.#reporter.emit({ type: 'run-retried', run, attempt: attempts, error })
      return
    }
    this.#failureCount += 1
    if (this.#failureCount >= this.#failuresThatStop) this.#stopBecauseOf('failures')
    ledger.fail(outcome.failure)
  }

  #stopBecauseOf(reason: NonNullable<SessionEnd['stoppedBy']>): void {
    this.stoppedBy ??= reason
    this.#queue.stop()
  }
}
