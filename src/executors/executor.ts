/** What every executor promises; the inline one is the reference for the others. */
import type { RunOutcome, RunTask, WorkerLine } from '../protocol.ts'

/** Where tasks come from. */
export interface TaskSource {
  /** The next task; undefined when there is none now. After the next outcome there may be one again. */
  next(): RunTask | undefined
  /**
   * When `next` gave nothing though more may come without an outcome: resolves when it is worth asking again. Undefined
   * when only an outcome can change the answer.
   */
  more?(): Promise<void> | undefined
}

export interface Executor {
  /**
   * Performs the tasks in their order, as many at once as there are workers, and tells the outcome of
   * each exactly once, in any order. Takes the next task only when a worker is about to be free, so the
   * caller stops an experiment by giving no more. Resolves when the last outcome was told, no task followed, and
   * the source expects none (`TaskSource.more`).
   *
   * A job that throws, a worker that dies, a run that takes too long: that run fails, the others go on.
   *
   * @throws PypetError when runs cannot be performed at all: `PYPET_EXECUTOR_FAILED`, as `importJob`
   *   when the job does not load in a worker, `PYPET_WRITER_DIED` when nobody takes what runs have made
   */
  perform(tasks: TaskSource, onOutcome: (outcome: RunOutcome) => void): Promise<void>
  /**
   * Ends all workers, and the wait for more tasks. Log lines may still come, outcomes do not: a run that is under
   * way is given up, and its `perform` may never settle. A second call waits for the first.
   */
  [Symbol.asyncDispose](): Promise<void>
}

/** Takes what workers say while they work. What an executor says itself has no number of a worker. */
export type WorkerListener = (
  line: Omit<WorkerLine, 'worker'> & { readonly worker?: WorkerLine['worker'] },
) => void
