/**
 * How far a range is that a thread performs, in memory that main and the thread share. So main knows where a thread was
 * that died, and can take back what a thread has not begun, even while a job blocks the thread.
 */

/** The state, and how many runs have been handed over. */
const NUMBERS = 2

/** The state is one number, so that both sides change it in one step: how many runs have begun, and where it ends. */
const END_BITS = 15
const END_MASK = 2 ** END_BITS - 1

/** Runs of a range. */
export const RANGE_RUNS_MAX = 8192

export interface RangeProgress {
  readonly begunCount: number
  /** Of those, the first ones, which returned nothing. */
  readonly handedOverCount: number
}

export class SharedRange {
  /** Shared memory, to be sent to the thread. */
  readonly numbers: Int32Array

  constructor(numbers: Int32Array) {
    this.numbers = numbers
  }

  /** Main: a new range of so many runs. */
  static of(runCount: number): SharedRange {
    const numbers = new Int32Array(new SharedArrayBuffer(NUMBERS * Int32Array.BYTES_PER_ELEMENT))
    Atomics.store(numbers, 0, runCount)
    return new SharedRange(numbers)
  }

  /** Thread: the next run, counted from the first of the range. Undefined if there is none any more. */
  beginRun(): number | undefined {
    for (;;) {
      const state = Atomics.load(this.numbers, 0)
      const begun = state >> END_BITS
      if (begun >= (state & END_MASK)) return undefined
      const next = state + END_MASK + 1
      if (Atomics.compareExchange(this.numbers, 0, state, next) === state) return begun
    }
  }

  /** Thread: the next runs are handed over, and have returned nothing. */
  noteHandedOver(count = 1): void {
    Atomics.add(this.numbers, 1, count)
  }

  get progress(): RangeProgress {
    const handedOverCount = Atomics.load(this.numbers, 1)
    return { begunCount: Atomics.load(this.numbers, 0) >> END_BITS, handedOverCount }
  }

  /** Main: takes back the runs that have not begun. */
  takeBack(): { readonly first: number; readonly count: number } {
    for (;;) {
      const state = Atomics.load(this.numbers, 0)
      const begun = state >> END_BITS
      const next = (begun << END_BITS) | begun
      if (Atomics.compareExchange(this.numbers, 0, state, next) === state)
        return { first: begun, count: (state & END_MASK) - begun }
    }
  }
}
