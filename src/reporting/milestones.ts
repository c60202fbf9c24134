/** When a line about the progress is due: rarely enough for a log, often enough for the impatient. */
import type { Progress } from './progress.ts'

/** A line each 5 %. */
const STEP_COUNT = 20
/** The first line that comes without a step, and the factor between it and the next. */
const PATIENCE_MS = 30_000
const PATIENCE_FACTOR = 2
/** Steps and these together are 25 lines, however many runs there are and however long they take. */
const UNTIMELY_LINES_MAX = 5

/**
 * Says of each progress whether it deserves a line: a new step of 5 % was reached, or no line came for
 * 30 s. The patience doubles with each line of the second kind, and there are 5 of them at most.
 */
export class Milestones {
  #stepsReached = 0
  #lastLineMs = 0
  #patienceMs = PATIENCE_MS
  #untimelyLines = 0

  reached(progress: Progress): boolean {
    const steps = Math.floor(progress.fraction * STEP_COUNT + 1e-9)
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
