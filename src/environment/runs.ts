/** The runs of a session: passes them to the executor, and handles their outcomes. */
import type { Reporter } from '../events.ts'
import type { TaskSource } from '../executors/executor.ts'
import { hasObjects, runPoint } from '../exploration/run-point.ts'
import { RunSet } from '../journal/run-set.ts'
import type { RunOutcome, RunRange } from '../protocol.ts'
import type { PointValues } from '../run/parameter-view.ts'
import type { RunIndex } from '../values/path.ts'
import type { Execution, StopReason } from './execution.ts'
import type { PostprocessRounds } from './postprocess-rounds.ts'
import type { RunQueue } from './run-queue.ts'

/** Passes runs to the executor, and handles their outcomes. */
export class Runs implements TaskSource {
  /** Of this session, in seconds since 1970; infinite before the first run. */
  startTimestamp = Number.POSITIVE_INFINITY
  stoppedBy: StopReason | undefined
  /** Called when no more runs start: workers perform only their current one. */
  whenStopped: () => void = () => undefined
  /** Resolves when nothing waits for active runs any more. */
  readonly givenUp: Promise<void>
  readonly #execution: Execution
  readonly #reporter: Reporter
  readonly #queue: RunQueue
  readonly #rounds: PostprocessRounds
  /** Ends the listening to signals, which may outlive the session. */
  readonly #ended = new AbortController()
  #failureCount = 0
  #isOver = false

  constructor(
    execution: Execution,
    {
      reporter,
      queue,
      rounds,
    }: { readonly reporter: Reporter; readonly queue: RunQueue; readonly rounds: PostprocessRounds },
  ) {
    this.#execution = execution
    this.#reporter = reporter
    this.#queue = queue
    this.#rounds = rounds
    const { signal, giveUp } = execution.options
    const options = { once: true, signal: this.#ended.signal }
    signal?.addEventListener('abort', () => this.#stopBecauseOf('signal'), options)
    this.givenUp = new Promise((resolve) => {
      const stop = () => {
        this.#stopBecauseOf('signal')
        resolve()
      }
      if (giveUp?.aborted === true) stop()
      else giveUp?.addEventListener('abort', stop, options)
    })
  }

  get isGivenUp(): boolean {
    return this.#execution.options.giveUp?.aborted === true
  }

  /** Runs are missing because the experiment was stopped. */
  get isStopped(): boolean {
    return this.stoppedBy !== undefined || this.#rounds.error !== undefined
  }

  /** No run is started or accepted any more. */
  stop(): void {
    this.#isOver = true
    this.#ended.abort()
    this.#queue.stop()
  }

  /** Whether `next` would return a run. */
  hasNext(): boolean {
    const { ledger, options } = this.#execution
    const isStopping = options.signal?.aborted === true || this.isGivenUp || this.#rounds.error !== undefined
    return !this.#isOver && !ledger.isBroken && !isStopping && this.#queue.hasNext
  }

  next(countMax: number): RunRange | undefined {
    const { experiment, ledger, plan, options } = this.#execution
    if (this.#isOver || ledger.isBroken) return undefined
    if (options.signal?.aborted === true) this.#stopBecauseOf('signal')
    if (this.#rounds.error !== undefined) this.#queue.stop()
    const queued = this.#queue.next(this.#goesAlone ? 1 : countMax)
    if (queued === undefined) {
      if (!this.isStopped) this.#rounds.whileRunsAreActive()
      return undefined
    }
    const { run, count } = queued
    ledger.begin(run, count)
    const args = experiment.args.each?.[run]
    return { ...queued, runCount: plan.runCount, ...(args !== undefined && { args }) }
  }

  /**
   * Whether each run is a range of its own: its arguments and points may be large, and post-processing between the runs
   * wants to know at once what each returned.
   */
  get #goesAlone(): boolean {
    const { experiment, plan } = this.#execution
    const { settings, args } = experiment
    return args.each !== undefined || settings.immediatePostprocessing || hasObjects(plan.now)
  }

  pointAt(run: RunIndex): PointValues {
    return runPoint(this.#execution.plan.now, run)
  }

  putBack(range: RunRange): void {
    if (this.#isOver) return
    this.#queue.putBack(range)
    this.#execution.ledger.takeBack(range.run, range.count)
  }

  /** Pending while post-processing may add runs. */
  more(): Promise<void> | undefined {
    return this.#isOver ? undefined : this.#rounds.underway
  }

  /** A run that was handed over counts when the writer announces it. */
  take(outcome: RunOutcome): void {
    // What a finished session did is repeated by the next.
    if (this.#isOver) return
    const { experiment, ledger, plan, returned } = this.#execution
    const { startTimestamp } = outcome.state === 'failed' ? outcome.failure : outcome
    this.startTimestamp = Math.min(this.startTimestamp, startTimestamp)
    ledger.noteStart(startTimestamp)
    if (outcome.state === 'handed-over') {
      const { run, count } = outcome
      for (let each = run; each < run + count; each += 1) {
        if (this.#execution.wantsReturned) returned.set(each, outcome.returned)
        ledger.noteHandedOver(each, outcome.returned)
      }
      return
    }
    const { run, attempts, error } = outcome.failure
    this.#execution.partsFolder.noteFailed(outcome.failure)
    if (this.#queue.retry({ run, attempt: attempts })) {
      ledger.takeBack(run, 1)
      this.#reporter.emit({ type: 'run-retried', run, attempt: attempts, error })
      return
    }
    this.#failureCount += 1
    if (this.#failureCount >= failuresThatStop(experiment.settings, plan.runCount))
      this.#stopBecauseOf('failures')
    ledger.fail(outcome.failure)
  }

  /** They were handed over to a worker that has ended, and are repeated. */
  takeLost(runs: readonly RunIndex[]): void {
    if (this.#isOver) return
    for (const run of runs) this.#execution.ledger.takeBack(run, 1)
    this.#queue.add(RunSet.of(runs).toRanges())
    const what = runs.length === 1 ? `run ${runs[0]}` : `${runs.length} runs`
    const message = `a worker ended before it stored ${what}; running again`
    this.#reporter.emit({ type: 'log', level: 'warn', message })
  }

  #stopBecauseOf(reason: StopReason): void {
    if (this.stoppedBy !== undefined) return
    this.stoppedBy = reason
    this.#queue.stop()
    this.whenStopped()
  }
}

interface FailurePolicy {
  /** `stop` at the first failed run. */
  readonly onError: 'continue' | 'stop'
  /** Stop when more runs than this have failed: a number, or a share of all runs such as `10%`. */
  readonly maxFailures: string | undefined
}

/** The number of failed runs that stops the experiment; infinite if none does. */
function failuresThatStop({ onError, maxFailures }: FailurePolicy, runCount: number): number {
  if (onError === 'stop') return 1
  if (maxFailures === undefined || maxFailures === '') return Number.POSITIVE_INFINITY
  const amount = Number(maxFailures.replace('%', ''))
  const allowed = maxFailures.endsWith('%') ? Math.floor((runCount * amount) / 100) : amount
  return allowed + 1
}
