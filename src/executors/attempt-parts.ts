/** What the job of one attempt stores before its run ends. The worker keeps it and hands it over with the run. */
import { fromErrorRecord } from '../errors.ts'
import { PartFile } from '../journal/part-file.ts'
import type { RunTask } from '../protocol.ts'
import { decodeFramePrefix, decodeRunFrame, FRAME_PREFIX_BYTES, type RawLeaf } from '../run/run-frame.ts'
import type { LeafRecord } from '../run/run-record.ts'
import {
  inMemory,
  type PartsPlace,
  type RunParts,
  type StoredBefore,
  type StoredBeforeAnswer,
} from '../run/stored-items.ts'

export class AttemptParts {
  readonly #place: PartsPlace
  readonly #task: Pick<RunTask, 'run' | 'attempt'>
  readonly #before: StoredBefore
  #file: PartFile | undefined

  constructor(place: PartsPlace, task: Pick<RunTask, 'run' | 'attempt'>, before: StoredBefore) {
    this.#place = place
    this.#task = task
    this.#before = before
  }

  get isUsed(): boolean {
    return this.#file !== undefined
  }

  /** Where the storage finds the parts. Undefined if there are none that it accepts. */
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
      before: async (fullName) => leafOf(await this.#before(fullName)),
    }
  }

  /** If the storage accepts no parts, they are joined again in memory. */
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

  /** Nobody has taken the run. Whoever knows whether its frame has arrived removes the file. */
  async close(): Promise<void> {
    await this.#file?.close()
  }

  /** The attempt has failed. */
  async drop(): Promise<void> {
    await this.#file?.drop()
  }
}

/** @throws PypetError if it exists but cannot be read */
function leafOf(answer: StoredBeforeAnswer): RawLeaf | undefined {
  if (answer === undefined) return undefined
  if ('error' in answer) throw fromErrorRecord(answer.error, 'PYPET_STORAGE_FAILED')
  const { frame } = answer
  return decodeRunFrame(frame.subarray(FRAME_PREFIX_BYTES), decodeFramePrefix(frame).headerBytes).leaves[0]
}
