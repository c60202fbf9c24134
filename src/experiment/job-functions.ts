/** Jobs that a script gave as functions, by the addresses that they have in this thread. Small: every thread loads it. */
import type { JobFunction } from './load-job.ts'

const SCHEME = 'pypet-ts-function:'
const functions = new Map<string, JobFunction>()
let count = 0

/** Gives the function an address that `importJob` of this thread knows, until it is forgotten. */
export function keepFunction(job: JobFunction): string {
  count += 1
  const url = `${SCHEME}${count}`
  functions.set(url, job)
  return url
}

export function forgetFunction(url: string): void {
  functions.delete(url)
}

/** The function of an address; undefined when it is that of a module. */
export function functionAt(url: string): JobFunction | undefined {
  return functions.get(url)
}
