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
  ThreadTask,
  WorkerSetup,
} from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import { DEATHS_IN_A_ROW_MAX, type Executor, type TaskSource, type WorkerListener } from './executor.ts'
import { priorityWarning } from './niceness.ts'
import { performTasks, type RangeListener } from './perform-tasks.ts'
import { RANGE_MS, RangeLength } from './range-length.ts'
import { RecordSender } from './record-sender.ts'
import { RunClock } from './run-clock.ts'
import { type RangeProgress, SharedRange } from './shared-range.ts'
import { SharedRows } from './shared-rows.ts'

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
  const pool: Pool = new Piscina<ThreadTask | undefined, ThreadResult>({
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
  const underway = new Set<RangeUnderway>()
  const rowsMemory = new RowsMemory(setup)
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
  let closing: Promise<void> | undefined
  const onEndedBetween = (cause: unknown) => {
    if (closing !== undefined) return
    listener({ type: 'log', level: 'error', message: `a worker thread ended: ${reasonOf(cause)}`, worker: 0 })
  }
  // A thread that dies between two runs is replaced. Without a listener, its error would end the process.
  pool.on('error', onEndedBetween)
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
    closing ??= pool.destroy().finally(() => rowsMemory.close())
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
      const deaths = new EarlyDeaths()
      const plannedCount = setup.plan === undefined ? 0 : setup.plan.runCount
      const workers = {
        // While short runs go one by one, each thread has its next one queued, so that it is never idle between two. For
        // longer runs and ranges the gap does not matter, and what a range leaves comes before the next one. With a time
        // limit, a thread may be stopped, and must not take more with it.
        activeMax: () => (length.areShortAndSingle && !clock.isLimited ? RANGES_PER_THREAD : 1) * threadCount,
        rangeMax: () => (clock.isLimited ? 1 : length.runs),
        async perform(range: RunRange, ranges: RangeListener): Promise<void> {
          const rows = rowsMemory.take(range)
          const active = new RangeUnderway(range, ranges, rows && { rows, send: rowsMemory.send })
          underway.add(active)
          try {
            const points = pointsToSend(tasks, range, plannedCount)
            const task = {
              ...range,
              numbers: active.numbers,
              ...(points !== undefined && { points }),
              ...(rows !== undefined && { rows: rows.memory }),
            }
            const isWhole = await performRange(pool, task, { active, clock, length, deaths, onEndedBetween })
            if (isWhole) rowsMemory.giveBack(rows)
          } finally {
            active.end()
            underway.delete(active)
          }
        },
        closed,
      }
      await Promise.race([performTasks(tasks, workers, tell), deserted])
    },
    interrupt() {
      for (const active of underway) active.interrupt()
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

/** Memory for the runs that threads pack, and a connection to the writer for those that a thread does not send. */
class RowsMemory {
  readonly #sender: RecordSender | undefined
  readonly #spare: SharedRows[] = []

  constructor({ storage }: Pick<WorkerSetup, 'storage'>) {
    if (storage.kind === 'queue' && storage.takesRows === true)
      this.#sender = new RecordSender(storage.address)
  }

  /** Undefined if each run is sent by itself. */
  take({ count }: RunRange): SharedRows | undefined {
    if (this.#sender === undefined || count === 1) return undefined
    const rows = this.#spare.pop() ?? new SharedRows()
    rows.clear()
    return rows
  }

  /** The thread writes nothing more to it. */
  giveBack(rows: SharedRows | undefined): void {
    if (rows !== undefined) this.#spare.push(rows)
  }

  /** @throws PypetError `PYPET_WRITER_DIED` */
  readonly send = async (frame: Uint8Array): Promise<void> => await this.#sender?.sendFrame([frame])

  close(): void {
    this.#sender?.close()
  }
}

/** A range that a thread performs, or that waits for one. Reports each of its runs, and puts back the others. */
class RangeUnderway {
  readonly #range: RunRange
  readonly #shared: SharedRange
  readonly #listener: RangeListener
  readonly #packed: PackedPart | undefined
  readonly #startTimestamp = Date.now() / 1000
  readonly #timer: NodeJS.Timeout | undefined
  #reportedCount = 0

  constructor(range: RunRange, listener: RangeListener, packed: PackedPart | undefined) {
    this.#range = range
    this.#packed = packed
    this.#shared = SharedRange.of(range.count)
    this.#listener = listener
    // Then one of its runs takes long. The others need not wait for it.
    if (range.count > 1) this.#timer = setTimeout(() => void this.#pass(), OVERDUE_MS)
  }

  get numbers(): Int32Array {
    return this.#shared.numbers
  }

  get progress(): RangeProgress {
    return this.#shared.progress
  }

  /**
   * How far the range is when its thread has died or is busy. Sends what the thread has packed, so that it is handed over.
   *
   * @param isDead otherwise, rows that the thread is just sending are left to it: the writer may be slow
   * @throws PypetError `PYPET_WRITER_DIED`
   */
  async settled(isDead: boolean): Promise<RangeProgress> {
    const rows = this.#packed?.rows
    const unsent = isDead || rows?.isBeingSent === false ? rows?.unsent() : undefined
    const { begunCount, handedOverCount } = this.progress
    const end = unsent === undefined ? 0 : unsent.firstOffset + unsent.count
    // If both send a run, the writer takes it once.
    if (unsent !== undefined && end > Math.max(handedOverCount, this.#reportedCount))
      await this.#packed?.send(unsent.frame)
    return { begunCount, handedOverCount: Math.max(handedOverCount, end) }
  }

  /** Only the current run is performed. */
  interrupt(): void {
    if (this.takeBackRest()) this.#listener.refill()
  }

  /** What the thread has not begun is performed later, by any thread. */
  takeBackRest(): boolean {
    const { first, count } = this.#shared.takeBack()
    if (count > 0) this.#listener.putBack({ ...this.#range, run: this.#range.run + first, count })
    return count > 0
  }

  /** Reports these runs, which are handed over, if they were not reported. */
  reportHandedOver({ handedOverCount }: RangeProgress, startTimestamp = this.#startTimestamp): void {
    const count = handedOverCount - this.#reportedCount
    if (count <= 0) return
    const run = this.#range.run + this.#reportedCount
    this.#reportedCount = handedOverCount
    this.#listener.report({ state: 'handed-over', run, count, startTimestamp })
  }

  /** Reports the whole range. What is not counted as handed over is told by the result. */
  reportResult({ startTimestamp, returned, failure }: ThreadResult): void {
    this.reportHandedOver(this.progress, startTimestamp)
    const run = this.#range.run + this.#reportedCount
    if (returned !== undefined)
      this.#listener.report({ state: 'handed-over', run, count: 1, startTimestamp, returned })
    if (failure !== undefined) this.#listener.report({ state: 'failed', failure })
  }

  /** The thread has ended in the run after those that were reported. */
  reportDied(error: ErrorRecord): void {
    const run = this.#range.run + this.#reportedCount
    // The only stack leads through pypet-ts, and would mislead the user.
    const failed = { run, error: { ...error, stack: '' }, attempts: this.#range.attempt }
    const failure = { ...failed, startTimestamp: this.#startTimestamp, finishTimestamp: Date.now() / 1000 }
    this.#listener.report({ state: 'failed', failure })
  }

  /** The thread died before the first run, which is therefore the one that failed. False if nothing is left of it. */
  beginInItsPlace(): boolean {
    return this.#shared.beginRun() !== undefined
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  async #pass(): Promise<void> {
    this.interrupt()
    // If the writer is gone, the thread says so, too.
    const progress = await this.settled(false).catch(() => this.progress)
    this.reportHandedOver(progress)
  }
}

/** What a thread has packed, and how to send it in its place. */
interface PackedPart {
  readonly rows: SharedRows
  readonly send: (frame: Uint8Array) => Promise<void>
}

/** Counts threads in a row that died before they began a run. One may have died of what an earlier run left behind. */
class EarlyDeaths {
  #count = 0

  /** Whether the run that would have been next counts as the cause. */
  note(): boolean {
    this.#count += 1
    return this.#count >= DEATHS_IN_A_ROW_MAX
  }

  clear(): void {
    this.#count = 0
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
  readonly deaths: EarlyDeaths
  /** The thread has ended outside of a run, and no run failed. */
  readonly onEndedBetween: (cause: unknown) => void
}

/**
 * If the pool rejects, it is not the job's error: those are outcomes. Either the thread ended during a run, so that run
 * failed, or the thread reports that it cannot perform any run.
 *
 * @returns whether the thread has ended the range, and not itself
 */
async function performRange(
  pool: Pool,
  task: ThreadTask,
  { active, clock, length, deaths, onEndedBetween }: RangeParts,
): Promise<boolean> {
  const signal = clock.limit(task.run)
  try {
    const result = await (signal === undefined ? pool.run(task) : pool.run(task, { signal }))
    deaths.clear()
    active.takeBackRest()
    length.note(active.progress.begunCount, result)
    active.reportResult(result)
    return true
  } catch (cause) {
    if (!(cause instanceof Error)) {
      active.reportHandedOver(active.progress)
      throw fromErrorRecord(cause as ErrorRecord, 'PYPET_EXECUTOR_FAILED')
    }
    length.startSmall()
    const error = signal?.aborted === true ? toErrorRecord(signal.reason) : endedThread(cause)
    // The thread may still be ending, so only what it says now counts.
    const progress = await active.settled(true)
    let isInRun = progress.begunCount > progress.handedOverCount
    if (progress.begunCount === 0) isInRun = deaths.note() && active.beginInItsPlace()
    else deaths.clear()
    active.takeBackRest()
    active.reportHandedOver(progress)
    if (isInRun) active.reportDied(error)
    else if (signal?.aborted !== true) onEndedBetween(cause)
    return false
  } finally {
    clock.end(task.run)
  }
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
