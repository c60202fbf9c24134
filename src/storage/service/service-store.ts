/** Runs an experiment with a user's storage service. A `.cnt` file without commits records how to resume. */
import { join } from 'node:path'
import { PypetError, toErrorRecord } from '../../errors.ts'
import { explorationLength } from '../../exploration/exploration.ts'
import { planRuns } from '../../exploration/plan.ts'
import { CntJournal } from '../../journal/cnt-journal.ts'
import type { CommitFacts } from '../../journal/cnt-record.ts'
import { readCnt } from '../../journal/cnt-state.ts'
import { FILES } from '../../journal/disk.ts'
import { acquireLock } from '../../journal/file-lock.ts'
import { realFileOf, realFolderOf } from '../../journal/real-file.ts'
import { makeFolderOf } from '../../journal/result-folder.ts'
import { RunSet } from '../../journal/run-set.ts'
import { MEMORY } from '../../names.ts'
import { entryUrl } from '../../own-files.ts'
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
} from '../../protocol.ts'
import type { RunIndex } from '../../values/path.ts'
import { CommitSchedule } from '../commit-schedule.ts'
import type { RunStore, RunStoreListener, StorePreparation } from '../run-store.ts'
import { SerialStore } from '../serial-store.ts'
import { FrameServer } from './frame-server.ts'
import { type ServiceOpened, type StorageService, serviceError } from './storage-service.ts'

export interface ServiceStoreOptions {
  /** `file:` URL of the module of the worker half. Undefined if main stores the runs. */
  readonly workerModule: string | undefined
  /** The number of runs that may wait for main. */
  readonly pendingMax: number
}

export class ServiceStore extends SerialStore implements RunStore {
  readonly storesInWorkers = true
  readonly needsReturned: boolean
  readonly #service: StorageService
  readonly #options: ServiceStoreOptions
  #frames: FrameServer | undefined
  #opening: Promise<ServiceOpened> | undefined
  #cntFile = ''
  #journal: CntJournal | undefined
  #keepCnt = false
  #retryFailed = false
  #runCount = 0
  readonly #stored = new RunSet()
  #unlock: () => void = () => undefined
  #lockNotice: string | undefined
  /** Stored by the service but not reported: their return values must be recorded first. */
  #uncommitted: { readonly run: RunIndex; readonly returned: Uint8Array | undefined }[] = []
  #schedule: CommitSchedule | undefined
  /** The current calls of the service, one after the other. */
  #work: Promise<void> = Promise.resolve()

  constructor(service: StorageService, options: ServiceStoreOptions) {
    super()
    this.#service = service
    this.#options = options
    this.needsReturned = options.workerModule !== undefined
  }

  /** By now, the service is open: its workers need what it returned. */
  async workerStorage(): Promise<WorkerStorage> {
    const { workerModule } = this.#options
    if (workerModule === undefined) {
      this.#frames = await FrameServer.listen({
        pendingMax: this.#options.pendingMax,
        answers: false,
        take: async (record, returned) => {
          await this.#service.storeRun?.(record)
          this.#commit(record.run, returned)
        },
        onError: (run, error) => this.#refuse(run, error),
      })
      return { kind: 'queue', address: this.#frames.address }
    }
    // A service in plain JavaScript may return nothing.
    const { workerData } = (await this.#opening) ?? {}
    return {
      kind: 'module',
      url: entryUrl('service-worker').href,
      data: { module: workerModule, workerData },
    }
  }

  /**
   * Called before the workers start: opens the service, and keeps its answer for `open` and `continue`. A service that
   * starts again may clear its data, so everything that can refuse the experiment comes first.
   */
  prepare(request: OpenRequest, { breakLock, ...options }: StorePreparation): void {
    makeFolderOf(realFileOf(request.file))
    this.#lock(request, breakLock)
    if (!options.isContinued) CntJournal.refuseExisting(FILES, cntFileOf(request))
    this.#retryFailed = options.retryFailed
    this.#opening = this.#ask(() => this.#service.open({ request, ...options }))
    this.#opening.catch(() => undefined)
  }

