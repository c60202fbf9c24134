/** Performs each run in a fresh process, so that crashes, memory and globals of one run affect no other. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PypetError } from '../errors.ts'
import { bundleProcess, type ProcessBundle } from '../experiment/module-bundle.ts'
import { entryUrl } from '../own-files.ts'
import type { RunOutcome, RunRange, RunTask, WorkerSetup } from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import { DEATHS_IN_A_ROW_MAX, type Executor, taskOf, type WorkerListener } from './executor.ts'
import { MemoryWatch } from './memory-watch.ts'
import { priorityWarning } from './niceness.ts'
import { OrphanKeeper } from './orphan-keeper.ts'
import { writeNodes } from './packed-nodes.ts'
import { performTasks, type RangeListener } from './perform-tasks.ts'
import { RunClock } from './run-clock.ts'
import { type ProcessParts, RunProcess } from './run-process-host.ts'

export interface ProcessSettings {
  /** Number of runs at a time. */
  readonly processCount: number
  /** Memory limit of a process in MB. 0 for no limit. */
  readonly memoryLimit: number
}

/**
 * While runs are shorter than this, one spare process is ready for each active run. For longer runs there is one spare
 * for all, since spares use memory.
 */
const SHORT_RUN_MS = 1000
/** Weight of the latest run in the typical run time. */
const LATEST_RUN_WEIGHT = 0.2

/**
 * Resolves when the first process has loaded the job. If it does not load, nothing has to be undone.
 *
 * @throws PypetError as `openExecutor`
 */
export async function openProcessExecutor(
  setup: WorkerSetup,
  { processCount, memoryLimit }: ProcessSettings,
  listener: WorkerListener,
  storedBefore: StoredBefore,
): Promise<Executor> {
  const bundle = await bundleProcess(fileURLToPath(entryUrl('run-process')), setup.job)
  let nodes: WorkerSetup['nodes']
  try {
    nodes = nodesBeside(bundle.entry, setup)
  } catch (error) {
    await bundle[Symbol.asyncDispose]()
    throw error
  }
  const parts: ProcessParts = {
    entry: bundle.entry,
    setup: { ...setup, job: { ...setup.job, ...bundle.job }, ...(nodes !== undefined && { nodes }) },
    memoryLimit,
    clock: new RunClock(setup.timeoutMs),
    memory: new MemoryWatch(memoryLimit),
    orphans: new OrphanKeeper(),
    onPriorityRefused: priorityWarning(setup.niceness, listener),
    storedBefore,
  }
  const executor = new ProcessExecutor(parts, bundle, processCount, listener)
  try {
    await executor.open()
    return executor
  } catch (error) {
    await executor[Symbol.asyncDispose]()
    throw error
  }
}

/** Puts the nodes of the trajectory into a file next to the bundle: most processes need few of them. */
function nodesBeside(entry: string, { nodes }: WorkerSetup): WorkerSetup['nodes'] {
  return nodes !== undefined && 'text' in nodes ? writeNodes(nodes, join(dirname(entry), 'nodes')) : nodes
}

