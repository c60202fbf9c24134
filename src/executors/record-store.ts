/** Where a worker's finished runs go, whatever the storage mode. */
import type { WorkerStorage } from '../protocol.ts'
import { RecordSender } from './record-sender.ts'

export interface RecordStore {
  /**
   * Takes a run that `encodeRunFrame` has made into a frame. Resolves when the worker may go on with the next run: the
   * storage has this one, and will announce it. The arrays of the record may be changed then.
   *
   * @throws PypetError `PYPET_WRITER_DIED` when nobody is there to take it
   */
  sendFrame(pieces: readonly Uint8Array[]): Promise<void>
  /**
   * Asked before each run. Resolves when the storage does not need this worker for something else.
   *
   * @throws PypetError as `sendFrame`
   */
  ready?(): Promise<void>
  /** Gives up what was not taken. */
  close(): void | Promise<void>
}

/** @throws PypetError `PYPET_WRITER_DIED` when the storage of another mode cannot be reached; the writer is called with the first run */
export async function openRecordStore(storage: WorkerStorage): Promise<RecordStore> {
  if (storage.kind === 'queue') return new RecordSender(storage.address)
  // Workers know no storages: which module stores, and what it has to know for that, is said to them.
  const module = (await import(storage.url)) as RecordStoreModule
  return await module.openRecordStore(storage.data)
}

/** What a storage has in its workers. */
interface RecordStoreModule {
  openRecordStore(data: unknown): Promise<RecordStore>
}
