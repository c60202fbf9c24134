/** A lock that whoever is asking has already, for several steps: known here without what it takes to know who is asking. */
import type { FileLock } from './file-lock.ts'

let find: (file: string) => FileLock | undefined = () => undefined

/** To be given back by whoever has taken it for all steps, not by one of them. */
export function heldLock(file: string): FileLock | undefined {
  return find(file)
}

export function findHeldLocksBy(finder: typeof find): void {
  find = finder
}
