/** Performs runs one after the other in the main thread: no copies, no threads, breakpoints work. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PypetError } from '../errors.ts'
import { importJob } from '../experiment/load-job.ts'
import type { WorkerSetup } from '../protocol.ts'
import type { RunIndex } from '../trajectory/path.ts'
import { captureOutput } from './captured-output.ts'
import type { Executor, WorkerListener } from './executor.ts'
import { atLogLevel } from './job-log.ts'
import { RunPerformer } from './perform-run.ts'
import { RecordSender } from './record-sender.ts'

/** The number under which the main thread's lines are logged; pool threads count from 1. */
const INLINE_WORKER = 0

export async function openInlineExecutor(setup: WorkerSetup, listener: WorkerListener): Promise<Executor> {
  const [job, sender] = await Promise.all([importJob(setup.job), RecordSender.open(setup.writerAddress)])
  const writeLog = atLogLevel(setup.logLevel, (level, message, run) =>
    listener({ type: 'log', level, message, worker: INLINE_WORKER, ...(run !== undefined && { run }) }),
  )
  // Tells what a job does from what pypet-ts itself does, which shares the process with it.
  const performing = new AsyncLocalStorage<RunIndex>()
  const output = captureOutput(
    (line) => writeLog('info', line, performing.getStore()),
    () => performing.getStore() !== undefined,
  )
  const performer = new RunPerformer(job.run, setup, (record) => sender.send(record), writeLog)
  const onStrayError = (thrown: unknown) => performer.strayError(thrown, performing.getStore())
  process.on('uncaughtException', onStrayError)
  process.on('unhandledRejection', onStrayError)
  const restoreExit = interceptExit((code) => {
    const run = performing.getStore()
    if (run === undefined) return undefined
    const error = exitError(code)
    performer.strayError(error, run)
    return error
  })
  return {
    async perform(tasks, onOutcome) {
      for (const task of tasks) {
        const outcome = await performing.run(task.run, async () => {
          try {
            return await performer.perform(task)
          } finally {
            output.flush()
          }
        })
        onOutcome(outcome)
        await nextTurn()
      }
    },
    async [Symbol.asyncDispose]() {
      process.off('uncaughtException', onStrayError)
      process.off('unhandledRejection', onStrayError)
      restoreExit()
      output.restore()
      sender.close()
    },
  }
}

/**
 * In a thread `process.exit` ends the thread; here it would end the experiment, and with the job's exit
 * code, which is 0 more often than not. So it throws, and fails the run that calls it.
 */
function interceptExit(refuse: (code: unknown) => PypetError | undefined): () => void {
  const exit = process.exit
  process.exit = (code) => {
    const error = refuse(code)
    if (error !== undefined) throw error
    return exit.call(process, code)
  }
  return () => {
    process.exit = exit
  }
}

function exitError(code: unknown): PypetError {
  return new PypetError('PYPET_EXECUTOR_FAILED', `the job called process.exit(${code ?? ''})`, {
    hint: 'Return from the job to end a run, throw an error to fail it.',
  })
}

/** Lets the writer's announcements, signals and the progress bar have their turn between two runs. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
