/** When a line about the progress is due: rarely enough for a log, often enough for the impatient. */
import type { Progress } from './progress.ts'

/** A line each 5 %. */
const STEP_DEFAULT = 5
/** The first line that comes without a step, and the factor between it and the next. */
const PATIENCE_MS = 30_000
const PATIENCE_FACTOR = 2
/** Steps of 5 % and these together are 25 lines, however many runs there are and however long they take. */
const UNTIMELY_LINES_MAX = 5

/**
 * Says of each progress whether it deserves a line: a new step was reached, or no line came for
 * 30 s. The patience doubles with each line of the second kind, and there are 5 of them at most.
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
    // All runs are a step, also where the steps before it do not lead there.
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
