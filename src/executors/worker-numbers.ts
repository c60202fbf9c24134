/**
 * Numbers of workers, from 1: threads come and go, and the one that takes the place of another takes its
 * number too. So there are as many log files as workers at a time, however many threads die.
 */
export class WorkerNumbers {
  readonly #livingThreads: () => readonly number[]
  /** Ended threads stay: their last words may come after their end. */
  readonly #numberOf = new Map<number, number>()

  constructor(livingThreads: () => readonly number[]) {
    this.#livingThreads = livingThreads
  }

  /** The number of a thread: the smallest that no living one has, when it is heard for the first time. */
  of(threadId: number): number {
    const known = this.#numberOf.get(threadId)
    if (known !== undefined) return known
    const taken = new Set(this.#livingThreads().map((living) => this.#numberOf.get(living)))
    let number = 1
    while (taken.has(number)) number += 1
    this.#numberOf.set(threadId, number)
    return number
  }
}
