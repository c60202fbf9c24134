/** Jobs that a script gave as functions, by the addresses that they have in this thread. Small: every thread loads it. */
import type { Run } from '../tree/run.ts'
import type { OwnClass } from '../values/own-class.ts'

/** The user's function of the run. It may return a value or a promise of one. */
export type JobFunction = (traj: Run, ...args: readonly unknown[]) => unknown

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

const CLASS_SCHEME = 'pypet-ts-classes:'
const keptClasses = new Map<string, readonly OwnClass[]>()

/** The same for classes. */
export function keepClasses(classes: readonly OwnClass[]): string {
  count += 1
  const url = `${CLASS_SCHEME}${count}`
  keptClasses.set(url, classes)
  return url
}

export function forgetClasses(url: string): void {
  keptClasses.delete(url)
}

export function classesAt(url: string): readonly OwnClass[] | undefined {
  return keptClasses.get(url)
}
