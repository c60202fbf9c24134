/** The receiver's side of the slots for large frames, see `run/slot-frames`. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { identityOf } from '../../journal/file-identity.ts'
import { SLOT_BYTES, type SlotNote, type SlotOffer } from '../../run/slot-frames.ts'

export class ReceiverSlots {
  /** None when closed: another file may have their numbers. */
  #descriptors: readonly number[]
  readonly #takenCounts: Uint32Array

  private constructor(descriptors: readonly number[]) {
    this.#descriptors = descriptors
    this.#takenCounts = new Uint32Array(descriptors.length)
    for (const slot of descriptors.keys()) this.#noteTaken(slot)
  }

  /** Opens the slots of another process, which have no name. Undefined if the system does not allow it, or if they are gone. */
  static open({ pid, slots }: SlotOffer): ReceiverSlots | undefined {
    const opened: number[] = []
    let isSame = true
    try {
      for (const { descriptor, identity } of slots) {
        opened.push(openSync(`/proc/${pid}/fd/${descriptor}`, 'r+'))
        // If the worker has ended, this may be another file of its process.
        isSame &&= identityOf(opened.at(-1) as number) === identity
      }
      if (isSame) return new ReceiverSlots(opened)
    } catch {}
    for (const descriptor of opened) closeSync(descriptor)
    return undefined
  }

  /** The worker may then write to the slot. @throws the error of the system, or one that says that the slot holds less */
  read({ slot, bytes }: SlotNote, target: Uint8Array, offset: number): void {
    const descriptor = this.#descriptors[slot] as number
    for (let done = 0; done < bytes; ) {
      const count = readSync(descriptor, target, offset + done, bytes - done, done)
      if (count === 0) throw new Error(`a slot holds ${done} of ${bytes} bytes`)
      done += count
    }
    this.#noteTaken(slot)
  }

  #noteTaken(slot: number): void {
    const count = this.#takenCounts.subarray(slot, slot + 1)
    count[0] = (count[0] as number) + 1
    writeSync(this.#descriptors[slot] as number, count, 0, count.byteLength, SLOT_BYTES)
  }

  close(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor)
    this.#descriptors = []
  }
}
