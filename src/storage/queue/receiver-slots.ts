/** The receiver's side of the slots for large frames, see `run/slot-frames`. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { SlotNote, SlotOffer } from '../../run/slot-frames.ts'

export class ReceiverSlots {
  readonly #descriptors: readonly number[]

  private constructor(descriptors: readonly number[]) {
    this.#descriptors = descriptors
  }

  /** Opens the slots of another process, which have no name. Undefined if the system does not allow it. */
  static open({ pid, descriptors }: SlotOffer): ReceiverSlots | undefined {
    const opened: number[] = []
    try {
      for (const descriptor of descriptors) opened.push(openSync(`/proc/${pid}/fd/${descriptor}`, 'r'))
      return new ReceiverSlots(opened)
    } catch {
      for (const descriptor of opened) closeSync(descriptor)
      return undefined
    }
  }

  /** @throws the error of the system, or one that says that the slot holds less */
  read({ slot, bytes }: SlotNote, target: Uint8Array, offset: number): void {
    const descriptor = this.#descriptors[slot] as number
    for (let done = 0; done < bytes; ) {
      const count = readSync(descriptor, target, offset + done, bytes - done, done)
      if (count === 0) throw new Error(`a slot holds ${done} of ${bytes} bytes`)
      done += count
    }
  }

  close(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor)
  }
}
