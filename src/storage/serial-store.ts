/** What the run stores of all modes have in common. */
import { PypetError } from '../errors.ts'
import type { Extension } from '../protocol.ts'
import type { RunStoreListener } from './run-store.ts'

/** Extends one after the other, and tells once that it is broken. */
export abstract class SerialStore {
  protected listener: RunStoreListener | undefined
  /** From here on nothing is extended. */
  protected isClosing = false
  /** Nothing is told any more: it is broken, or its runs were given up. */
  protected isBroken = false
  /** Settles when all extensions that were asked for are done. It never rejects. */
  protected extending: Promise<void> = Promise.resolve()

  async extend(extension: Extension): Promise<void> {
    // Whatever is collected beside the runs may come when they have been given up.
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
