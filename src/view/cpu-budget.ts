import { cpus } from 'node:os'

/** Share of one core that the server may take in the long run if runs keep all cores busy, and if a core is idle. */
const SHARE_BUSY = 0.05
const SHARE_IDLE = 0.1
/** Idle cores from which on nobody waits for one. */
export const IDLE_CORES_MIN = 0.5
/** What may be used at once, for a page that was just opened: if a core is idle, and if runs keep all of them busy. */
const SAVED_IDLE_MS_MAX = 3000
const SAVED_BUSY_MS_MAX = 300
const REST_MS_MIN = 1500
/** Even if a look takes long, the page is not older than this. */
const REST_MS_MAX = 20_000

/** Decides when to look at the file again: soon, unless the server has worked too much. */
export class CpuBudget {
  #leftMs = SAVED_IDLE_MS_MAX

  /**
   * How long to rest.
   *
   * @param usedMs time that the processor has worked for the server since the last call
   * @param passedMs time since the last call
   * @param isCoreIdle whether the machine had an idle core meanwhile
   */
  restMs(usedMs: number, passedMs: number, isCoreIdle: boolean): number {
    const share = isCoreIdle ? SHARE_IDLE : SHARE_BUSY
    const savedMsMax = isCoreIdle ? SAVED_IDLE_MS_MAX : SAVED_BUSY_MS_MAX
    this.#leftMs = Math.min(savedMsMax, this.#leftMs + passedMs * share - usedMs)
    return Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, -this.#leftMs / share))
  }
}

/** Time that all cores together have been idle since the start of the machine. */
export function idleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}
