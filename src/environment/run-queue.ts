/** Which run comes next: those that are missing, in their order, and between them those that failed and are tried again. */
import type { RunIndex } from '../values/path.ts'

export interface QueuedRun {
  readonly run: RunIndex
  /** 1 for the first time. */
  readonly attempt: number
}

export class RunQueue {
  /** What is left of each lot of runs, in order. */
  readonly #missing: Iterator<RunIndex>[]
  readonly #retries: number
  /** So many other runs come before a failed one comes again: what made it fail may have passed by then. */
  readonly #distance: number
  readonly #again: (QueuedRun & { readonly notBefore: number })[] = []
  /** The first of the missing, where it had to be known whether there is one. */
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

  /** The next run; undefined when there is none now. A failure may bring one later. */
  next(): QueuedRun | undefined {
    if (this.#isStopped) return undefined
    const [first] = this.#again
    const isDue = first !== undefined && first.notBefore <= this.#startedCount
    const fresh = isDue ? undefined : this.#nextMissing()
    this.#startedCount += 1
    if (fresh !== undefined) return { run: fresh, attempt: 1 }
    // With no other runs left there is nothing to wait for.
    const again = this.#again.shift()
    return again === undefined ? undefined : { run: again.run, attempt: again.attempt }
  }

  /** Whether `next` would give a run. */
  get hasNext(): boolean {
    if (this.#isStopped) return false
    this.#ahead ??= this.#nextMissing()
    return this.#ahead !== undefined || this.#again.length > 0
  }

  /** Takes a failed run back. False when it has had its attempts. */
  retry({ run, attempt }: QueuedRun): boolean {
    if (this.#isStopped || attempt > this.#retries) return false
    this.#again.push({ run, attempt: attempt + 1, notBefore: this.#startedCount + this.#distance })
    return true
  }

  /** More runs, behind those there are. */
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
      // The last one stays: it costs nothing to ask it again.
      if (this.#missing.length === 1) return undefined
      this.#missing.shift()
    }
    return undefined
  }

  /** No run comes any more. */
  stop(): void {
    this.#isStopped = true
  }
}
