/** Performs runs one after the other in the main thread: no copies, no threads, breakpoints work. */
import { importJob } from '../experiment/load-job.ts'
import type { WorkerSetup } from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import { type Executor, taskOf, type WorkerListener } from './executor.ts'
import { atLogLevel, printedLine, strayErrorLine } from './job-log.ts'
import { nextTurn } from './own-clock.ts'
import { RunPerformer } from './perform-run.ts'
import { openRecordStore } from './record-store.ts'
import type { UserCode } from './user-code.ts'

/** The worker number of lines from the main thread. Pool threads count from 1. */
const INLINE_WORKER = 0

/**
 * A computing run blocks the thread: signals, such as Ctrl-C, are handled between two runs, or while a run waits. A
 * pool of one thread (`executor: 'pool'`) leaves main free to handle them at once.
 */
export async function openInlineExecutor(
  setup: WorkerSetup,
  listener: WorkerListener,
  userCode: UserCode,
  storedBefore: StoredBefore,
): Promise<Executor> {
  const [job, store] = await Promise.all([importJob(setup.job), openRecordStore(setup.storage)])
  const writeLog = atLogLevel(setup.logLevel, (level, message, run) =>
    listener({ type: 'log', level, message, worker: INLINE_WORKER, ...(run !== undefined && { run }) }),
  )
  let performer: RunPerformer
  try {
    performer = new RunPerformer(job, setup, store, writeLog, storedBefore)
  } catch (error) {
    await store.close()
    throw error
  }
  // Also after the last run, to report late errors of a job.
  userCode.listen({
    onLine(message, run, from) {
      const line = printedLine(setup, { message, from, run })
      if (line !== undefined) listener({ ...line, worker: INLINE_WORKER })
    },
    onStrayError(thrown, run) {
      if (performer.strayError(thrown, run)) return
      const source = { worker: INLINE_WORKER, ...(run !== undefined && { run }) }
      listener(strayErrorLine(thrown, { when: 'after its run had ended', ...source }))
    },
  })
  userCode.claimErrors()
  let isClosed = false
  let endWaits: () => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    endWaits = resolve
  })
  return {
    async perform(tasks, onOutcome) {
      // The writer's messages, signals and the progress bar have their turn before the first run and between two runs.
      await nextTurn()
      while (!isClosed) {
        const range = tasks.next(1)
        if (range === undefined) {
          const more = tasks.more?.()
          if (more === undefined) return
          await Promise.race([more, closed])
          continue
        }
        const current = taskOf(tasks, range)
        const outcome = await userCode.call(async () => {
          try {
            return await performer.perform(current)
          } finally {
            userCode.flush()
          }
        }, current.run)
        onOutcome(outcome)
        await nextTurn()
      }
    },
    interrupt() {
      // There is one run at a time.
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      endWaits()
      await store.close()
    },
  }
}
