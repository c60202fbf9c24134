/** Which runs come next: the missing ones in order, and between them failed ones that are retried. */
import type { RunRanges } from '../journal/cnt-record.ts'
import type { RunIndex } from '../values/path.ts'

export interface QueuedRun {
  readonly run: RunIndex
  /** 1 for the first time. */
  readonly attempt: number
}

/** One after the other, from `run` on. */
export interface QueuedRuns extends QueuedRun {
  readonly count: number
}

export class RunQueue {
  /** What is left of the missing runs, in the order in which they are performed, from `#head` on. */
  readonly #missing: { first: RunIndex; end: RunIndex }[] = []
  #head = 0
  #missingCount = 0
  readonly #retries: number
  /**
   * Also how many other runs come before a failed one is retried: the cause of the failure may have passed by then.
   */
  readonly #workerCount: number
  readonly #again: (QueuedRun & { readonly notBefore: number })[] = []
  #startedCount = 0
  #isStopped = false

  constructor(missing: RunRanges, options: { readonly retries: number; readonly workerCount: number }) {
    this.#retries = options.retries
    this.#workerCount = options.workerCount
    this.add(missing)
  }

  /**
   * The next runs, at most this many, and near the end so few that no worker idles; undefined if there are none now. A
   * failure may add one later.
   */
  next(countMax: number): QueuedRuns | undefined {
    if (this.#isStopped) return undefined
    const [retry] = this.#again
    const distance = retry === undefined ? Number.POSITIVE_INFINITY : retry.notBefore - this.#startedCount
    const fresh = distance > 0 ? this.#nextMissing(Math.min(countMax, distance)) : undefined
    if (fresh !== undefined) {
      this.#startedCount += fresh.count
      return { ...fresh, attempt: 1 }
    }
    this.#startedCount += 1
    // Without other runs there is nothing to wait for.
    const again = this.#again.shift()
    return again === undefined ? undefined : { run: again.run, count: 1, attempt: again.attempt }
  }

  /** Whether `next` would return a run. */
  get hasNext(): boolean {
    return !this.#isStopped && (this.#missingCount > 0 || this.#again.length > 0)
  }

  /** Takes a failed run back. False if it has used up its attempts. */
  retry({ run, attempt }: QueuedRun): boolean {
    if (this.#isStopped || attempt > this.#retries) return false
    this.#again.push({ run, attempt: attempt + 1, notBefore: this.#startedCount + this.#workerCount })
    return true
  }

  /** Takes back runs that were not performed. They come next. */
  putBack({ run, count, attempt }: QueuedRuns): void {
    if (attempt > 1) {
      this.#again.unshift({ run, attempt, notBefore: 0 })
      return
    }
    this.#missingCount += count
    const next = this.#missing[this.#head]
    if (next?.first === run + count) {
      next.first = run
      return
    }
    const range = { first: run, end: run + count }
    if (this.#head === 0) this.#missing.unshift(range)
    else {
      this.#head -= 1
      this.#missing[this.#head] = range
    }
  }

  /** Appends more runs. */
  add(runs: RunRanges): void {
    for (let index = 0; index < runs.length; index += 2) {
      const range = { first: runs[index] as number, end: runs[index + 1] as number }
      if (range.first === range.end) continue
      this.#missing.push(range)
      this.#missingCount += range.end - range.first
    }
  }

  /** No more runs follow. */
  stop(): void {
    this.#isStopped = true
  }

  #nextMissing(countMax: number): Omit<QueuedRuns, 'attempt'> | undefined {
    const next = this.#missing[this.#head]
    if (next === undefined) return undefined
    const share = Math.ceil(this.#missingCount / (SHARES_PER_WORKER * this.#workerCount))
    const run = next.first
    const count = Math.min(countMax, share, next.end - run)
    next.first += count
    if (next.first === next.end) this.#head += 1
    this.#missingCount -= count
    return { run, count }
  }
}

/** A worker never gets more than a part of what is left for it, so that all end at about the same time. */
const SHARES_PER_WORKER = 3
