/** Arguments of jobs as scripts give them: the same for all runs, or one of each iterable for each. */
import type { JobArguments } from '../environment/job-arguments.ts'
import { PypetError } from '../errors.ts'
import { formatRuns, plural } from '../reporting/quantity.ts'
import type { RunIndex } from '../values/path.ts'

/** For an experiment whose arguments its `.cnt` file could not keep. */
export interface ArgumentsAgain {
  /**
   * What `run` was given behind the job, where that cannot be kept in a file: functions, shared memory. Others are
   * recorded, and are not given again.
   */
  readonly args?: readonly unknown[]
  /** The same of `runMap`, for all runs that it was for: those that are stored by now, too. */
  readonly iterables?: readonly Iterable<unknown>[]
}

export function argumentsAgain({
  args,
  iterables,
}: ArgumentsAgain): ((runs: readonly RunIndex[]) => JobArguments) | undefined {
  if (iterables !== undefined) return (runs) => eachOf(iterables, runs, { isAgain: true })
  return args === undefined ? undefined : () => ({ common: args })
}

/** @throws PypetError `PYPET_EXPLORATION_LENGTH` for an iterable that ends before the runs do */
export function eachOf(
  iterables: readonly Iterable<unknown>[],
  runs: readonly RunIndex[],
  { isAgain = false } = {},
): JobArguments {
  const wrong = (place: number, found: string) =>
    new PypetError(
      'PYPET_EXPLORATION_LENGTH',
      isAgain
        ? `runMap was for ${formatRuns(runs.length)}, and iterable ${place} has ${found}`
        : `${formatRuns(runs.length)} to perform, and iterable ${place} of runMap has ${found}`,
      {
        where: isAgain ? 'iterables' : 'runMap',
        hint: isAgain
          ? 'Give the same as to runMap, with the values of runs that are stored by now.'
          : 'Give one value for each run that is to be performed; stored ones keep theirs.',
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
