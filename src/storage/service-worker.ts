/** ENTRY of a worker's half of a user's own storage. Loaded by executors by its address. */
import { PypetError, toErrorRecord } from '../errors.ts'
import { type StorageWorker, serviceRecord } from './storage-service.ts'

/** What main tells its workers. */
export interface ServiceData {
  /** `file:` URL of the module with `openWorker`. */
  readonly module: string
  /** Set when the service is open: until then no run is performed. */
  readonly workerData: unknown
}

export async function openRecordStore({ module, workerData }: ServiceData): Promise<ServiceRecords> {
  const { openWorker } = (await import(module)) as {
    openWorker(data: unknown): StorageWorker | Promise<StorageWorker>
  }
  return new ServiceRecords(await openWorker(workerData))
}

class ServiceRecords {
  readonly #worker: StorageWorker

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

  async close(): Promise<void> {
    await this.#worker.close?.()
  }
}
