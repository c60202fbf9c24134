/** How many runs a thread gets at a time. */
import type { ThreadResult } from '../protocol.ts'
import { RANGE_RUNS_MAX } from './shared-range.ts'

/**
 * A thread performs about this much before it reports to main. That makes the cost of reporting small for short runs.
 * Gates, caps and post-processing act at the latest after this time, or between two runs that take longer.
 */
export const RANGE_MS = 20

/** Weight of the latest range in the typical run time. */
const LATEST_WEIGHT = 0.5

export class RangeLength {
  #typicalMs = RANGE_MS
  /** A range that ends early leaves the rest to the next ones, so after that they start small again. */
  #limit = 1

  /** Runs take less than a range should, but go one by one for now. */
  get areShortAndSingle(): boolean {
    return this.#typicalMs < RANGE_MS && this.runs === 1
  }

  /** How many runs take about as long as a range should; 1 if a run takes longer. */
  get runs(): number {
    return Math.max(1, Math.min(RANGE_RUNS_MAX, this.#limit, Math.floor(RANGE_MS / this.#typicalMs)))
  }

  /** So many runs of a range have begun, with this result. */
  note(runCount: number, { elapsedMs, failure, returned }: ThreadResult): void {
    // Such a run ends its range.
    if (failure !== undefined || returned !== undefined) this.startSmall()
    else this.#limit = Math.min(RANGE_RUNS_MAX, this.#limit * 2)
    if (runCount > 0) this.#typicalMs += (elapsedMs / runCount - this.#typicalMs) * LATEST_WEIGHT
  }

  startSmall(): void {
    this.#limit = 1
  }
}
