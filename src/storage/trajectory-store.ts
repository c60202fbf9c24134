/** One trajectory in one HDF5 file, from opening to close. The writer process has one. */
import { isPypetError, PypetError, toErrorRecord } from '../errors.ts'
import type { ExplorationSpec } from '../exploration/exploration.ts'
import { extendedExploration } from '../exploration/extend.ts'
import { planRuns } from '../exploration/plan.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import type { FailedRun, ReturnedValue } from '../journal/cnt-record.ts'
import type { FileLock } from '../journal/file-lock.ts'
import { removePartFile } from '../journal/part-file.ts'
import { RunSet } from '../journal/run-set.ts'
import type { Hdf5Transaction } from '../journal/transaction.ts'
import { MEMORY } from '../names.ts'
import type {
  ContinueRequest,
  Ending,
  Extension,
  Opened,
  OpenRequest,
  RefusedRun,
  RunFailure,
} from '../protocol.ts'
import type { RawRunRecord } from '../run/run-frame.ts'
import type { RunRows } from '../run/run-rows.ts'
import type { RunIndex } from '../values/path.ts'
import { failedRun } from './failed-run.ts'
import { storeValues, type ValueSource, withoutValues } from './kept-values.ts'
import {
  continueTrajectory,
  createTrajectory,
  type OpenTrajectory,
  type TrajectoryStoreOptions,
} from './open-trajectory.ts'
import { PartsFromFile } from './parts-from-file.ts'

export interface Commit {
  readonly stored: readonly RunIndex[]
  readonly failed: readonly RunIndex[]
  /** Those of `failed` that the store itself had to fail. */
  readonly refused: readonly RefusedRun[]
}

export type EndedRuns = Pick<Commit, 'stored' | 'failed'>

export class TrajectoryStore {
  readonly #open: OpenTrajectory
  /** One byte per run: whether it is stored or failed. Only the first report about a run counts. */
  #ended: Uint8Array
  /** Including points added since the opening. */
  #exploration: ExplorationSpec | undefined
  #runCount: number
  /** The rest of the opening, until it has been written. */
  #settling: Generator<Hdf5Operation[]> | undefined
  #storedCount: number
  #startTimestamp: number
  #stored: RunIndex[] = []
  #failed: FailedRun[] = []
  #refused: RefusedRun[] = []
  #returned: ReturnedValue[] = []
  /** Part files of the runs in the next commit. After it, nobody needs them. */
  readonly #partFiles: string[] = []

  private constructor(open: OpenTrajectory) {
    this.#open = open
    this.#ended = new Uint8Array(open.runCount)
    this.#runCount = open.runCount
    this.#exploration = open.request.exploration
    for (const set of [open.stored, open.failed]) {
      const ranges = set.toRanges()
      for (let index = 0; index < ranges.length; index += 2)
        this.#ended.fill(1, ranges[index], ranges[index + 1])
    }
    this.#storedCount = open.stored.count
    this.#startTimestamp = open.startTimestamp ?? Number.POSITIVE_INFINITY
    this.#settling = open.layout.settle()
  }

  /**
   * Creates the trajectory with its parameters and ranges, committed on return. Call `settle` next.
   *
   * @param options.values returns explored lists and arrays that are not in the request
   * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NOT_WRITABLE`,
   *   `PYPET_FILE_LOCKED`, `PYPET_FILE_LOCKED_ELSEWHERE`, `PYPET_CNT_EXISTS`, and for an unfinished trajectory in the
   *   file `PYPET_CNT_DAMAGED`, `PYPET_CNT_FILE_MISMATCH`. An existing file is not touched then.
   */
  static async open(
    request: OpenRequest,
    options: TrajectoryStoreOptions & { readonly values?: ValueSource },
  ): Promise<TrajectoryStore> {
    return await TrajectoryStore.#begin(await createTrajectory(request, options), options.values)
  }

  /**
   * Recovers the file of an unfinished trajectory and resumes it.
   *
   * @throws PypetError `PYPET_CNT_NOT_FOUND`, `PYPET_CNT_NOT_CNT`, `PYPET_CNT_NEWER`, `PYPET_CNT_DAMAGED`,
   *   `PYPET_CNT_FILE_MISMATCH`, `PYPET_FILE_LOCKED`, `PYPET_FILE_LOCKED_ELSEWHERE`, `PYPET_FILE_NOT_WRITABLE`
   */
  static async continue(request: ContinueRequest, options: TrajectoryStoreOptions): Promise<TrajectoryStore> {
    return await TrajectoryStore.#begin(await continueTrajectory(request, options), undefined)
  }

  /** Makes the first commit. If that fails, releases everything. */
  static async #begin(open: OpenTrajectory, values: ValueSource | undefined): Promise<TrajectoryStore> {
    try {
      const store = new TrajectoryStore(open)
      if (open.isNew) await storeValues(open, values, (operations) => store.#apply(operations))
      store.commit()
      open.publish?.()
      return store
    } catch (error) {
      open.transaction.drop()
      open.discard?.()
      open.lock?.release()
      throw error
    }
  }

