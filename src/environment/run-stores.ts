/** The storage of an experiment: started before it is known what it will be asked for, and once more if it dies. */
import type { RunStore } from '../storage/run-store.ts'
import { Writer } from '../storage/writer.ts'

/** Dispose of it after the experiment: it ends what it has started. */
export class RunStores implements AsyncDisposable {
  readonly #started: RunStore[] = []
  /** Started ahead, and not yet taken. */
  #writer: Writer | undefined

  /**
   * Starts the writer process at once: it compiles the HDF5 library while the job is still being loaded, and touches
   * no file before it is told to.
   *
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE` when there is no place for the writer's socket
   */
  static start(): RunStores {
    const stores = new RunStores()
    stores.#writer = Writer.start()
    stores.#started.push(stores.#writer)
    return stores
  }

  /** A storage that has not been opened: the one that was started ahead, or a fresh one. */
  next(): RunStore {
    const ahead = this.#writer
    this.#writer = undefined
    if (ahead !== undefined) return ahead
    const writer = Writer.start()
    this.#started.push(writer)
    return writer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((store) => store[Symbol.asyncDispose]()))
  }
}
