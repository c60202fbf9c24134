/** Checks in each turn of the event loop whether the writer commits. `commit-policy` decides. */
import { commitDelayMs } from './commit-policy.ts'

export class CommitSchedule {
  readonly #commit: () => void
  readonly #commitIntervalMs: number
  /** Counts records, so that a turn of the event loop can tell whether any arrived. */
  #recordCount = 0
  #lastRecordMs = 0
  /** When the first uncommitted record was written. Undefined if everything is committed. */
  #firstUncommittedMs: number | undefined
  #lastCommitEndMs = 0
  #lastCommitDurationMs = 0
  #isLookScheduled = false
  #timer: NodeJS.Timeout | undefined
  #isFinishing = false
  #isStopped = false

  /** @param commit makes everything written so far durable, and reports it */
  constructor(commitIntervalMs: number, commit: () => void) {
    this.#commitIntervalMs = commitIntervalMs
    this.#commit = commit
  }

  /** Something was written and must be committed. */
  noteWritten(): void {
    this.#lastRecordMs = performance.now()
    this.#recordCount += 1
    this.#firstUncommittedMs ??= this.#lastRecordMs
    if (this.#timer === undefined) this.#lookNextTurn()
  }

  /** Milliseconds since the last record was written. */
  idleMs(): number {
    return performance.now() - this.#lastRecordMs
  }

  /** No more runs will start: from now on, commits do not wait for others. */
  finish(): void {
    this.#isFinishing = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#firstUncommittedMs !== undefined) this.#lookNextTurn()
  }

  /** More runs may start after all. */
  goOn(): void {
    this.#isFinishing = false
  }

  /** Someone else has just committed everything. */
  noteCommitted(): void {
    this.#firstUncommittedMs = undefined
  }

  /** Commits now, regardless of the policy. */
  commitNow(): void {
    const startMs = performance.now()
    this.#firstUncommittedMs = undefined
    this.#commit()
    this.#lastCommitEndMs = performance.now()
    this.#lastCommitDurationMs = this.#lastCommitEndMs - startMs
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #lookNextTurn(): void {
    if (this.#isLookScheduled) return
    this.#isLookScheduled = true
    setImmediate((countBefore: number) => this.#look(countBefore), this.#recordCount)
  }

  /** Commits now, checks again next turn, or sleeps until a commit is due. */
  #look(countBefore: number): void {
    this.#isLookScheduled = false
    if (this.#isStopped || this.#firstUncommittedMs === undefined) return
    const isIdle = this.#recordCount === countBefore
    const delayMs = commitDelayMs({
      nowMs: performance.now(),
      firstUncommittedMs: this.#firstUncommittedMs,
      lastCommitEndMs: this.#lastCommitEndMs,
      lastCommitDurationMs: this.#lastCommitDurationMs,
      isIdle,
      isFinishing: this.#isFinishing,
      commitIntervalMs: this.#commitIntervalMs,
    })
    if (delayMs === 0) this.commitNow()
    else if (!isIdle) this.#lookNextTurn()
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#look(this.#recordCount)
      }, delayMs)
    }
  }
}
