/**
 * How far the ranges are that threads perform, in memory that main and threads share. So main knows where a thread was
 * that died, and can take back what a thread has not begun, even while a job blocks the thread.
 */

/** Of a range: its state, and how many runs have been handed over. */
const NUMBERS_PER_RANGE = 2

/** A state is one number, so that both sides change it in one step: how many runs have begun, and where it ends. */
const END_BITS = 15
const END_MASK = 2 ** END_BITS - 1

/** Runs of a range. */
export const RANGE_RUNS_MAX = 8192

export function sharedNumbers(rangesMax: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(rangesMax * NUMBERS_PER_RANGE * Int32Array.BYTES_PER_ELEMENT))
}

/** One range. Its slot is free for another one when its result has arrived. */
export class SharedRange {
  readonly #numbers: Int32Array
  readonly #at: number

  constructor(numbers: Int32Array, slot: number) {
    this.#numbers = numbers
    this.#at = slot * NUMBERS_PER_RANGE
  }

  /** Main: a new range of so many runs. */
  begin(runCount: number): void {
    Atomics.store(this.#numbers, this.#at, runCount)
    Atomics.store(this.#numbers, this.#at + 1, 0)
  }

  /** The next run, counted from the first of the range. Undefined if there is none any more. */
  beginRun(): number | undefined {
    for (;;) {
      const state = Atomics.load(this.#numbers, this.#at)
      const begun = state >> END_BITS
      if (begun >= (state & END_MASK)) return undefined
      const next = state + END_MASK + 1
      if (Atomics.compareExchange(this.#numbers, this.#at, state, next) === state) return begun
    }
  }

  /** Thread: the run is handed over. */
  noteHandedOver(): void {
    Atomics.add(this.#numbers, this.#at + 1, 1)
  }

  /** Main: how many runs have begun, and how many of them have been handed over. */
  get progress(): { readonly begunCount: number; readonly handedOverCount: number } {
    const handedOverCount = Atomics.load(this.#numbers, this.#at + 1)
    return { begunCount: Atomics.load(this.#numbers, this.#at) >> END_BITS, handedOverCount }
  }

  /** Main: takes back the runs that have not begun. */
  takeBack(): { readonly first: number; readonly count: number } {
    for (;;) {
      const state = Atomics.load(this.#numbers, this.#at)
      const begun = state >> END_BITS
      const next = (begun << END_BITS) | begun
      if (Atomics.compareExchange(this.#numbers, this.#at, state, next) === state)
        return { first: begun, count: (state & END_MASK) - begun }
    }
  }
}
