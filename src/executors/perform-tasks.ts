/** Keeps workers busy: the common loop of executors with several workers. */
import type { RunOutcome, RunRange } from '../protocol.ts'
import type { TaskSource } from './executor.ts'

export interface Workers {
  /** How many ranges may be active now. */
  readonly activeMax: () => number
  /** How many runs the next range may have. */
  readonly rangeMax: () => number
  /** Performs runs one after the other. Rejects if no more runs can be performed. */
  readonly perform: (range: RunRange, listener: RangeListener) => Promise<void>
  /** Resolves when the executor is disposed of. */
  readonly closed: Promise<void>
}

/** Hears of a range until it ends. */
export interface RangeListener {
  /** Each run that was performed. */
  report(outcome: RunOutcome): void
  /** Runs that are not performed. */
  putBack(rest: RunRange): void
  /** Runs were put back before the range ends, and another worker may be idle. */
  refill(): void
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
    const listener: RangeListener = {
      report: onOutcome,
      putBack: (rest) => tasks.putBack(rest),
      refill: () => fill(),
    }
    const endRange = () => {
      activeCount -= 1
      fill()
    }
    const fill = () => {
      while (!isOver && activeCount < workers.activeMax()) {
        const range = tasks.next(workers.rangeMax())
        if (range === undefined) {
          wait()
          break
        }
        activeCount += 1
        workers.perform(range, listener).then(endRange).catch(stop)
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
