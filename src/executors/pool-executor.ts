/** Performs runs on a pool of threads. Only this file uses Piscina. */
import { createRequire } from 'node:module'
import { MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { type ErrorRecord, fromErrorRecord, PypetError, toErrorRecord } from '../errors.ts'
import { entryUrl } from '../own-files.ts'
import type { FromWorker, ReadBefore, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import type { Executor, WorkerListener } from './executor.ts'
import { priorityWarning } from './niceness.ts'
import { performTasks } from './perform-tasks.ts'
import { RunClock } from './run-clock.ts'

/**
 * While runs are shorter than this, each thread has its next run queued, so that it is never idle between two runs. For
 * longer runs the gap does not matter, and stopping an experiment would still perform the queued runs.
 */
const SHORT_RUN_MS = 20
/** Weight of the latest run in the typical run time. */
const LATEST_RUN_WEIGHT = 0.2

/** A task, or undefined to ask whether a thread is ready. */
type Pool = Piscina<RunTask | undefined, RunOutcome>

/**
 * Resolves when the first thread has loaded the job. If it does not load, nothing has to be undone.
 *
 * @throws PypetError as `openExecutor`
 */
export async function openPoolExecutor(
  setup: WorkerSetup,
  threadCount: number,
  listener: WorkerListener,
  storedBefore: StoredBefore,
): Promise<Executor> {
  const { Piscina } = loadPiscina()
  const pool: Pool = new Piscina<RunTask | undefined, RunOutcome>({
    filename: entryUrl('run-thread').href,
    minThreads: threadCount,
    maxThreads: threadCount,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    workerData: setup,
    recordTiming: false,
    // Between two tasks, a thread must keep its event loop running, for sockets, timers and late errors of the job. The
    // default waits in `Atomics.wait`.
    atomics: 'disabled',
  })
  const numbers = new WorkerNumbers(() => pool.threads.map(({ threadId }) => threadId))
  const clock = new RunClock(setup.timeoutMs)
  const warnOnce = priorityWarning(setup.niceness, listener)
  pool.on('message', (message: unknown) => {
    if (isReadBefore(message)) {
      const { name, port } = message
      void storedBefore(name).then((answer) => port.postMessage(answer))
      return
    }
    if (!isFromWorker(message)) return
    if (message.type === 'begun') clock.begin(message.run)
    else if (message.type === 'priority-refused') warnOnce(message.reason)
    else listener({ ...message, worker: numbers.of(message.worker) })
  })
  // A thread that dies between two runs is replaced. Without a listener, its error would end the process.
  pool.on('error', (cause: unknown) => {
    listener({ type: 'log', level: 'error', message: `a worker thread ended: ${reasonOf(cause)}`, worker: 0 })
  })
  let closing: Promise<void> | undefined
  const deserted = new Promise<never>((_resolve, reject) => {
    pool.on('workerDestroy', () => {
      // The replacement follows the destruction at once, except if the thread died at its start.
      queueMicrotask(() => {
        if (closing === undefined && pool.threads.length === 0) reject(desertedError())
      })
    })
  })
  deserted.catch(() => undefined)
  let endWaits: () => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    endWaits = resolve
  })
  const close = () => {
    closing ??= pool.destroy()
    endWaits()
    return closing
  }
  try {
    await Promise.race([loadInOne(pool), deserted])
  } catch (error) {
    await close()
    throw error
  }
  return {
    async perform(tasks, onOutcome) {
      // Closing the pool stops threads during their runs. These runs are abandoned, not failed.
      const tell = (outcome: RunOutcome) => {
        if (closing === undefined) onOutcome(outcome)
      }
      const load = new PoolLoad(threadCount, clock)
      const workers = {
        activeMax: () => load.activeMax,
        perform: (task: RunTask) => performOne(pool, task, clock),
        closed,
      }
      const performing = performTasks(tasks, workers, (outcome) => {
        load.note(outcome)
        tell(outcome)
      })
      await Promise.race([performing, deserted])
    },
    [Symbol.asyncDispose]: close,
  }
}

/**
 * Loads Piscina at its first use. Once source maps are on for the job, Node reads those of every module it loads, so
 * load Piscina before that. (Not `import()`: Node would first scan its CommonJS for exports.)
 */
export function loadPiscina(): typeof import('piscina') {
  return createRequire(import.meta.url)('piscina') as typeof import('piscina')
}

/** Number of runs in the pool at a time: one per thread, or two while runs are short. */
class PoolLoad {
  readonly #threadCount: number
  readonly #isLimited: boolean
  #typicalMs = SHORT_RUN_MS

