/** Share of one core that the server may take in the long run, while an experiment needs them all. */
const SHARE = 0.05
/** What may be used at once: to start, and for a page that was just opened. */
const SAVED_MS_MAX = 3000
const REST_MS_MIN = 500
/** Even if a look takes long, the page is not older than this. */
const REST_MS_MAX = 10_000

/** Decides when to look at the file again: soon, unless the server has worked too much. */
export class CpuBudget {
  #leftMs = SAVED_MS_MAX

  /**
   * How long to rest.
   *
   * @param usedMs time that the processor has worked since the last call
   * @param passedMs time since the last call
   */
  restMs(usedMs: number, passedMs: number): number {
    this.#leftMs = Math.min(SAVED_MS_MAX, this.#leftMs + passedMs * SHARE - usedMs)
    return Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, -this.#leftMs / SHARE))
  }
}
