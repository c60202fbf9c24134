/** Lets signals, sockets and timers take a turn during long work in one thread. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Too short to notice, and long compared with the cost of a turn. */
const BREATH_MS = 20

let lastMs = 0

/** Resolves in a later turn of the event loop, or at once if the last one was recent. */
export async function breathe(): Promise<void> {
  if (performance.now() - lastMs < BREATH_MS) return
  await nextTurn()
  lastMs = performance.now()
}
