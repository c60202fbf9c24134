/** Time and turns of the event loop, whatever a job does to the timers of its thread: some jobs replace them. */
import { performance } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers'

const now = performance.now.bind(performance)
const soon = setImmediate
/** `setTimeout` as it was before the job. */
export const later = setTimeout

export function nowMs(): number {
  return now()
}

/** Resolves when the event loop has polled for messages, signals and timers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void soon(resolve))
}
