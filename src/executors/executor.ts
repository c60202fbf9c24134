/** What every executor promises; the inline one is the reference for the others. */
import type { FromWorker, RunOutcome, RunTask } from '../protocol.ts'

export interface Executor {
  /**
   * Performs the tasks in their order, as many at once as there are workers, and tells the outcome of
   * each exactly once, in any order. Takes the next task only when a worker is about to be free, so the
   * caller stops an experiment by ending the sequence. Resolves when the last outcome was told.
   *
   * A job that throws, a worker that dies: that run fails, the others go on.
   *
   * @throws PypetError when runs cannot be performed at all: `PYPET_EXECUTOR_FAILED`, or as `importJob`
   *   when the job does not load in a worker
   */
  perform(tasks: Iterable<RunTask>, onOutcome: (outcome: RunOutcome) => void): Promise<void>
  /**
   * Ends all workers. Log lines may still come, outcomes do not: a run that is under way is given up, and
   * its `perform` may never settle. A second call waits for the first.
   */
  [Symbol.asyncDispose](): Promise<void>
}

/** Takes what workers say while they work. */
export type WorkerListener = (message: FromWorker) => void
