/** What every executor guarantees. The inline one is the reference for the others. */
import type { RunOutcome, RunRange, RunTask, WorkerLine } from '../protocol.ts'
import type { PointValues } from '../run/parameter-view.ts'
import type { RunIndex } from '../values/path.ts'

/** Where runs come from. */
export interface TaskSource {
  /**
   * The next runs, at most this many, or undefined if there are none now. There may be some again after the next
   * outcome.
   */
  next(countMax: number): RunRange | undefined
  /** The explored values of a run. */
  pointAt(run: RunIndex): PointValues
  /** Takes back runs that were not performed. `next` returns them again, unless the experiment stops. */
  putBack(range: RunRange): void
  /**
   * If `next` returned nothing but more may come without an outcome: resolves when to ask again. Undefined if only an
   * outcome can change the answer.
   */
  more?(): Promise<void> | undefined
}

export interface Executor {
  /**
   * Performs the runs in order, as many at once as there are workers. Reports the outcome of each exactly once, in any
   * order. Takes the next ones only when a worker is about to be free, so the caller stops an experiment by returning
   * no more, and calls `interrupt`. Resolves when the last outcome was reported, no run followed, and the source
   * expects none (`TaskSource.more`).
   *
   * If a job throws, a worker dies, or a run takes too long, that run fails and the others continue.
   *
   * @throws PypetError if no run can be performed: `PYPET_EXECUTOR_FAILED`, as `importJob` if the job does not load in
   *   a worker, `PYPET_WRITER_DIED` if nobody takes the results of runs
   */
  perform(tasks: TaskSource, onOutcome: (outcome: RunOutcome) => void): Promise<void>
  /** Each worker ends its current run and performs no other that it was given: they are put back. */
  interrupt(): void
  /**
   * Stops all workers, and the wait for more tasks. Log lines may still come, outcomes do not: active runs are
   * abandoned, and their `perform` may never settle. A second call waits for the first.
   */
  [Symbol.asyncDispose](): Promise<void>
}

/** Receives what workers say during their work. What the executor itself says has no worker number. */
export type WorkerListener = (
  line: Omit<WorkerLine, 'worker'> & { readonly worker?: WorkerLine['worker'] },
) => void

/** A single run of a source. */
export function taskOf(tasks: TaskSource, { run, attempt, runCount, args }: RunRange): RunTask {
  return { run, attempt, runCount, point: tasks.pointAt(run), ...(args !== undefined && { args }) }
}

/**
 * The limit of threads or processes that end in a row before their run begins. A single one may have been killed.
 * Processes that end together count once, because none was started after another one's death.
 */
export const DEATHS_IN_A_ROW_MAX = 3
