/** Performs runs on a pool of threads. Only this file uses Piscina. */
import { createRequire } from 'node:module'
import { MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { type ErrorRecord, fromErrorRecord, PypetError, toErrorRecord } from '../errors.ts'
import { entryUrl } from '../own-files.ts'
import type {
  FromWorker,
  ReadBefore,
  RunOutcome,
  RunRange,
  ThreadResult,
  ThreadSetup,
  ThreadTask,
  WorkerSetup,
} from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import type { RunIndex } from '../values/path.ts'
import type { Executor, TaskSource, WorkerListener } from './executor.ts'
import { priorityWarning } from './niceness.ts'
import { performTasks } from './perform-tasks.ts'
import { RANGE_MS, RangeLength } from './range-length.ts'
import { RunClock } from './run-clock.ts'
import { SharedRange, sharedNumbers } from './shared-ranges.ts'

/** A task, or undefined to ask whether a thread is ready. */
type Pool = Piscina<ThreadTask | undefined, ThreadResult>

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
  const numbers = sharedNumbers(RANGES_PER_THREAD * threadCount)
  const pool: Pool = new Piscina<ThreadTask | undefined, ThreadResult>({
    filename: entryUrl('run-thread').href,
    minThreads: threadCount,
    maxThreads: threadCount,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    workerData: { ...setup, numbers } satisfies ThreadSetup,
    recordTiming: false,
    // Between two tasks, a thread must keep its event loop running, for sockets, timers and late errors of the job. The
    // default waits in `Atomics.wait`.
    atomics: 'disabled',
  })
  const workerNumbers = new WorkerNumbers(() => pool.threads.map(({ threadId }) => threadId))
  const clock = new RunClock(setup.timeoutMs)
  const slots = Array.from({ length: RANGES_PER_THREAD * threadCount }, (_, slot) => slot)
  const underway = new Set<RangeUnderway>()
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
    else listener({ ...message, worker: workerNumbers.of(message.worker) })
  })
  const onEndedBetween = (cause: unknown) => {
    listener({ type: 'log', level: 'error', message: `a worker thread ended: ${reasonOf(cause)}`, worker: 0 })
  }
  // A thread that dies between two runs is replaced. Without a listener, its error would end the process.
  pool.on('error', onEndedBetween)
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
      const length = new RangeLength()
      const plannedCount = setup.plan === undefined ? 0 : setup.plan.runCount
      const workers = {
        // While short runs go one by one, each thread has its next one queued, so that it is never idle between two. For
        // longer runs and ranges the gap does not matter, and what a range leaves comes before the next one. With a time
        // limit, a thread may be stopped, and must not take more with it.
        activeMax: () => (length.areShortAndSingle && !clock.isLimited ? RANGES_PER_THREAD : 1) * threadCount,
        rangeMax: () => (clock.isLimited ? 1 : length.runs),
        async perform(range: RunRange, putBack: (rest: RunRange) => void): Promise<readonly RunOutcome[]> {
          const slot = slots.pop() as number
          const active = new RangeUnderway(range, new SharedRange(numbers, slot), putBack)
          underway.add(active)
          try {
            const points = pointsToSend(tasks, range, plannedCount)
            const task = { ...range, slot, ...(points !== undefined && { points }) }
            return await performRange(pool, task, { active, clock, length, onEndedBetween })
          } finally {
            active.end()
            underway.delete(active)
            slots.push(slot)
          }
        },
        closed,
      }
      await Promise.race([performTasks(tasks, workers, tell), deserted])
    },
    interrupt() {
      for (const active of underway) active.takeBackRest()
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

/** While short runs go one by one. */
const RANGES_PER_THREAD = 2

/** A range that a thread performs, or that waits for a thread. */
class RangeUnderway {
  readonly #range: RunRange
  readonly #shared: SharedRange
  readonly #putBack: (rest: RunRange) => void
  #timer: NodeJS.Timeout | undefined

  constructor(range: RunRange, shared: SharedRange, putBack: (rest: RunRange) => void) {
    this.#range = range
    this.#shared = shared
    this.#putBack = putBack
    shared.begin(range.count)
    if (range.count > 1) this.#watch()
  }

  /** If the range is overdue, one of its runs takes long. The others need not wait for it. */
  #watch(): void {
    this.#timer = setTimeout(() => {
      // Any thread will take a range that waits.
      if (this.progress.begunCount === 0) this.#watch()
      else this.takeBackRest()
    }, OVERDUE_MS)
  }

  /** Whether a thread that has ended was in a run. If it ended as it began the range, it was in the first one. */
  isInRun(): boolean {
    const { begunCount, handedOverCount } = this.#shared.progress
    if (begunCount === 0) return this.#shared.beginRun() !== undefined
    return begunCount > handedOverCount
  }

  get progress(): SharedRange['progress'] {
    return this.#shared.progress
  }

  /** What the thread has not begun is performed later, by any thread. */
  takeBackRest(): void {
    const { first, count } = this.#shared.takeBack()
    if (count === 0) return
    const { args, ...range } = this.#range
    const rest = { ...range, run: range.run + first, count }
    this.#putBack({ ...rest, ...(args !== undefined && { args: args.slice(first, first + count) }) })
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

/** A range should end long before. */
const OVERDUE_MS = 5 * RANGE_MS

/** The points that a thread cannot compute from its plan. */
function pointsToSend(tasks: TaskSource, { run, count }: RunRange, plannedCount: number) {
  if (run + count <= plannedCount) return undefined
  return Array.from({ length: count }, (_, offset) => tasks.pointAt(run + offset))
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

interface RangeParts {
  readonly active: RangeUnderway
  readonly clock: RunClock
  readonly length: RangeLength
  /** The thread has ended between two runs, and no run failed. */
  readonly onEndedBetween: (cause: unknown) => void
}

/**
 * If the pool rejects, it is not the job's error: those are outcomes. Either the thread ended during a run, so that run
 * failed, or the thread reports that it cannot perform any run.
 */
async function performRange(
  pool: Pool,
  task: ThreadTask,
  { active, clock, length, onEndedBetween }: RangeParts,
): Promise<readonly RunOutcome[]> {
  const { run, attempt } = task
  const startTimestamp = Date.now() / 1000
  const signal = clock.limit(run)
  try {
    const result = await (signal === undefined ? pool.run(task) : pool.run(task, { signal }))
    active.takeBackRest()
    length.note(active.progress.begunCount, result)
    return outcomesOf(run, active.progress.handedOverCount, result)
  } catch (cause) {
    if (!(cause instanceof Error)) throw fromErrorRecord(cause as ErrorRecord, 'PYPET_EXECUTOR_FAILED')
    const isInRun = active.isInRun()
    active.takeBackRest()
    length.startSmall()
    const { handedOverCount } = active.progress
    if (!isInRun) {
      onEndedBetween(cause)
      return outcomesOf(run, handedOverCount, { startTimestamp })
    }
    const error = signal?.aborted === true ? toErrorRecord(signal.reason) : endedThread(cause)
    // The only stack leads through pypet-ts, and would mislead the user.
    const failed = { run: run + handedOverCount, error: { ...error, stack: '' }, attempts: attempt }
    const failure = { ...failed, startTimestamp, finishTimestamp: Date.now() / 1000 }
    return outcomesOf(run, handedOverCount, { startTimestamp, failure })
  } finally {
    clock.end(run)
  }
}

function outcomesOf(
  run: RunIndex,
  handedOverCount: number,
  { startTimestamp, returned, failure }: Omit<ThreadResult, 'elapsedMs'>,
): readonly RunOutcome[] {
  const outcomes: RunOutcome[] = []
  // A returned value belongs to the last one.
  const count = returned === undefined ? handedOverCount : handedOverCount - 1
  if (count > 0) outcomes.push({ state: 'handed-over', run, count, startTimestamp })
  if (returned !== undefined)
    outcomes.push({ state: 'handed-over', run: run + count, count: 1, startTimestamp, returned })
  if (failure !== undefined) outcomes.push({ state: 'failed', failure })
  return outcomes
}

function endedThread(cause: Error): ErrorRecord {
  const message = `the worker thread ended during the run: ${reasonOf(cause)}`
  const hint = 'Did the job call process.exit, or run out of memory?'
  return toErrorRecord(new PypetError('PYPET_EXECUTOR_FAILED', message, { hint }))
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
