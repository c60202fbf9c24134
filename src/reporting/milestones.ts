/** Decides when a progress line is due. */
import type { Progress } from './progress.ts'

/** A line each 5 %. */
const STEP_DEFAULT = 5
/** The first line that comes without a step, and the factor between it and the next. */
const PATIENCE_MS = 30_000
const PATIENCE_FACTOR = 2
/** Together with steps of 5 %, at most 25 lines, whatever the number and duration of the runs. */
const UNTIMELY_LINES_MAX = 5

/**
 * Decides for each progress whether to write a line: when a new step is reached, or after 30 s without a line. That
 * time doubles with each line of the second kind, and there are at most 5 of them.
 */
export class Milestones {
  readonly #stepPercent: number
  #stepsReached = 0
  #lastLineMs = 0
  #patienceMs = PATIENCE_MS
  #untimelyLines = 0

  constructor(stepPercent: number = STEP_DEFAULT) {
    this.#stepPercent = stepPercent
  }

  reached(progress: Progress): boolean {
    // All runs are a step, even if no step before leads there.
    const steps =
      progress.fraction >= 1
        ? Math.ceil(100 / this.#stepPercent)
        : Math.floor((progress.fraction * 100) / this.#stepPercent + 1e-9)
    if (steps > this.#stepsReached) {
      this.#stepsReached = steps
      this.#lastLineMs = progress.elapsedMs
      return true
    }
    if (progress.elapsedMs - this.#lastLineMs < this.#patienceMs) return false
    if (progress.fraction >= 1 || this.#untimelyLines >= UNTIMELY_LINES_MAX) return false
    this.#untimelyLines += 1
    this.#patienceMs *= PATIENCE_FACTOR
    this.#lastLineMs = progress.elapsedMs
    return true
  }
}
