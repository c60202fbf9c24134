/** Keeps workers busy: the common loop of executors with several workers. */
import type { RunOutcome, RunTask } from '../protocol.ts'
import type { TaskSource } from './executor.ts'

export interface Workers {
  /** How many runs may be active now. */
  readonly activeMax: () => number
  /** Performs a run. Rejects if no more runs can be performed. */
  readonly perform: (task: RunTask) => Promise<RunOutcome>
  /** Resolves when the executor is disposed of. */
  readonly closed: Promise<void>
}

/** What `Executor.perform` guarantees about tasks and outcomes. */
export function performTasks(
  tasks: TaskSource,
  workers: Workers,
  onOutcome: (outcome: RunOutcome) => void,
): Promise<void> {
  let activeCount = 0
  let isWaiting = false
  let isOver = false
  return new Promise((resolve, reject) => {
    const end = () => {
      isOver = true
      if (activeCount === 0) resolve()
    }
    const stop = (error: unknown) => {
      isOver = true
      reject(error)
    }
    const take = (outcome: RunOutcome) => {
      activeCount -= 1
      onOutcome(outcome)
      fill()
    }
    const fill = () => {
      while (!isOver && activeCount < workers.activeMax()) {
        const task = tasks.next()
        if (task === undefined) {
          wait()
          break
        }
        activeCount += 1
        workers.perform(task).then(take).catch(stop)
      }
      if (activeCount === 0 && !isWaiting) end()
    }
    // One wait at a time: an outcome may call `next` meanwhile, but adds no second wait.
    const wait = () => {
      const more = isWaiting ? undefined : tasks.more?.()
      if (more === undefined) return
      isWaiting = true
      more
        .then(() => {
          isWaiting = false
          fill()
        })
        .catch(stop)
    }
    void workers.closed.then(end)
    fill()
  })
}
