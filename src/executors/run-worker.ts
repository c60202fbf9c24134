/** The common part of a pool thread and the process of a run: loads the job once, and performs runs. */
import { toErrorRecord } from '../errors.ts'
import { importJob, type LoadedJob } from '../experiment/load-job.ts'
import { ExitRefusal, refuseExit } from '../experiment/refuse-exit.ts'
import type { FromWorker, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import type { RunIndex } from '../values/path.ts'
import { type CapturedOutput, captureOutput } from './captured-output.ts'
import { atLogLevel, printedLine, strayErrorLine, type WriteLog } from './job-log.ts'
import { takeNiceness } from './niceness.ts'
import { RunPerformer } from './perform-run.ts'
import { RangeRows } from './range-rows.ts'
import { openRecordStore, type RecordStore } from './record-store.ts'
import type { SharedRange } from './shared-range.ts'

/** One per thread or process: it captures all output and stray errors there. */
export class RunWorker {
  readonly #setup: WorkerSetup
  readonly #worker: number
  readonly #tell: (message: FromWorker) => void
  readonly #storedBefore: StoredBefore
  readonly #writeLog: WriteLog
  readonly #output: CapturedOutput
  readonly #starting: Promise<RunPerformer>
  #performer: RunPerformer | undefined
  #store: RecordStore | undefined
  #currentRun: number | undefined

  /**
   * Starts to load the job.
   *
   * @param worker the number in log lines
   * @param tell must not throw
   * @param storedBefore asks main
   */
  constructor(
    setup: WorkerSetup,
    worker: number,
    tell: (message: FromWorker) => void,
    storedBefore: StoredBefore,
  ) {
    this.#storedBefore = storedBefore
    this.#setup = setup
    this.#worker = worker
    this.#tell = tell
    this.#writeLog = atLogLevel(setup.logLevel, (level, message, run) =>
      tell({ type: 'log', level, message, worker, ...(run !== undefined && { run }) }),
    )
    this.#output = captureOutput(
      (message, from) => {
        const line = printedLine(setup, { message, from, run: this.#currentRun })
        if (line !== undefined) tell({ ...line, worker })
      },
      () => true,
    )
    process.on('uncaughtException', (thrown) => this.#onStrayError(thrown))
    process.on('unhandledRejection', (thrown) => this.#onStrayError(thrown))
    const reason = takeNiceness(setup.niceness)
    if (reason !== undefined) tell({ type: 'priority-refused', reason })
    this.#starting = this.#start()
    // The first task reports it. Nobody listens before.
    this.#starting.catch(() => undefined)
  }

  /**
   * Resolves when runs can be performed.
   *
   * @throws ErrorRecord if the job cannot be loaded here, so that no run can be performed. A record, because an error
   *   would lose its code and hint on the way.
   */
  async load(): Promise<void> {
    await this.#starting.catch((thrown: unknown) => {
      throw toErrorRecord(thrown)
    })
  }

  /**
   * Performs a run.
   *
   * @param options.rows takes the run if it can be packed
   * @throws ErrorRecord as `load`, and when the writer is gone
   */
  async perform(
    task: RunTask,
    { tellsBegin, rows }: { readonly tellsBegin: boolean; readonly rows?: RangeRows | undefined },
  ): Promise<RunOutcome> {
    await this.load()
    this.#currentRun = task.run
    if (tellsBegin) this.#tell({ type: 'begun', run: task.run })
    try {
      return await (this.#performer as RunPerformer).perform(task, rows)
    } catch (thrown) {
      // An error would lose its code and hint on the way.
      throw toErrorRecord(thrown)
    } finally {
      this.#output.flush()
      this.#currentRun = undefined
    }
  }

  /**
   * Takes the runs of a range together.
   *
   * @throws ErrorRecord as `load`
   */
  async rowsOf(first: RunIndex, range: SharedRange, memory: SharedArrayBuffer): Promise<RangeRows> {
    await this.load()
    return new RangeRows(first, range, memory, this.#store as RecordStore)
  }

  /**
   * Hands over the runs that wait.
   *
   * @throws ErrorRecord when the writer is gone
   */
  async flush(rows: RangeRows): Promise<void> {
    await rows.flush().catch((thrown: unknown) => {
      throw toErrorRecord(thrown)
    })
  }

  /** After the last run: closes the storage in this worker. Errors are logged. */
  async close(): Promise<void> {
    try {
      await this.#store?.close()
    } catch (thrown) {
      this.#tell(strayErrorLine(thrown, { when: 'as its storage was closed', worker: this.#worker }))
    }
  }

  async #start(): Promise<RunPerformer> {
    const setup = this.#setup
    const [job, store] = await Promise.all([loadJob(setup), openRecordStore(setup.storage)])
    this.#store = store
    this.#performer = new RunPerformer(job, setup, store, this.#writeLog, this.#storedBefore)
    return this.#performer
  }

  /** Never rejects or throws: that would be another stray error. */
  #onStrayError(thrown: unknown): void {
    // Its origin is unknown. If a run is active, it is most likely that one.
    if (this.#performer?.strayError(thrown, undefined) === true) return
    const when = this.#performer === undefined ? 'while the job was loaded' : 'after its run had ended'
    this.#tell(strayErrorLine(thrown, { when, worker: this.#worker }))
  }
}

/** `process.exit` would end one worker after the other, and hide the reason. */
async function loadJob({ job }: WorkerSetup): Promise<LoadedJob> {
  let giveBack: () => void = () => undefined
  const exited = new Promise<never>((_resolve, reject) => {
    giveBack = refuseExit((exitCode) => {
      const refusal = new ExitRefusal(exitCode)
      reject(refusal)
      return refusal
    })
  })
  try {
    return await importJob(job, exited)
  } finally {
    giveBack()
  }
}
