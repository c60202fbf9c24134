/** Which runs are under way, stored or failed: the one place where main counts them. */
import type { ErrorRecord, PypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { RunOutcome } from '../protocol.ts'
import type { Writer, WriterListener } from '../storage/writer.ts'
import type { RunIndex } from '../trajectory/path.ts'

export class RunLedger implements WriterListener {
  storedCount = 0
  failedCount = 0
  /** Errors of the job that fail no run, because they came when their run had ended. */
  strayErrorCount = 0
  isBroken = false
  /** When the first run started, in seconds since 1970; infinite before that. */
  startTimestamp = Number.POSITIVE_INFINITY
  /** Rejects when the writer is gone; never resolves. */
  readonly broken: Promise<never>
  readonly #writer: Pick<Writer, 'failRun'>
  #reporter: Reporter | undefined
  #begunCount = 0
  /** Failures on their way into the file. */
  readonly #failures = new Map<RunIndex, ErrorRecord>()
  #rejectBroken!: (error: PypetError) => void
  #resolveComplete: (() => void) | undefined

  constructor(writer: Pick<Writer, 'failRun'>) {
    this.#writer = writer
    this.broken = new Promise((_resolve, reject) => {
      this.#rejectBroken = reject
    })
    // Several await it, at times nobody does.
    this.broken.catch(() => undefined)
  }

  reportTo(reporter: Reporter): void {
    this.#reporter = reporter
  }

  /** A run is handed to an executor: sooner or later it is stored or failed. */
  begin(): void {
    this.#begunCount += 1
  }

  /** Takes what an executor tells. A run that was handed over is counted when the writer announces it. */
  note(outcome: RunOutcome): void {
    const { startTimestamp } = outcome.state === 'failed' ? outcome.failure : outcome
    if (startTimestamp < this.startTimestamp) this.startTimestamp = startTimestamp
    if (outcome.state === 'handed-over') return
    this.#failures.set(outcome.failure.run, outcome.failure.error)
    this.#writer.failRun(outcome.failure)
  }

  onCommitted(stored: readonly RunIndex[], failed: readonly RunIndex[]): void {
    this.storedCount += stored.length
    this.failedCount += failed.length
    if (stored.length > 0) this.#reporter?.emit({ type: 'runs-stored', runs: stored })
    for (const run of failed) {
      const error = this.#failures.get(run)
      this.#failures.delete(run)
      if (error !== undefined) this.#reporter?.emit({ type: 'run-failed', run, error })
    }
    if (this.#isComplete()) this.#resolveComplete?.()
  }

  onBroken(error: PypetError): void {
    this.isBroken = true
    this.#rejectBroken(error)
  }

  /** Resolves when the writer has announced every run that was begun. Call it when no more will begin. */
  async complete(): Promise<void> {
    if (this.#isComplete()) return
    const complete = new Promise<void>((resolve) => {
      this.#resolveComplete = resolve
    })
    await Promise.race([complete, this.broken])
  }

  #isComplete(): boolean {
    return this.storedCount + this.failedCount === this.#begunCount
  }
}
