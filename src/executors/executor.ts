/** What every executor guarantees. The inline one is the reference for the others. */
import type { RunOutcome, RunTask, WorkerLine } from '../protocol.ts'

/** Where tasks come from. */
export interface TaskSource {
  /** The next task, or undefined if there is none now. There may be one again after the next outcome. */
  next(): RunTask | undefined
  /**
   * If `next` returned nothing but more may come without an outcome: resolves when to ask again. Undefined if only an
   * outcome can change the answer.
   */
  more?(): Promise<void> | undefined
}

export interface Executor {
  /**
   * Performs the tasks in order, as many at once as there are workers. Reports the outcome of each exactly once, in any
   * order. Takes the next task only when a worker is about to be free, so the caller stops an experiment by returning
   * no more tasks. Resolves when the last outcome was reported, no task followed, and the source expects none
   * (`TaskSource.more`).
   *
   * If a job throws, a worker dies, or a run takes too long, that run fails and the others continue.
   *
   * @throws PypetError if no run can be performed: `PYPET_EXECUTOR_FAILED`, as `importJob` if the job does not load in
   *   a worker, `PYPET_WRITER_DIED` if nobody takes the results of runs
   */
  perform(tasks: TaskSource, onOutcome: (outcome: RunOutcome) => void): Promise<void>
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