class ProcessExecutor implements Executor {
  readonly #parts: ProcessParts
  readonly #bundle: ProcessBundle
  readonly #processCount: number
  readonly #listener: WorkerListener
  /** All processes that are not gone, in any state. */
  readonly #living = new Set<RunProcess>()
  /** How the latest process ended that had not begun its run. */
  #lastDeath: PypetError | undefined
  /** Started, but without a run. The first one gets the next run. */
  readonly #spares: RunProcess[] = []
  /** Their run has ended, and they are exiting. */
  readonly #leaving = new Set<RunProcess>()
  /** Worker numbers in use by active runs. */
  readonly #takenNumbers = new Set<number>()
  /** The least number of runs to expect, and the number of runs started. */
  #runCount: number
  #givenCount = 0
  #typicalMs = 0
  #closing: Promise<void> | undefined
  #endWaits: () => void = () => undefined
  readonly #closed = new Promise<void>((resolve) => {
    this.#endWaits = resolve
  })

  constructor(parts: ProcessParts, bundle: ProcessBundle, processCount: number, listener: WorkerListener) {
    this.#parts = parts
    this.#bundle = bundle
    this.#processCount = processCount
    this.#listener = listener
    this.#runCount = parts.setup.runCount
  }

  /** @throws PypetError as `openExecutor` */
  async open(): Promise<void> {
    this.#startSpares()
    await this.#spares[0]?.ready
  }

  async perform(...[tasks, onOutcome]: Parameters<Executor['perform']>): ReturnType<Executor['perform']> {
    const workers = {
      activeMax: () => this.#processCount,
      rangeMax: () => 1,
      perform: async (range: RunRange, { report }: RangeListener) =>
        report(await this.#performOne(taskOf(tasks, range))),
      closed: this.#closed,
    }
    // Closing kills processes during their runs. These runs are abandoned, not failed.
    await performTasks(tasks, workers, (outcome) => {
      if (this.#closing === undefined) onOutcome(outcome)
    })
  }

  interrupt(): void {
    // A process has one run.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#endWaits()
    const living = [...this.#living]
    for (const process of living) if (!this.#leaving.has(process)) process.kill()
    await Promise.all(living.map(({ ended }) => ended))
    this.#parts.memory[Symbol.dispose]()
    this.#parts.orphans[Symbol.dispose]()
    await this.#bundle[Symbol.asyncDispose]()
  }

  async #performOne(task: RunTask): Promise<RunOutcome> {
    const worker = this.#takeNumber()
    this.#runCount = Math.max(this.#runCount, task.runCount)
    this.#givenCount += 1
    try {
      let deathCount = 0
      let lastDeathMs = 0
      for (;;) {
        const process = this.#takeProcess()
        const outcome = await this.#performIn(process, task, worker)
        if (outcome !== undefined) return outcome
        if (process.startedMs > lastDeathMs) {
          deathCount += 1
          lastDeathMs = performance.now()
        }
        if (deathCount === DEATHS_IN_A_ROW_MAX || this.#closing !== undefined)
          throw desertedError(this.#lastDeath)
      }
    } finally {
      this.#takenNumbers.delete(worker)
    }
  }

  /** Undefined if the process was gone before the run began. */
  async #performIn(process: RunProcess, task: RunTask, worker: number): Promise<RunOutcome | undefined> {
    try {
      await process.ready
    } catch (error) {
      // A death may be chance. A job that does not load is not.
      if (!process.isGone || !isDeath(error)) throw error
      this.#lastDeath = error
      return undefined
    }
    const startMs = performance.now()
    const outcome = await process.perform(task, (line) => this.#listener({ ...line, worker }))
    this.#leaving.add(process)
    if (outcome !== undefined) {
      this.#typicalMs += (performance.now() - startMs - this.#typicalMs) * LATEST_RUN_WEIGHT
    }
    return outcome
  }

  /** Takes the next spare, and starts another one in its place. */
  #takeProcess(): RunProcess {
    const spare = this.#spares.shift() ?? this.#start()
    this.#startSpares()
    return spare
  }

  #startSpares(): void {
    if (this.#closing !== undefined) return
    const wanted = this.#typicalMs < SHORT_RUN_MS ? this.#processCount : 1
    const goal = Math.min(wanted, this.#runCount - this.#givenCount)
    while (this.#spares.length < goal) this.#spares.push(this.#start())
  }

  #start(): RunProcess {
    const process = new RunProcess(this.#parts)
    this.#living.add(process)
    void process.ended.then(() => {
      this.#living.delete(process)
      this.#leaving.delete(process)
    })
    return process
  }

  /** The smallest free number, so that there are only as many log files as concurrent runs. */
  #takeNumber(): number {
    let number = 1
    while (this.#takenNumbers.has(number)) number += 1
    this.#takenNumbers.add(number)
    return number
  }
}

function isDeath(error: unknown): error is PypetError {
  return error instanceof PypetError && error.code === 'PYPET_EXECUTOR_FAILED'
}

function desertedError(last: PypetError | undefined): PypetError {
  return new PypetError(
    'PYPET_EXECUTOR_FAILED',
    `${DEATHS_IN_A_ROW_MAX} processes in a row ended before their run began${last === undefined ? '' : `; the last one: ${last.message}`}`,
    {
      cause: last?.cause,
      hint: 'Check that the job does not exit while loading, and that memory and processes suffice for --ncores.',
    },
  )
}
