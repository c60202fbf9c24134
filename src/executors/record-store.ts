/** Where a worker's finished runs go, in any storage mode. */
import type { WorkerStorage } from '../protocol.ts'
import { RecordSender } from './record-sender.ts'

export interface RecordStore {
  /**
   * Takes a frame made by `encodeRunFrame`. Resolves when the storage has the run and will report it. The worker may
   * then start the next run, and change the arrays of the record.
   *
   * @throws PypetError `PYPET_WRITER_DIED` if nobody is there to take it
   */
  sendFrame(pieces: readonly Uint8Array[]): Promise<void>
  /**
   * Called before each run. Resolves when the storage does not need this worker for anything else.
   *
   * @throws PypetError as `sendFrame`
   */
  ready?(): Promise<void>
  /** Drops what was not taken. */
  close(): void | Promise<void>
}

/**
 * @throws PypetError `PYPET_WRITER_DIED` if the storage of another mode cannot be reached. The writer is contacted at
 *   the first run.
 */
export async function openRecordStore(storage: WorkerStorage): Promise<RecordStore> {
  if (storage.kind === 'queue') return new RecordSender(storage.address)
  // Workers know no storage modes. They are told which module stores, and with what data.
  const module = (await import(storage.url)) as RecordStoreModule
  return await module.openRecordStore(storage.data)
}

/** The worker part of a storage. */
interface RecordStoreModule {
  openRecordStore(data: unknown): Promise<RecordStore>
}
