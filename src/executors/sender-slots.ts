/** The worker's side of the slots for large frames, see `run/slot-frames`. */
import { closeSync, openSync, readSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { identityOf } from '../journal/file-identity.ts'
import { SLOT_BYTES, SLOT_COUNT, type SlotOffer, TAKEN_BYTES } from '../run/slot-frames.ts'

/** A file system in memory. */
const FOLDER = '/dev/shm'
/** How much must be free there, so that other programs keep most of it. */
const FREE_BYTES_MIN = 16 * SLOT_COUNT * SLOT_BYTES

export class SenderSlots {
  /** None when closed: another file may have their numbers. */
  #descriptors: readonly number[]
  readonly #taken = new Uint32Array(1)

  private constructor(descriptors: readonly number[]) {
    this.#descriptors = descriptors
  }

  /** Undefined where there is no room in memory. */
  static open(): SenderSlots | undefined {
    if (process.platform !== 'linux') return undefined
    const descriptors: number[] = []
    try {
      const { bavail, bsize } = statfsSync(FOLDER)
      if (bavail * bsize < FREE_BYTES_MIN) return undefined
      for (let slot = 0; slot < SLOT_COUNT; slot += 1) descriptors.push(openUnnamed())
      return new SenderSlots(descriptors)
    } catch {
      for (const descriptor of descriptors) closeSync(descriptor)
      return undefined
    }
  }

  get offer(): SlotOffer {
    const slots = this.#descriptors.map((descriptor) => ({ descriptor, identity: identityOf(descriptor) }))
    return { pid: process.pid, slots }
  }

  /** How many times the receiver has taken this slot. The offer counts. */
  takenCount(slot: number): number {
    readSync(this.#descriptors[slot] as number, this.#taken, 0, TAKEN_BYTES, SLOT_BYTES)
    return this.#taken[0] as number
  }

  /** @throws the error of the system */
  write(slot: number, bytes: Uint8Array, position: number): void {
    const descriptor = this.#descriptors[slot] as number
    for (let done = 0; done < bytes.byteLength; )
      done += writeSync(descriptor, bytes, done, bytes.byteLength - done, position + done)
  }

  close(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor)
    this.#descriptors = []
  }
}

/** A file that has its room already. It has no name, so a killed process does not leave it behind. */
function openUnnamed(): number {
  const path = `${FOLDER}/pypet-ts-slot-${process.pid}-${process.hrtime.bigint()}`
  const descriptor = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
    const zeros = new Uint8Array(SLOT_BYTES + TAKEN_BYTES)
    for (let done = 0; done < zeros.byteLength; )
      done += writeSync(descriptor, zeros, done, zeros.byteLength - done, done)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
