import { statSync } from 'node:fs'
import { decodeSlot, RECORDS_OFFSET, SLOT_BYTES, SLOT_OFFSETS } from './cnt-format.ts'
import { type Disk, FILES } from './disk.ts'

/**
 * Notices when a writer may overwrite what a reader is looking at, if no lock keeps the two apart: before the first
 * page of a commit goes into the HDF5 file, a slot in the header of the `.cnt` file names that commit or a later one.
 * Keeps the `.cnt` file open until `close`.
 */
export class CntWatch {
  readonly #path: string
  readonly #disk: Disk
  readonly #inode: number | undefined
  /** The commit that the reader knows. Pages of this or an older commit change nothing for it. */
  #sequence = 0
  /** The last header that was found harmless. Usually it is still the same. */
  #header = EMPTY

  /** @throws the system's error if the file cannot be opened */
  constructor(path: string) {
    this.#path = path
    this.#disk = FILES.open(path, 'read')
    this.#inode = inodeOf(path)
  }

  /** The reader uses the state of this commit, read after the watch began. */
  expect(sequence: number): void {
    this.#sequence = sequence
    this.#header = EMPTY
  }

  /** Whether something newer than the expected commit may be in the HDF5 file. */
  hasMoved(): boolean {
    // Compacted or removed: this file cannot tell what happened since.
    if (inodeOf(this.#path) !== this.#inode) return true
    const header = Buffer.alloc(RECORDS_OFFSET)
    this.#disk.read(header, 0)
    if (header.equals(this.#header)) return false
    const isHarmless = SLOT_OFFSETS.every((offset) => {
      const slot = decodeSlot(header.subarray(offset, offset + SLOT_BYTES))
      // A bad slot may be in the middle of a write.
      return slot === 'unused' || (slot !== 'bad' && slot.sequence <= this.#sequence)
    })
    if (isHarmless) this.#header = header
    return !isHarmless
  }

  close(): void {
    this.#disk.close()
  }
}

const EMPTY = Buffer.alloc(0)

/** Undefined if the file does not exist. */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
