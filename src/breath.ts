/** Long work in one thread lets others have a turn: signals, sockets, timers. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Nobody notices a wait that is so short, and a turn costs nothing against it. */
const BREATH_MS = 20

let lastMs = 0

/** Resolves in a later turn of the event loop, or at once where the last one is not long ago. */
export async function breathe(): Promise<void> {
  if (performance.now() - lastMs < BREATH_MS) return
  await nextTurn()
  lastMs = performance.now()
}
