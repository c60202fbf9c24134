/** What an experiment needs from its storage, in any mode: open, receive commits, close. */
import type { PypetError } from '../errors.ts'
import type {
  Closed,
  ContinueRequest,
  Ending,
  Extension,
  Opened,
  OpenRequest,
  RefusedRun,
  RunFailure,
  WorkerStorage,
} from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import type { RunIndex } from '../values/path.ts'

export interface RunStore extends AsyncDisposable {
  /** Workers store their runs themselves. They must live until every run is reported. */
  readonly storesInWorkers: boolean
  /** It reads what a run stored early from the worker's file. Otherwise, that is handed over with the run. */
  readonly takesParts?: true
  /** The jobs' return values reach the `.cnt` file only with `noteHandedOver`, so main must know them. */
  readonly needsReturned?: boolean
  /**
   * How workers hand over their runs. They may connect before the trajectory is open.
   *
   * @throws PypetError `PYPET_WRITER_DIED` if nobody will take them
   */
  workerStorage(): Promise<WorkerStorage>
  /**
   * Called before `workerStorage`, if workers must know what a user's storage service returns.
   *
   * @throws PypetError `PYPET_FILE_LOCKED`, `PYPET_FILE_LOCKED_ELSEWHERE`, `PYPET_CNT_EXISTS`. The service is not
   *   called then.
   */
  prepare?(request: OpenRequest, options: StorePreparation): void
  /**
   * Creates the trajectory. When this resolves, all parameters are committed.
   *
   * @throws PypetError as `TrajectoryStore.open`, or `PYPET_WRITER_DIED`
   */
  open(
    request: OpenRequest,
    listener: RunStoreListener,
    options?: { readonly breakLock?: boolean },
  ): Promise<Opened>
  /**
   * Recovers the file of an unfinished trajectory and resumes it.
   *
   * @throws PypetError as `TrajectoryStore.continue`, or `PYPET_WRITER_DIED`
   */
  continue(request: ContinueRequest, listener: RunStoreListener): Promise<Opened>
  /**
   * A worker has handed over this run. If nobody else reports it, the storage does so now.
   *
   * @param returned the job's return value as structured-clone bytes, if it is kept for `continue`
   */
  noteHandedOver?(run: RunIndex, returned?: Uint8Array): void
  /** Marks the run as failed, unless it is already stored. */
  failRun(failure: RunFailure): void
  /** No more runs will start: commits no longer wait for others. */
  finish(): void
  /**
   * Adds points and leaves to the trajectory. When this resolves, they are durable, and runs of the new points may be
   * handed over.
   *
   * @throws PypetError `PYPET_EXPLORATION_INVALID`, and then nothing of it is stored; `PYPET_WRITER_DIED`,
   *   `PYPET_STORAGE_FAILED`
   */
  extend(extension: Extension): Promise<void>
  /** Active runs are cancelled. Nobody waits for those that are not stored. */
  giveUp(): void
  /**
   * Commits the rest and closes everything. Every run must have been reported or cancelled. Waits up to `readerWaitMs`
   * for readers of the file.
   */
  close(ending: Ending): Promise<Closed>
}

export interface StorePreparation {
  readonly isContinued: boolean
  readonly retryFailed: boolean
  readonly breakLock: boolean
}

export interface RunStoreListener {
  /**
   * These runs are committed: durable, or recorded as failed. `refused` gives the reasons for those that the storage
   * itself had to fail.
   */
  onCommitted(stored: readonly RunIndex[], failed: readonly RunIndex[], refused: readonly RefusedRun[]): void
  /** These runs were handed over, but lost with the worker that should have stored them. */
  onLost?(runs: readonly RunIndex[]): void
  /** A notice for the user that stops nothing. */
  onNotice(level: LogLevel, message: string): void
  /** The storage can no longer be used. Called at most once, and not after `close`. */
  onBroken(error: PypetError): void
}
