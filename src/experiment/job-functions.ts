/**
 * Values from a script that cannot leave their thread, by addresses valid in this thread. Small: every thread loads it.
 */
import type { Run } from '../tree/run.ts'
import type { OwnClass } from '../values/own-class.ts'

/** The user's function of the run. It can return a value or a promise. */
export type JobFunction = (traj: Run, ...args: readonly unknown[]) => unknown

interface Kept<Given> {
  /** Gives it an address that `at` resolves in this thread, until it is forgotten. */
  keep(given: Given): string
  forget(url: string): void
  /** Undefined if the address is that of a module. */
  at(url: string): Given | undefined
}

function keptIn<Given>(scheme: string): Kept<Given> {
  const kept = new Map<string, Given>()
  let count = 0
  return {
    keep(given) {
      count += 1
      const url = `${scheme}${count}`
      kept.set(url, given)
      return url
    },
    forget: (url) => void kept.delete(url),
    at: (url) => kept.get(url),
  }
}

/** Jobs that are functions. */
export const keptJobs: Kept<JobFunction> = keptIn('pypet-ts-function:')

/** Classes that restore parameters. */
export const keptClasses: Kept<readonly OwnClass[]> = keptIn('pypet-ts-classes:')
