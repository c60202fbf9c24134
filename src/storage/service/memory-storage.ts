/** The reference implementation of a storage service: all runs stay in the memory of the main process. */
import { entryUrl } from '../../own-files.ts'
import type { Ending, Extension, OpenRequest, RunFailure } from '../../protocol.ts'
import { decodeFramePrefix, decodeRunFrame, FRAME_PREFIX_BYTES } from '../../run/run-frame.ts'
import type { RunIndex } from '../../values/path.ts'
import { FrameServer } from './frame-server.ts'
import type { ServiceOpened, ServiceOpening, ServiceRecord, StorageService } from './storage-service.ts'

/**
 * @example
 * const memory = new MemoryStorage()
 * await run(new URL('./job.ts', import.meta.url), { storageService: memory })
 * memory.record(3).leaves
 */
export class MemoryStorage implements StorageService {
  readonly #records = new Map<RunIndex, ServiceRecord>()
  readonly #failures = new Map<RunIndex, RunFailure>()
  /** What was added, and which runs existed before. */
  readonly #extensions: { readonly extension: Extension; readonly runs: readonly RunIndex[] }[] = []
  #request: OpenRequest | undefined
  #ending: Ending = { config: [], isComplete: false }
  #server: FrameServer | undefined

  /** The worker half, which sends the runs here. */
  get workerModule(): URL {
    return entryUrl('memory-worker')
  }

  async open({ request, isContinued, retryFailed }: ServiceOpening): Promise<ServiceOpened> {
    if (!isContinued) {
      this.#records.clear()
      this.#extensions.length = 0
    }
    if (!isContinued || retryFailed) this.#failures.clear()
    this.#request ??= request
    if (!isContinued) this.#request = request
    this.#server = await FrameServer.listen({
      pendingMax: PENDING_MAX,
      answers: true,
      take: async (record) => this.storeRun(record),
      // A Map accepts everything.
      onError: () => undefined,
    })
    return {
      stored: this.runs,
      failed: [...this.#failures.keys()],
      workerData: { address: this.#server.address },
    }
  }

  storeRun(record: ServiceRecord): void {
    this.#records.set(record.run, record)
  }

  failRun(failure: RunFailure): void {
    this.#failures.set(failure.run, failure)
  }

  extend(extension: Extension): void {
    this.#extensions.push({ extension, runs: this.runs })
  }

  async close(ending: Ending): Promise<void> {
    this.#ending = ending
    await this.#server?.close()
    this.#server = undefined
  }

  /** The stored runs, in order. */
  get runs(): readonly RunIndex[] {
    return [...this.#records.keys()].sort((a, b) => a - b)
  }

  get failures(): readonly RunFailure[] {
    return [...this.#failures.values()]
  }

  record(run: RunIndex): ServiceRecord | undefined {
    return this.#records.get(run)
  }

  /**
   * Writes everything into an HDF5 file. It then holds what an experiment without this service would have stored.
   *
   * @throws PypetError as for a new trajectory: `PYPET_TRAJECTORY_EXISTS`, `PYPET_FILE_NOT_WRITABLE`, ...
   */
  async writeHdf5(file: string): Promise<void> {
    if (this.#request === undefined) return
    const { TrajectoryStore } = await import('../trajectory-store.ts')
    let failure: unknown
    const store = await TrajectoryStore.open(
      { ...this.#request, file, keepCnt: false },
      {
        breakLock: false,
        onNotice: () => undefined,
        onError: (error) => {
          failure = error
        },
      },
    )
    const written = new Set<RunIndex>()
    const write = (runs: readonly RunIndex[]) => {
      for (const run of runs.filter((each) => !written.has(each))) {
        written.add(run)
        const { frame } = this.#records.get(run) as ServiceRecord
        const { headerBytes } = decodeFramePrefix(frame)
        store.storeRun(decodeRunFrame(frame.subarray(FRAME_PREFIX_BYTES), headerBytes))
      }
    }
    for (const { extension, runs } of this.#extensions) {
      write(runs)
      store.extend(extension)
    }
    write(this.runs)
    for (const each of this.#failures.values()) store.failRun(each)
    store.close(this.#ending)
    await store.finish()
    if (failure !== undefined) throw failure
  }
}

/** The number of runs that may be in main's memory twice. */
const PENDING_MAX = 16