  constructor(threadCount: number, clock: RunClock) {
    this.#threadCount = threadCount
    // With a time limit, a thread may be stopped. It must not take a queued run with it.
    this.#isLimited = clock.isLimited
  }

  get activeMax(): number {
    return this.#typicalMs < SHORT_RUN_MS && !this.#isLimited ? 2 * this.#threadCount : this.#threadCount
  }

  note(outcome: RunOutcome): void {
    this.#typicalMs += (durationMs(outcome) - this.#typicalMs) * LATEST_RUN_WEIGHT
  }
}

/** Resolves when one thread has loaded the job. The others load it at the same time. */
async function loadInOne(pool: Pool): Promise<void> {
  try {
    await pool.run(undefined, { name: 'load' })
  } catch (cause) {
    if (!(cause instanceof Error)) throw fromErrorRecord(cause as ErrorRecord, 'PYPET_EXECUTOR_FAILED')
    throw new PypetError(
      'PYPET_EXECUTOR_FAILED',
      `a worker thread ended while starting: ${reasonOf(cause)}`,
      {
        hint: START_HINT,
        cause,
      },
    )
  }
}

/**
 * If the pool rejects, it is not the job's error: those are outcomes. Either the thread ended during the run, so the
 * run failed, or the thread reports that it cannot perform any run.
 */
async function performOne(pool: Pool, task: RunTask, clock: RunClock): Promise<RunOutcome> {
  const { run, attempt } = task
  const startTimestamp = Date.now() / 1000
  const signal = clock.limit(run)
  try {
    return await (signal === undefined ? pool.run(task) : pool.run(task, { signal }))
  } catch (cause) {
    if (!(cause instanceof Error)) throw fromErrorRecord(cause as ErrorRecord, 'PYPET_EXECUTOR_FAILED')
    const error = signal?.aborted === true ? toErrorRecord(signal.reason) : endedThread(cause)
    // The only stack leads through pypet-ts, and would mislead the user.
    const failure = { run, error: { ...error, stack: '' }, attempts: attempt, startTimestamp }
    return { state: 'failed', failure: { ...failure, finishTimestamp: Date.now() / 1000 } }
  } finally {
    clock.end(run)
  }
}

function endedThread(cause: Error): ErrorRecord {
  const message = `the worker thread ended during the run: ${reasonOf(cause)}`
  const hint = 'Did the job call process.exit, or run out of memory?'
  return toErrorRecord(new PypetError('PYPET_EXECUTOR_FAILED', message, { hint }))
}

function durationMs(outcome: RunOutcome): number {
  const { startTimestamp } = outcome.state === 'failed' ? outcome.failure : outcome
  return Date.now() - startTimestamp * 1000
}

/** A job may post its own messages to what it takes for its parent. */
function isFromWorker(message: unknown): message is FromWorker {
  const type = (message as FromWorker | null | undefined)?.type
  return typeof message === 'object' && (type === 'log' || type === 'begun' || type === 'priority-refused')
}

function isReadBefore(message: unknown): message is ReadBefore<MessagePort> {
  const asked = message as ReadBefore<MessagePort> | null | undefined
  return typeof message === 'object' && asked?.type === 'read-before' && asked.port instanceof MessagePort
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function desertedError(): PypetError {
  return new PypetError(
    'PYPET_EXECUTOR_FAILED',
    'no worker thread could be started: each one ended while starting',
    {
      hint: START_HINT,
    },
  )
}

const START_HINT =
  'Check that the job does not exit while loading, and that memory and threads suffice for --ncores.'

/**
 * Numbers workers from 1. A replacement thread gets the number of the one it replaces. So there are only as many log
 * files as concurrent workers, however many threads die.
 */
export class WorkerNumbers {
  readonly #livingThreads: () => readonly number[]
  /** Ended threads stay in the map: their last messages may arrive later. */
  readonly #numberOf = new Map<number, number>()

  constructor(livingThreads: () => readonly number[]) {
    this.#livingThreads = livingThreads
  }

  /** The number of a thread. A new thread gets the smallest number that no living thread has. */
  of(threadId: number): number {
    const known = this.#numberOf.get(threadId)
    if (known !== undefined) return known
    const taken = new Set(this.#livingThreads().map((living) => this.#numberOf.get(living)))
    let number = 1
    while (taken.has(number)) number += 1
    this.#numberOf.set(threadId, number)
    return number
  }
}
