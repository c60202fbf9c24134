/** What an experiment needs of its storage, whatever the mode: open, hear of commits, close. */
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
  /** Workers store their runs by themselves: they must live until every run is announced. */
  readonly storesInWorkers: boolean
  /** It reads what a run stored before its end from where the worker has put it; else it is handed over with the run. */
  readonly takesParts?: true
  /** What jobs return reaches `.cnt` by `noteHandedOver` only: main has to know it. */
  readonly needsReturned?: boolean
  /**
   * How workers hand over their runs; they may connect before the trajectory is open.
   *
   * @throws PypetError `PYPET_WRITER_DIED` when nobody will take them
   */
  workerStorage(): Promise<WorkerStorage>
  /**
   * Asked before `workerStorage`, where workers have to know what a user's own storage says.
   *
   * @throws PypetError `PYPET_FILE_LOCKED`, `PYPET_FILE_LOCKED_ELSEWHERE`, `PYPET_CNT_EXISTS`, and the storage was not asked then
   */
  prepare?(request: OpenRequest, options: StorePreparation): void
  /**
   * Creates the trajectory; when this resolves, all parameters are committed.
   *
   * @throws PypetError as `TrajectoryStore.open`, or `PYPET_WRITER_DIED`
   */
  open(
    request: OpenRequest,
    listener: RunStoreListener,
    options?: { readonly breakLock?: boolean },
  ): Promise<Opened>
  /**
   * Recovers the file of an unfinished trajectory and goes on with it.
   *
   * @throws PypetError as `TrajectoryStore.continue`, or `PYPET_WRITER_DIED`
   */
  continue(request: ContinueRequest, listener: RunStoreListener): Promise<Opened>
  /**
   * A worker has handed over this run: where nobody else will say so, the storage announces it now.
   *
   * @param returned what the job returned, as structured-clone bytes, where it is to be kept for `continue`
   */
  noteHandedOver?(run: RunIndex, returned?: Uint8Array): void
  /** The run ends as failed, unless it is stored already. */
  failRun(failure: RunFailure): void
  /** Says that no more runs will begin: nothing waits any longer to share commits. */
  finish(): void
  /**
   * Adds points and leaves to the trajectory; durable when this resolves, and runs of the new points may be handed over.
   *
   * @throws PypetError `PYPET_EXPLORATION_INVALID`, and then nothing of it is stored; `PYPET_WRITER_DIED`,
   *   `PYPET_STORAGE_FAILED`
   */
  extend(extension: Extension): Promise<void>
  /** Active runs are cancelled: those that were not stored are missed by nobody. */
  giveUp(): void
  /**
   * Commits the rest and closes what it holds. Every run must have been announced, or be given up. Waits for readers of
   * the file as long as `readerWaitMs` says.
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
   * These runs are committed: durable, or recorded as failed. `refused` gives the reason for those of the failed
   * that the storage failed itself.
   */
  onCommitted(stored: readonly RunIndex[], failed: readonly RunIndex[], refused: readonly RefusedRun[]): void
  /** These runs were handed over, and have died with the worker that was to store them. */
  onLost?(runs: readonly RunIndex[]): void
  /** Something that a user should know, and that stops nothing. */
  onNotice(level: LogLevel, message: string): void
  /** The storage cannot be used any more. Called at most once, and not after `close`. */
  onBroken(error: PypetError): void
}
