/** ENTRY of the worker half of a user's storage service. Executors load it by its address. */
import { PypetError, toErrorRecord } from '../../errors.ts'
import { type StorageWorker, serviceError, serviceRecord } from './storage-service.ts'

/** What main tells its workers. */
interface ServiceData {
  /** `file:` URL of the module with `openWorker`. */
  readonly module: string
  /** Set when the service is open. No run is performed before. */
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
    'openWorker of the storage service returned no object with a storeRun()',
    { hint: 'Return { storeRun(record) } from openWorker(workerData).' },
  )
}

class ServiceRecords {
  readonly #worker: StorageWorker
  #isClosed = false

  constructor(worker: StorageWorker) {
    this.#worker = worker
  }

  /** @throws PypetError `PYPET_STORAGE_SERVICE_FAILED`: this run is not stored, but others may be */
  async sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    const record = serviceRecord(pieces)
    try {
      await this.#worker.storeRun(record)
    } catch (cause) {
      const { name, message } = toErrorRecord(cause)
      throw new PypetError(
        'PYPET_STORAGE_SERVICE_FAILED',
        `the storage service did not store run ${record.run}: ${name}: ${message}`,
        { hint: 'storeRun of the storage service threw this error.', cause },
      )
    }
  }

  /** Only once, however often an executor is disposed of. */
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
