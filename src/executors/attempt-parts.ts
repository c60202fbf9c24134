/** What the job of one attempt stores before the run ends: kept by the worker, and handed over with the run. */
import { PartFile } from '../continue/part-file.ts'
import type { PartsPlace, RunTask } from '../protocol.ts'
import type { LeafRecord } from '../trajectory/run-record.ts'
import { inMemory, type RunParts } from '../trajectory/stored-items.ts'

export class AttemptParts {
  readonly #place: PartsPlace
  readonly #task: Pick<RunTask, 'run' | 'attempt'>
  #file: PartFile | undefined

  constructor(place: PartsPlace, task: Pick<RunTask, 'run' | 'attempt'>) {
    this.#place = place
    this.#task = task
  }

  get isUsed(): boolean {
    return this.#file !== undefined
  }

  /** Where the storage finds them; undefined where there are none that it takes. */
  get path(): string | undefined {
    return this.#place.areTaken && this.#file?.hasParts === true ? this.#file.path : undefined
  }

  open(): RunParts {
    const { run, attempt } = this.#task
    this.#file ??= new PartFile(this.#place.folder, run, attempt)
    const file = this.#file
    return {
      write: (frames) => file.write(frames),
      whole: async (leaf) => file.whole(leaf),
      before: async () => undefined,
    }
  }

  /** For a storage that takes no parts they come together again, in memory. */
  leavesToSend(leaves: readonly LeafRecord[]): readonly LeafRecord[] {
    const file = this.#file
    if (file === undefined || this.#place.areTaken) return leaves
    return leaves.map((leaf) => (leaf.parts === undefined ? leaf : inMemory(file.whole(leaf), leaf)))
  }

  /** The run has been sent. */
  async handOver(): Promise<void> {
    if (this.path === undefined) await this.drop()
    else await this.#file?.close()
  }

  /** The attempt has failed. */
  async drop(): Promise<void> {
    await this.#file?.drop()
  }
}
