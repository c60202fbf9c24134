/** What every executor promises; the inline one is the reference for the others. */
import type { FromWorker, RunOutcome, RunTask } from '../protocol.ts'

export interface Executor {
  /**
   * Performs the tasks in their order, as many at once as there are workers, and tells the outcome of
   * each exactly once, in any order. Takes the next task only when a worker is about to be free, so the
   * caller stops an experiment by ending the sequence. Resolves when the last outcome was told.
   *
   * A job that throws, a worker that dies: that run fails, the others go on. Rejects only when runs
   * cannot be performed at all.
   */
  perform(tasks: Iterable<RunTask>, onOutcome: (outcome: RunOutcome) => void): Promise<void>
  /** Ends all workers. No outcome is told afterwards. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Takes what workers say while they work. */
export type WorkerListener = (message: FromWorker) => void