  async open(request: OpenRequest, listener: RunStoreListener): Promise<Opened> {
    const path = cntFileOf(request)
    // Durable before the first run: everything stored from here on can be resumed.
    CntJournal.create(FILES, path, { type: 'experiment', request, baseBytes: 0, baseSuperblock: '' }).close()
    return await this.#begin(request, path, listener)
  }

  async continue(
    { cntFile, keepCnt, environment }: ContinueRequest,
    listener: RunStoreListener,
  ): Promise<Opened> {
    const { experiment, memory } = readCnt(cntFile)
    const { request } = experiment
    const opened = await this.#begin({ ...request, keepCnt }, cntFile, listener)
    const values = {
      // What post-processing has seen changes.
      ...(this.#retryFailed && { [MEMORY.postprocessed]: -1 }),
      ...(environment !== undefined && { [MEMORY.serviceHasProvenance]: false }),
    }
    if (Object.keys(values).length > 0)
      this.#record({ memory: { added: {}, values }, ...(environment !== undefined && { environment }) })
    if (this.#retryFailed) return opened
    return { ...opened, postprocessedCount: Number(memory.values[MEMORY.postprocessed] ?? -1) }
  }

  async #begin(request: OpenRequest, cntFile: string, listener: RunStoreListener): Promise<Opened> {
    this.listener = listener
    if (this.#lockNotice !== undefined) listener.onNotice('warn', this.#lockNotice)
    this.#cntFile = cntFile
    this.#keepCnt = request.keepCnt
    this.#schedule = new CommitSchedule(request.storage.commitIntervalMs, () => this.#tryCommitAll())
    this.#runCount = planRuns(request).runCount
    const { stored = [], failed = [] } = (await this.#opening) ?? {}
    for (const run of stored) this.#stored.add(run)
    return {
      cntFile,
      stored: RunSet.of(stored).toRanges(),
      failed: RunSet.of(failed).toRanges(),
      startTimestamp: undefined,
      postprocessedCount: -1,
    }
  }

  /** A worker has stored the run. */
  noteHandedOver(run: RunIndex, returned?: Uint8Array): void {
    if (this.#options.workerModule !== undefined) this.#commit(run, returned)
  }

  /**
   * Writes other facts to the `.cnt` file. Durable on return.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`
   */
  #record(facts: Partial<CommitFacts>): void {
    try {
      this.#journal ??= CntJournal.resume(FILES, readCnt(this.#cntFile))
      this.#journal.append({ ...NOTHING_COMMITTED, ...facts })
    } catch (cause) {
      throw cannotWrite(this.#cntFile, cause)
    }
  }

  failRun(failure: RunFailure): void {
    this.#fail(failure, [])
  }

  finish(): void {
    this.#schedule?.finish()
  }

  /** The service first: after a crash, it may get the same extension twice and keeps it once. */
  protected async extendNow(extension: Extension): Promise<void> {
    const { added, groups, leaves, links, postprocessedCount, hasProvenance } = extension
    const hasNodes = groups.length + leaves.length + links.length > 0
    if (added === undefined && !hasNodes && postprocessedCount === undefined) return
    const service = this.#service
    if (service.extend === undefined) {
      throw new PypetError(
        'PYPET_EXPLORATION_INVALID',
        'the storage service has no extend(): it cannot add points to a running experiment',
        { hint: 'Add extend(extension) to the service, or explore all points from the start.' },
      )
    }
    await this.#ask(() => service.extend?.(extension), 'extend')
    if (added !== undefined) this.#runCount += explorationLength(added)
    const values = {
      ...(postprocessedCount !== undefined && { [MEMORY.postprocessed]: postprocessedCount }),
      ...(hasProvenance === true && { [MEMORY.serviceHasProvenance]: true }),
    }
    try {
      this.#commitAll()
      this.#record({ memory: { added: {}, values }, ...(added !== undefined && { added }) })
    } catch (error) {
      this.break(error as PypetError)
      throw error
    }
    this.#schedule?.noteCommitted()
    if (extension.added !== undefined) this.#schedule?.goOn()
  }

  giveUp(): void {
    this.isBroken = true
  }

  async close(ending: Ending): Promise<Closed> {
    this.isClosing = true
    this.isBroken = true
    await this.extending
    await this.#frames?.close()
    await this.#work
    this.#commitAll()
    await this.#ask(() => this.#service.close(ending), 'close')
    this.#journal?.close()
    this.#journal = undefined
    const isComplete = ending.isComplete && this.#stored.count === this.#runCount
    if (isComplete && !this.#keepCnt) {
      FILES.remove(this.#cntFile)
      FILES.syncFolderOf(this.#cntFile)
    }
    await this[Symbol.asyncDispose]()
    return { cntFile: isComplete && !this.#keepCnt ? undefined : this.#cntFile }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosing = true
    this.listener = undefined
    this.#schedule?.stop()
    await this.extending
    await this.#frames?.close()
    await this.#work
    this.#journal?.close()
    this.#journal = undefined
    this.#unlock()
    this.#unlock = () => undefined
  }

  #lock(request: OpenRequest, breakLock: boolean): void {
    const lock = acquireLock(request.file, { trajectory: request.trajectory.name, breakLock })
    this.#unlock = lock.release
    this.#lockNotice = lock.notice
  }

  #commit(run: RunIndex, returned: Uint8Array | undefined): void {
    this.#uncommitted.push({ run, returned })
    if (returned === undefined && this.#uncommitted.length === 1) this.#tryCommitAll()
    else this.#schedule?.noteWritten()
  }

  #tryCommitAll(): void {
    try {
      this.#commitAll()
    } catch (error) {
      this.break(error as PypetError)
    }
  }

  /**
   * The return values first: if the service has a run without one here, `continue` assumes that it returned nothing.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`
   */
  #commitAll(): void {
    const runs = this.#uncommitted
    if (runs.length === 0) return
    this.#uncommitted = []
    const returned = runs.flatMap(({ run, returned: bytes }) => (bytes === undefined ? [] : [{ run, bytes }]))
    if (returned.length > 0) this.#record({ returned })
    for (const { run } of runs) this.#stored.add(run)
    this.listener?.onCommitted(
      runs.map(({ run }) => run),
      [],
      [],
    )
  }

  /** As in a worker, only this run fails. */
  #refuse(run: RunIndex, cause: unknown): void {
    const error = toErrorRecord(serviceError('storeRun', cause))
    const now = Date.now() / 1000
    this.#fail({ run, error, attempts: 1, startTimestamp: now, finishTimestamp: now }, [{ run, error }])
  }

  /** Never rejects: an error of the service ends the experiment. */
  #fail(failure: RunFailure, refused: readonly RefusedRun[]): void {
    this.#work = this.#work.then(async () => {
      try {
        await this.#service.failRun(failure)
        this.listener?.onCommitted([], [failure.run], refused)
      } catch (cause) {
        this.break(serviceError('failRun', cause))
      }
    })
  }

  async #ask<Answer>(call: () => Answer | Promise<Answer>, method = 'open'): Promise<Answer> {
    try {
      return await call()
    } catch (cause) {
      throw serviceError(method, cause)
    }
  }
}

function cntFileOf({ file, trajectory }: OpenRequest): string {
  return join(realFolderOf(file), `${trajectory.name}.cnt`)
}

/** Whether an earlier session has given the service the complete provenance. */
export function serviceHasProvenance(cntFile: string): boolean {
  return readCnt(cntFile).memory.values[MEMORY.serviceHasProvenance] === true
}

/** There is no HDF5 file: the `.cnt` file knows the added points, and the service knows the runs. */
const NOTHING_COMMITTED: CommitFacts = {
  fileBytes: 0,
  superblock: '',
  stored: [],
  failed: [],
  reopened: [],
  memory: { added: {}, values: {} },
  isComplete: false,
  returned: [],
  pages: [],
}

function cannotWrite(cntFile: string, cause: unknown): PypetError {
  return new PypetError('PYPET_STORAGE_FAILED', `cannot write ${cntFile}: ${toErrorRecord(cause).message}`, {
    where: cntFile,
    hint: 'Check the free space and the permissions of the folder.',
    cause,
  })
}
