/** Performs runs on a pool of threads. The one file that knows Piscina. */
import type { Piscina } from 'piscina'
import { PypetError } from '../errors.ts'
import type { FromWorker, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import type { Executor, WorkerListener } from './executor.ts'

/**
 * Tasks handed to Piscina beyond those being performed: enough that a thread finds its next run waiting,
 * few enough that stopping is prompt.
 */
const TASKS_AHEAD_PER_THREAD = 1

export async function openPoolExecutor(
  setup: WorkerSetup,
  threadCount: number,
  listener: WorkerListener,
): Promise<Executor> {
  const { Piscina } = await import('piscina')
  const pool = new Piscina<RunTask, RunOutcome>({
    filename: threadEntry(),
    minThreads: threadCount,
    maxThreads: threadCount,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    workerData: setup,
    recordTiming: false,
    // Between two tasks a thread must keep turning its event loop: sockets, timers and late errors of
    // the job live there. The default waits in `Atomics.wait`.
    atomics: 'disabled',
  })
  pool.on('message', (message: FromWorker) => listener(message))
  return {
    perform: (tasks, onOutcome) => performAll(pool, tasks, threadCount, onOutcome),
    [Symbol.asyncDispose]: () => pool.destroy(),
  }
}

async function performAll(
  pool: Piscina<RunTask, RunOutcome>,
  tasks: Iterable<RunTask>,
  threadCount: number,
  onOutcome: (outcome: RunOutcome) => void,
): Promise<void> {
  const iterator = tasks[Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      onOutcome(await performOne(pool, next.value))
    }
  }
  await Promise.all(Array.from({ length: threadCount * (1 + TASKS_AHEAD_PER_THREAD) }, lane))
}

/** A rejection here is not the job's (those are outcomes) but the end of the thread under it. */
async function performOne(pool: Piscina<RunTask, RunOutcome>, task: RunTask): Promise<RunOutcome> {
  const startTimestamp = Date.now() / 1000
  try {
    return await pool.run(task)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const error = new PypetError('PYPET_EXECUTOR_FAILED', `the thread performing the run ended: ${reason}`, {
      hint: 'Did the job call process.exit, or run out of memory?',
      cause,
    })
    const { name, message, stack = '', code } = error
    const finishTimestamp = Date.now() / 1000
    return {
      state: 'failed',
      failure: { run: task.run, error: { name, message, stack, code }, startTimestamp, finishTimestamp },
    }
  }
}

/** The entry beside this module, as source or compiled. */
function threadEntry(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./run-thread.${extension}`, import.meta.url).href
}
