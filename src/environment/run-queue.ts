/** Which run comes next: the missing ones in order, and between them failed ones that are retried. */
import type { RunIndex } from '../values/path.ts'

export interface QueuedRun {
  readonly run: RunIndex
  /** 1 for the first time. */
  readonly attempt: number
}

export class RunQueue {
  /** What is left of each batch of runs, in order. */
  readonly #missing: Iterator<RunIndex>[]
  readonly #retries: number
  /** How many other runs come before a failed one is retried: the cause of the failure may have passed by then. */
  readonly #distance: number
  readonly #again: (QueuedRun & { readonly notBefore: number })[] = []
  /** The next missing run, if it was fetched to find out whether there is one. */
  #ahead: RunIndex | undefined
  #startedCount = 0
  #isStopped = false

  constructor(
    missing: Iterator<RunIndex>,
    options: { readonly retries: number; readonly workerCount: number },
  ) {
    this.#missing = [missing]
    this.#retries = options.retries
    this.#distance = options.workerCount
  }

  /** The next run; undefined if there is none now. A failure may add one later. */
  next(): QueuedRun | undefined {
    if (this.#isStopped) return undefined
    const [first] = this.#again
    const isDue = first !== undefined && first.notBefore <= this.#startedCount
    const fresh = isDue ? undefined : this.#nextMissing()
    this.#startedCount += 1
    if (fresh !== undefined) return { run: fresh, attempt: 1 }
    // Without other runs there is nothing to wait for.
    const again = this.#again.shift()
    return again === undefined ? undefined : { run: again.run, attempt: again.attempt }
  }

  /** Whether `next` would return a run. */
  get hasNext(): boolean {
    if (this.#isStopped) return false
    this.#ahead ??= this.#nextMissing()
    return this.#ahead !== undefined || this.#again.length > 0
  }

  /** Takes a failed run back. False if it has used up its attempts. */
  retry({ run, attempt }: QueuedRun): boolean {
    if (this.#isStopped || attempt > this.#retries) return false
    this.#again.push({ run, attempt: attempt + 1, notBefore: this.#startedCount + this.#distance })
    return true
  }

  /** Appends more runs. */
  add(runs: Iterator<RunIndex>): void {
    this.#missing.push(runs)
  }

  #nextMissing(): RunIndex | undefined {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined) return ahead
    for (let lot = this.#missing[0]; lot !== undefined; lot = this.#missing[0]) {
      const next = lot.next()
      if (next.done !== true) return next.value
      // Keep the last one: it can be asked again at no cost.
      if (this.#missing.length === 1) return undefined
      this.#missing.shift()
    }
    return undefined
  }

  /** No more runs follow. */
  stop(): void {
    this.#isStopped = true
  }
}
