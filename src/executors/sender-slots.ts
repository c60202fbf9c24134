/** The worker's side of the slots for large frames, see `run/slot-frames`. */
import { closeSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { SLOT_BYTES, SLOT_COUNT, type SlotOffer } from '../run/slot-frames.ts'

/** A file system in memory. */
const FOLDER = '/dev/shm'
/** How much must be free there, so that other programs keep most of it. */
const FREE_BYTES_MIN = 16 * SLOT_COUNT * SLOT_BYTES

export class SenderSlots {
  readonly #descriptors: readonly number[]

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
    return { pid: process.pid, descriptors: this.#descriptors }
  }

  /** @throws the error of the system */
  write(slot: number, bytes: Uint8Array, position: number): void {
    const descriptor = this.#descriptors[slot] as number
    for (let done = 0; done < bytes.byteLength; )
      done += writeSync(descriptor, bytes, done, bytes.byteLength - done, position + done)
  }

  close(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor)
  }
}

/** A file that has its room already, and that no process can leave behind. */
function openUnnamed(): number {
  // It has this name for a moment only.
  const path = `${FOLDER}/pypet-ts-slot-${process.pid}-${process.hrtime.bigint()}`
  const descriptor = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
    const zeros = new Uint8Array(SLOT_BYTES)
    for (let done = 0; done < SLOT_BYTES; )
      done += writeSync(descriptor, zeros, done, SLOT_BYTES - done, done)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
