/** Counts which runs are active, stored or failed. Main counts them only here. */
import type { ErrorRecord, PypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { Gate } from '../executors/held-back.ts'
import { RunSet } from '../journal/run-set.ts'
import { RUNS_MAX } from '../names.ts'
import type { Opened, RefusedRun, RunFailure } from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import type { RunStore, RunStoreListener } from '../storage/run-store.ts'
import type { RunIndex } from '../values/path.ts'
import { RunsUnderway } from './runs-underway.ts'

export class RunLedger implements RunStoreListener {
  readonly stored = new RunSet()
  readonly failed = new RunSet()
  /** Errors of the job after its run had ended; they fail no run. */
  strayErrorCount = 0
  /** When the first run started, in seconds since 1970; infinite before that. */
  startTimestamp = Number.POSITIVE_INFINITY
  /** Rejects when the writer is gone; never resolves. */
  broken: Promise<never> = new Promise(() => undefined)
  isBroken = false
  /** Resolves when the writer has announced the first runs of this session, or when there are no more. */
  firstCommit: Promise<void> = Promise.resolve()
  #resolveFirstCommit: () => void = () => undefined
  #storedCount = 0
  #failedCount = 0
  readonly #underway = new RunsUnderway()
  #resolveQuiet: (() => void) | undefined
  #resolveRoom: (() => void)[] = []
  #store: Pick<RunStore, 'failRun' | 'noteHandedOver'> | undefined
  #reporter: Reporter | undefined
  /** Notices from before there was a reporter. */
  #early: { readonly level: LogLevel; readonly message: string }[] = []
  /** Failures that are not yet in the file. */
  readonly #failures = new Map<RunIndex, ErrorRecord>()
  #rejectBroken: (error: PypetError) => void = () => undefined
  #resolveComplete: (() => void) | undefined

  /** Stored runs, including those of earlier executions. */
  get storedCount(): number {
    return this.#storedCount
  }

  /** Runs whose results are stored, or on their way to the file. */
  get arrivedCount(): number {
    return this.#storedCount + this.#underway.count('handed-over')
  }

  get failedCount(): number {
    return this.#failedCount
  }

  /** Reports failures to this storage from now on. */
  attach(store: Pick<RunStore, 'failRun' | 'noteHandedOver'>): void {
    this.#store = store
    this.isBroken = false
    this.#underway.clear()
    this.#failures.clear()
    this.broken = new Promise((_resolve, reject) => {
      this.#rejectBroken = reject
    })
    this.firstCommit = new Promise((resolve) => {
      this.#resolveFirstCommit = resolve
    })
    // Several callers await it, or none.
    this.broken.catch(() => undefined)
  }

  /**
   * What the writer found. The first time, that is what earlier executions left. Later, it reports runs that were
   * committed by a writer that died before it could report them.
   */
  take({ stored, failed, startTimestamp }: Opened): void {
    if (startTimestamp !== undefined) this.#noteStart(startTimestamp)
    const newlyStored = RunSet.ofRanges(stored)
    newlyStored.removeRanges(this.stored.toRanges())
    this.stored.addRanges(stored)
    this.#storedCount += newlyStored.count
    // Only new runs are listed one by one.
    if (newlyStored.count > 0) {
      for (const run of newlyStored) this.#underway.delete(run)
      this.#reporter?.emit({ type: 'runs-stored', runs: [...newlyStored] })
    }
    this.#end([], [...RunSet.ofRanges(failed)], [])
  }

  reportTo(reporter: Reporter): void {
    this.#reporter = reporter
    for (const { level, message } of this.#early.splice(0)) this.onNotice(level, message)
  }

  /** Runs are passed to an executor: sooner or later each is stored or failed, or taken back. */
  begin(first: RunIndex, count: number): void {
    for (let run = first; run < first + count; run += 1) {
      // The record from a dying thread may be stored while the run is repeated.
      if (!this.stored.has(run)) this.#underway.set(run, 'active')
    }
  }

  /** A run started at this time, in seconds since 1970. */
  noteStart(startTimestamp: number): void {
    this.#noteStart(startTimestamp)
  }

  /** A run has finally failed. It counts when the file has it. */
  fail(failure: RunFailure): void {
    this.#failures.set(failure.run, failure.error)
    this.#store?.failRun(failure)
  }

  /** The writer has the run's whole record: it will store or refuse it. */
  noteHandedOver(run: RunIndex, returned?: Uint8Array): void {
    if (!this.#underway.has(run)) return
    this.#underway.set(run, 'handed-over')
    this.#store?.noteHandedOver?.(run, returned)
  }

  /** Holds runs back while this many wait to be stored; 0 for never. */
  gate(queueMaxsize: number): Gate {
    return {
      holdsBack: () => queueMaxsize > 0 && this.#underway.count('handed-over') >= queueMaxsize,
      // Those that are active will wait, too.
      room: () => (queueMaxsize > 0 ? Math.max(1, queueMaxsize - this.#underway.totalCount) : RUNS_MAX),
      askAgain: () => new Promise((resolve) => this.#resolveRoom.push(resolve)),
    }
  }

  /** Resolves when everything handed over so far is announced. */
  async quiet(): Promise<void> {
    if (this.#underway.count('handed-over') === 0) return
    const quiet = new Promise<void>((resolve) => {
      this.#resolveQuiet = resolve
    })
    await Promise.race([quiet, this.broken])
  }

  /** The runs will be performed later, so forget what is known about them. */
  takeBack(first: RunIndex, count: number): void {
    for (let run = first; run < first + count; run += 1) this.#underway.delete(run)
    this.#tellWhoWaits()
  }

  /** Called with runs that were handed over and must be repeated. */
  whenLost: (runs: readonly RunIndex[]) => void = () => undefined

  /** Called with runs that are stored or have finally failed. */
  whenEnded: (runs: readonly RunIndex[]) => void = () => undefined

  onLost(runs: readonly RunIndex[]): void {
    const lost = runs.filter((run) => this.#underway.has(run) && !this.#failures.has(run))
    if (lost.length > 0) this.whenLost(lost)
  }

  onCommitted(
    stored: readonly RunIndex[],
    failed: readonly RunIndex[],
    refused: readonly RefusedRun[],
  ): void {
    this.#end(stored, failed, refused)
    this.whenEnded(stored)
    this.whenEnded(failed)
    this.#resolveFirstCommit()
    this.#tellWhoWaits()
  }

  #tellWhoWaits(): void {
    for (const resolve of this.#resolveRoom.splice(0)) resolve()
    if (this.#underway.count('handed-over') === 0) this.#resolveQuiet?.()
    if (this.#underway.totalCount === 0) this.#resolveComplete?.()
  }

  onNotice(level: LogLevel, message: string): void {
    if (this.#reporter === undefined) this.#early.push({ level, message })
    else this.#reporter.emit({ type: 'log', level, message })
  }

  onBroken(error: PypetError): void {
    this.isBroken = true
    this.#rejectBroken(error)
    for (const resolve of this.#resolveRoom.splice(0)) resolve()
  }

  /** Resolves when the writer has announced every run that was started. Call it when no more will start. */
  async complete(): Promise<void> {
    // There may have been none.
    this.#resolveFirstCommit()
    if (this.#underway.totalCount === 0) return
    const complete = new Promise<void>((resolve) => {
      this.#resolveComplete = resolve
    })
    await Promise.race([complete, this.broken])
  }

  #noteStart(startTimestamp: number): void {
    if (startTimestamp < this.startTimestamp) this.startTimestamp = startTimestamp
  }

  #end(stored: readonly RunIndex[], failed: readonly RunIndex[], refused: readonly RefusedRun[]): void {
    const newlyStored = stored.filter((run) => !this.stored.has(run))
    for (const run of newlyStored) this.stored.add(run)
    this.#storedCount += newlyStored.length
    for (const run of stored) this.#underway.delete(run)
    if (newlyStored.length > 0) this.#reporter?.emit({ type: 'runs-stored', runs: newlyStored })
    for (const run of failed) {
      this.#underway.delete(run)
      if (this.failed.has(run)) continue
      this.failed.add(run)
      this.#failedCount += 1
      const error = this.#failures.get(run) ?? refused.find((each) => each.run === run)?.error
      this.#failures.delete(run)
      this.#reporter?.emit({ type: 'run-failed', run, error: error ?? UNTOLD })
    }
  }
}

/** The writer died after it committed a failure, and the details outside the file died with it. */
const UNTOLD: ErrorRecord = { name: 'Error', message: 'see overview/failed_runs in the file', stack: '' }
