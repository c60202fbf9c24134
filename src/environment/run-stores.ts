/** The storage of an experiment: started before its task is known, and once more if it dies. */
import type { Settings } from '../experiment/options.ts'
import { takeWriterAhead, Writer } from '../storage/queue/writer.ts'
import type { RunStore } from '../storage/run-store.ts'
import type { StorageService } from '../storage/service/storage-service.ts'
import { type LoadedService, loadService } from './load-service.ts'
import { PartsFolder } from './parts-folder.ts'

/** Dispose of it after the experiment: this ends what it started. */
export class RunStores implements AsyncDisposable {
  readonly #started: RunStore[] = []
  /** The user's own storage, loaded once. */
  #service: LoadedService | undefined
  readonly #given: StorageService | undefined
  #parts: PartsFolder | undefined
  /** Started ahead, and not yet used. */
  #writer: Writer | undefined

  private constructor(service: StorageService | undefined) {
    this.#given = service
  }

  /**
   * Starts the writer process at once: it compiles the HDF5 library while the job is loading, and touches no file
   * before it is told to. If another storage turns out to be needed, it ends unused.
   *
   * @param service a user's own storage, used instead of all others
   * @param wrapMode what flags and environment say: no writer is needed unless it is `queue`
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE` if there is no place for the writer's socket
   */
  static start(wrapMode?: unknown, service?: StorageService): RunStores {
    const stores = new RunStores(service)
    const isWanted = (wrapMode === undefined || wrapMode === 'queue') && service === undefined
    const ahead = takeWriterAhead()
    if (isWanted) stores.#writer = ahead ?? Writer.start()
    // End an unneeded writer before another storage starts.
    const started = stores.#writer ?? ahead
    if (started !== undefined) stores.#started.push(started)
    return stores
  }

  /** An unopened storage: the one that was started ahead, or a new one. Ends the previous one. */
  async next(settings: Settings): Promise<RunStore> {
    const ahead = this.#writer
    this.#writer = undefined
    if (ahead !== undefined && settings.wrapMode === 'queue' && settings.useHdf5) return ahead
    await this.#end()
    const store = settings.useHdf5 ? await open(settings) : await this.#openService(settings)
    this.#started.push(store)
    return store
  }

  /** For what jobs store before their run ends. The storages read it, so it is removed after they have ended. */
  partsFolder({ filename }: Pick<Settings, 'filename'>): PartsFolder {
    this.#parts ??= new PartsFolder(filename)
    return this.#parts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
    this.#parts?.[Symbol.dispose]()
    await this.#service?.dispose()
  }

  async #openService(settings: Settings): Promise<RunStore> {
    this.#service ??= await loadService(settings, this.#given)
    const { ServiceStore } = await import('../storage/service/service-store.ts')
    const { service, workerModule } = this.#service
    return new ServiceStore(service, { workerModule, pendingMax: serviceQueueMax(settings) })
  }

  async #end(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((store) => store[Symbol.asyncDispose]()))
  }
}

async function open(settings: Settings): Promise<RunStore> {
  if (settings.wrapMode === 'queue') return Writer.start()
  const { LockStore } = await import('../storage/lock/lock-store.ts')
  const { queueMaxsize, ncores } = settings
  return new LockStore({
    storage: settings,
    pendingMax: queueMaxsize > 0 ? Math.floor(queueMaxsize / ncores) : Number.MAX_SAFE_INTEGER,
    // A worker that is killed, or ends by itself, must not leave waiting data behind.
    isDurable: settings.timeout > 0 || settings.executor === 'process',
  })
}

/** How many runs may wait in main for a service that takes one at a time. */
function serviceQueueMax({ queueMaxsize, ncores }: Settings): number {
  return queueMaxsize > 0 ? queueMaxsize : 2 * ncores
}