  /** One turn of several that write the trajectory. It does not open or close it. */
  static takeUp(open: OpenTrajectory): TrajectoryStore {
    return new TrajectoryStore(open)
  }

  get opened(): Opened {
    const { transaction, memory, stored, failed, startTimestamp } = this.#open
    return {
      cntFile: transaction.cntFile,
      stored: stored.toRanges(),
      failed: failed.toRanges(),
      startTimestamp,
      postprocessedCount: Number(memory.value(MEMORY.postprocessed) ?? -1),
    }
  }

  /** Writes the rest of the opening: config and overviews. Only once. `close` calls it if needed. */
  settle(): void {
    if (this.#settling === undefined) return
    for (const operations of this.#settling) this.#apply(operations)
    this.#settling = undefined
  }

  get isSettled(): boolean {
    return this.#settling === undefined
  }

  get hasUncommitted(): boolean {
    return this.#stored.length + this.#failed.length > 0
  }

  /** Which of these runs had ended before this opening, and how. */
  known(runs: readonly RunIndex[]): EndedRuns {
    const { stored, failed } = this.#open
    return { stored: runs.filter((run) => stored.has(run)), failed: runs.filter((run) => failed.has(run)) }
  }

  /** Ends one turn of several without a commit: everything since the last one is undone. */
  drop(): void {
    this.#open.transaction.drop()
  }

  /** Resolves when new runs are welcome. Undefined if they are welcome now. */
  room(): Promise<void> | undefined {
    return this.#open.transaction.room()
  }

  /**
   * Writes a run, which is stored once a commit names it. A run that cannot be laid out fails, and the others continue.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`. Then nothing more may be written.
   */
  storeRun(record: RawRunRecord): void {
    const { run, returned, partFile } = record
    // Also for a run that is already stored, or refused.
    if (partFile !== undefined) this.#partFiles.push(partFile)
    if (!this.#end(record)) return
    const parts = partFile === undefined ? undefined : new PartsFromFile(partFile)
    const operations = this.#layOut(record, parts)
    if (operations === undefined) return
    this.#apply(operations)
    for (const write of parts?.batches ?? []) this.#apply(write())
    this.#apply(this.#open.layout.spill())
    this.#stored.push(run)
    // A copy: the buffer will be reused for other runs.
    if (returned !== undefined) this.#returned.push({ run, bytes: new Uint8Array(returned) })
  }

  /** Writes packed runs, as `storeRun` does for each. */
  storeRows(rows: RunRows): void {
    const { first, count } = rows
    const areNew = first + count <= this.#runCount && !this.#ended.subarray(first, first + count).includes(1)
    if (!areNew || !this.#open.layout.storeRows(rows)) {
      for (let row = 0; row < count; row += 1) this.storeRun(rows.record(row))
      return
    }
    for (let row = 0; row < count; row += 1) {
      this.#ended[first + row] = 1
      this.#startTimestamp = Math.min(this.#startTimestamp, rows.startTimestamp(row))
      this.#stored.push(first + row)
    }
    this.#apply(this.#open.layout.spill())
  }

  failRun(failure: RunFailure): void {
    if (!this.#end(failure)) return
    this.#fail(failure)
  }

  /** The operations of a run. Undefined if it cannot be laid out: then nothing of it has been written. */
  #layOut(record: RawRunRecord, parts: PartsFromFile | undefined): Hdf5Operation[] | undefined {
    try {
      return this.#open.layout.storeRun(record, parts)
    } catch (thrown) {
      const { run, startTimestamp, finishTimestamp } = record
      const error = toErrorRecord(thrown)
      this.#fail({ run, error, attempts: 1, startTimestamp, finishTimestamp })
      this.#refused.push({ run, error })
      return undefined
    }
  }

  #fail(failure: RunFailure): void {
    this.#open.layout.failRun(failure)
    this.#failed.push(failedRun(failure))
  }

  /**
   * Adds points and leaves. On return, they and everything written before are durable.
   *
   * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_NAME_TAKEN`, `PYPET_RUN_ENDED`, and then the file was not touched;
   *   `PYPET_STORAGE_FAILED`
   */
  extend(extension: Extension): Commit {
    const { request, layout } = this.#open
    // The growing tables must exist.
    this.settle()
    const { added } = extension
    const exploration =
      added === undefined
        ? this.#exploration
        : extendedExploration(this.#exploration, added, request.parameters)
    const plan = planRuns({ parameters: request.parameters, exploration })
    for (const operations of layout.extend(plan, extension)) this.#apply(operations)
    if (added !== undefined) this.#growTo(plan.runCount, exploration)
    this.#apply(layout.commit())
    return this.#commit((facts) => {
      this.#open.transaction.commit({ ...facts, ...(added !== undefined && { added: withoutValues(added) }) })
    }, false)
  }

  #growTo(runCount: number, exploration: ExplorationSpec | undefined): void {
    this.#exploration = exploration === undefined ? undefined : withoutValues(exploration)
    this.#runCount = runCount
    const ended = new Uint8Array(runCount)
    ended.set(this.#ended)
    this.#ended = ended
  }

  /** Makes everything so far durable, and returns what that was. */
  commit(): Commit {
    this.#apply(this.#open.layout.commit())
    return this.#commit((facts) => this.#open.transaction.commit(facts), false)
  }

  /**
   * Commits, adds the last config if every run has ended, and closes the HDF5 file. Durable on return. Call `finish`
   * next.
   */
  close(ending: Ending): Commit {
    const { layout, transaction } = this.#open
    this.settle()
    if (ending.isComplete) this.#apply(layout.close(ending.config))
    this.#apply(layout.commit({ isLast: true }))
    const storedCount = this.#storedCount + this.#stored.length
    const isComplete = ending.isComplete && storedCount === this.#runCount
    const { isComplete: hasEnded } = ending
    return this.#commit((facts) => transaction.close({ ...facts, hasEnded }), isComplete)
  }

  /** Ends one turn of several: commits, closes the HDF5 file and leaves its pages to the next one. */
  leave(): Commit {
    const { layout, transaction } = this.#open
    this.#apply(layout.commit())
    const commit = this.#commit((facts) => transaction.close(facts), false)
    transaction.leave()
    return commit
  }

  /** After `close`: as `finish`, but keeps the lock of the file and its `.cnt` file. */
  async rest(): Promise<void> {
    await this.#open.transaction.finish(false)
  }

  /** The file that holds it. */
  get file(): string {
    return this.#open.request.file
  }

  /** Of the file. `finish` releases it. */
  get lock(): FileLock | undefined {
    return this.#open.lock
  }

  /** After `finish`: readers blocked the last pages, which are only in the `.cnt` file. */
  get isBehind(): boolean {
    return this.#open.transaction.isBehind
  }

  /**
   * Waits for readers of the file, writes the rest, and releases the file.
   *
   * @returns the `.cnt` file, unless it was removed because every run is stored
   */
  async finish(): Promise<string | undefined> {
    const { request, transaction, keepCnt, lock } = this.#open
    const isComplete = this.#storedCount === this.#runCount && this.#isClosedComplete
    try {
      const isKept = await transaction.finish((isComplete && !keepCnt) || request.continuable === false)
      return isKept ? transaction.cntFile : undefined
    } finally {
      lock?.release()
    }
  }

  #isClosedComplete = false

  #commit(write: (facts: Parameters<Hdf5Transaction['commit']>[0]) => void, isComplete: boolean): Commit {
    const { memory, reopened, unrecorded, environment } = this.#open
    const stored = this.#stored
    const failed = this.#failed
    const isFirst = !this.#hasCommitted
    this.#hasCommitted = true
    write({
      // The first commit also names the runs that were stored before there was a `.cnt` file.
      stored: (isFirst && unrecorded !== undefined ? unrecorded : RunSet.of(stored)).toRanges(),
      failed,
      reopened: reopened.toRanges(),
      memory: memory.takeDelta(),
      ...(Number.isFinite(this.#startTimestamp) && { startTimestamp: this.#startTimestamp }),
      isComplete,
      ...(isFirst && environment !== undefined && { environment }),
      returned: this.#returned,
    })
    this.#isClosedComplete = isComplete
    this.#storedCount += stored.length
    const refused = this.#refused
    this.#stored = []
    this.#failed = []
    this.#refused = []
    this.#returned = []
    for (const path of this.#partFiles.splice(0)) removePartFile(path)
    reopened.clear()
    return { stored, failed: failed.map(({ run }) => run), refused }
  }

  #hasCommitted = false

  #apply(operations: readonly Hdf5Operation[]): void {
    const { transaction } = this.#open
    try {
      transaction.file.apply(operations)
    } catch (error) {
      throw transaction.explain(error)
    }
  }

  /** @throws PypetError `PYPET_STORAGE_FAILED` for a run that the trajectory does not have */
  #end({ run, startTimestamp }: { readonly run: RunIndex; readonly startTimestamp: number }): boolean {
    if (!(Number.isInteger(run) && run >= 0 && run < this.#runCount)) throw this.#noSuchRun(run)
    if (this.#ended[run] !== 0) return false
    this.#ended[run] = 1
    this.#startTimestamp = Math.min(this.#startTimestamp, startTimestamp)
    return true
  }

  #noSuchRun(run: RunIndex): PypetError {
    const { file, trajectory } = this.#open.request
    return new PypetError(
      'PYPET_STORAGE_FAILED',
      `cannot store run ${run} of ${trajectory.name} in ${file}: it has runs 0 to ${this.#runCount - 1}`,
      { where: file },
    )
  }
}

/** Whether `extend` has refused an extension, without touching the file. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.some((code) => isPypetError(error, code))
}

const REFUSALS = ['PYPET_EXPLORATION_INVALID', 'PYPET_NAME_TAKEN', 'PYPET_RUN_ENDED'] as const
