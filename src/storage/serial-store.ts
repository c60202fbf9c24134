/** The common part of the run stores of all modes. */
import { PypetError } from '../errors.ts'
import type { Extension } from '../protocol.ts'
import type { RunStoreListener } from './run-store.ts'

/** Performs extensions one after the other, and reports a failure once. */
export abstract class SerialStore {
  protected listener: RunStoreListener | undefined
  /** From here on, nothing is extended. */
  protected isClosing = false
  /** Nothing more is reported: the store is broken, or its runs were cancelled. */
  protected isBroken = false
  /** Settles when all requested extensions are done. Never rejects. */
  protected extending: Promise<void> = Promise.resolve()

  async extend(extension: Extension): Promise<void> {
    // Provenance may arrive after the runs were cancelled.
    if (this.isClosing) throw new PypetError('PYPET_STORAGE_FAILED', 'the storage is being closed')
    const extending = this.extending.then(() => this.extendNow(extension))
    this.extending = extending.catch(() => undefined)
    await extending
  }

  protected abstract extendNow(extension: Extension): Promise<void>

  protected break(error: PypetError): void {
    if (this.isBroken) return
    this.isBroken = true
    this.listener?.onBroken(error)
  }
}
