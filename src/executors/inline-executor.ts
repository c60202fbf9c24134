/** Performs runs one after the other in the main thread: no copies, no threads, breakpoints work. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { importJob } from '../experiment/load-job.ts'
import type { WorkerSetup } from '../protocol.ts'
import type { RunIndex } from '../trajectory/path.ts'
import { captureOutput } from './captured-output.ts'
import type { Executor, WorkerListener } from './executor.ts'
import { RunPerformer } from './perform-run.ts'
import { RecordSender } from './record-sender.ts'

/** The number under which the main thread's lines are logged; pool threads count from 1. */
const INLINE_WORKER = 0

export async function openInlineExecutor(setup: WorkerSetup, listener: WorkerListener): Promise<Executor> {
  const [job, sender] = await Promise.all([importJob(setup.job), RecordSender.open(setup.writerAddress)])
  // Tells a job's output from that of pypet-ts itself, which shares the process with it.
  const performing = new AsyncLocalStorage<RunIndex>()
  const restoreOutput = captureOutput(
    (message) => listener(logLine('info', message, performing.getStore())),
    () => performing.getStore() !== undefined,
  )
  const performer = new RunPerformer(
    job.run,
    setup,
    (record) => sender.send(record),
    (level, message, run) => listener(logLine(level, message, run)),
  )
  const onStrayError = (thrown: unknown) => performer.strayError(thrown)
  process.on('uncaughtException', onStrayError)
  process.on('unhandledRejection', onStrayError)
  return {
    async perform(tasks, onOutcome) {
      for (const task of tasks) {
        onOutcome(await performing.run(task.run, () => performer.perform(task)))
        await nextTurn()
      }
    },
    async [Symbol.asyncDispose]() {
      process.off('uncaughtException', onStrayError)
      process.off('unhandledRejection', onStrayError)
      restoreOutput()
      sender.close()
    },
  }
}

function logLine(level: 'error' | 'warn' | 'info' | 'debug', message: string, run: RunIndex | undefined) {
  return { type: 'log', level, message, worker: INLINE_WORKER, ...(run !== undefined && { run }) } as const
}

/** Lets the writer's announcements, signals and the progress bar have their turn between two runs. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
