/** In a thread: the runs of a range that can be packed are handed over together. */
import type { RunRecord } from '../run/run-record.ts'
import type { RunIndex } from '../values/path.ts'
import type { RecordStore } from './record-store.ts'
import type { SharedRange } from './shared-range.ts'
import { type SharedRowPacker, SharedRows } from './shared-rows.ts'

/**
 * Rows are sent when so many wait. In the layout `tree`, the writer takes a third of a millisecond for each, and does
 * nothing else meanwhile.
 */
const ROWS_MAX = 256

export class RangeRows {
  readonly #first: RunIndex
  readonly #range: SharedRange
  readonly #packer: SharedRowPacker
  readonly #store: Pick<RecordStore, 'sendFrame'>
  #last: RunIndex | undefined

  /** @param first run of the range */
  constructor(
    first: RunIndex,
    range: SharedRange,
    memory: SharedArrayBuffer,
    store: Pick<RecordStore, 'sendFrame'>,
  ) {
    this.#first = first
    this.#range = range
    this.#packer = new SharedRows(memory).packer()
    this.#store = store
  }

  /** Whether the run waits for the next `flush`. Otherwise it is to be sent by itself, after a `flush`. */
  pack(record: RunRecord): boolean {
    const isPacked = this.#packer.add(record, record.run - this.#first)
    if (isPacked) this.#last = record.run
    return isPacked
  }

  get isFull(): boolean {
    return this.#packer.count >= ROWS_MAX
  }

  hasPacked(run: RunIndex): boolean {
    return this.#last === run
  }

  /**
   * Hands over what waits.
   *
   * @throws PypetError as `RecordStore.sendFrame`
   */
  async flush(): Promise<void> {
    const { count } = this.#packer
    if (count === 0) return
    await this.#store.sendFrame([this.#packer.frame()])
    this.#range.noteHandedOver(count)
    this.#packer.clear()
  }
}
