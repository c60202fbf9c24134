/** ENTRY of a worker's half of a user's own storage. Loaded by executors by its address. */
import { PypetError, toErrorRecord } from '../../errors.ts'
import { type StorageWorker, serviceError, serviceRecord } from './storage-service.ts'

/** What main tells its workers. */
interface ServiceData {
  /** `file:` URL of the module with `openWorker`. */
  readonly module: string
  /** Set when the service is open: until then no run is performed. */
  readonly workerData: unknown
}

/** @throws PypetError `PYPET_STORAGE_SERVICE_FAILED` */
export async function openRecordStore({ module, workerData }: ServiceData): Promise<ServiceRecords> {
  const { openWorker } = (await import(module)) as {
    openWorker(data: unknown): StorageWorker | Promise<StorageWorker>
  }
  const worker = await asked('openWorker', () => openWorker(workerData))
  if (typeof (worker as Partial<StorageWorker> | undefined)?.storeRun === 'function')
    return new ServiceRecords(worker)
  throw new PypetError(
    'PYPET_STORAGE_SERVICE_FAILED',
    'openWorker of the storage service gave nothing that has a storeRun()',
    { hint: 'Let openWorker(workerData) give { storeRun(record) }.' },
  )
}

class ServiceRecords {
  readonly #worker: StorageWorker
  #isClosed = false

  constructor(worker: StorageWorker) {
    this.#worker = worker
  }

  /** @throws PypetError `PYPET_STORAGE_SERVICE_FAILED`: this run is not stored, others may be */
  async sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    const record = serviceRecord(pieces)
    try {
      await this.#worker.storeRun(record)
    } catch (cause) {
      const { name, message } = toErrorRecord(cause)
      throw new PypetError(
        'PYPET_STORAGE_SERVICE_FAILED',
        `the storage service did not store run ${record.run}: ${name}: ${message}`,
        { hint: 'The error is that of storeRun in the storage service.', cause },
      )
    }
  }

  /** Once, however often an executor is disposed of. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await asked('close', async () => await this.#worker.close?.())
  }
}

async function asked<Answer>(method: string, call: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await call()
  } catch (cause) {
    throw serviceError(method, cause)
  }
}
