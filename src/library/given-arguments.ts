/** Arguments of jobs from scripts: the same for all runs, or one value of each iterable per run. */
import type { JobArguments } from '../environment/job-arguments.ts'
import { PypetError } from '../errors.ts'
import { formatRuns, plural } from '../reporting/quantity.ts'
import type { RunIndex } from '../values/path.ts'

/** For an experiment whose arguments the `.cnt` file could not store. */
export interface ArgumentsAgain {
  /**
   * The arguments of `run` after the job, if a file cannot store them: functions, shared memory. Other arguments are
   * recorded and need not be given again.
   */
  readonly args?: readonly unknown[]
  /** The iterables of `runMap`, for all of its runs, including those that are already stored. */
  readonly iterables?: readonly Iterable<unknown>[]
}

export function argumentsAgain({
  args,
  iterables,
}: ArgumentsAgain): ((runs: readonly RunIndex[]) => JobArguments) | undefined {
  if (iterables !== undefined) return (runs) => eachOf(iterables, runs, { isAgain: true })
  return args === undefined ? undefined : () => ({ common: args })
}

/** @throws PypetError `PYPET_EXPLORATION_LENGTH` for an iterable with too few values */
export function eachOf(
  iterables: readonly Iterable<unknown>[],
  runs: readonly RunIndex[],
  { isAgain = false } = {},
): JobArguments {
  const wrong = (place: number, found: string) =>
    new PypetError(
      'PYPET_EXPLORATION_LENGTH',
      isAgain
        ? `runMap was for ${formatRuns(runs.length)}, but iterable ${place} has ${found}`
        : `${formatRuns(runs.length)} to do, but iterable ${place} of runMap has ${found}`,
      {
        where: isAgain ? 'iterables' : 'runMap',
        hint: isAgain
          ? 'Give the same iterables as to runMap, including the values of stored runs.'
          : 'Give one value for each run to do. Stored runs keep theirs.',
      },
    )
  for (const [place, iterable] of iterables.entries()) {
    const length = Array.isArray(iterable) || ArrayBuffer.isView(iterable) ? lengthOf(iterable) : 0
    if (length > runs.length) throw wrong(place, plural(length, 'value'))
  }
  const iterators = iterables.map((iterable) => iterable[Symbol.iterator]())
  const each: unknown[][] = Array.from({ length: (runs.at(-1) ?? -1) + 1 }, () => [])
  for (const [index, run] of runs.entries()) {
    each[run] = iterators.map((iterator, place) => {
      const next = iterator.next()
      if (next.done !== true) return next.value
      throw wrong(place, plural(index, 'value'))
    })
  }
  return { common: [], each, runs }
}

function lengthOf(list: unknown): number {
  return (list as { readonly length: number }).length
}
