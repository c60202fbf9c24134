import { statSync } from 'node:fs'
import { decodeSlot, RECORDS_OFFSET, SLOT_BYTES, SLOT_OFFSETS } from './cnt-format.ts'
import { type Disk, FILES } from './disk.ts'

/**
 * Notices that a writer may begin to overwrite what a reader looks at, where no lock keeps the two apart: before the
 * first page of a commit goes into the HDF5 file, a slot in the header of the `.cnt` file names that commit or a
 * later one. Holds the `.cnt` file open until `close`.
 */
export class CntWatch {
  readonly #path: string
  readonly #disk: Disk
  readonly #inode: number | undefined
  /** The commit that the reader knows: overwriting with this one, or an older one, changes nothing for it. */
  #sequence = 0
  /** The header when it was last found to be harmless; most often it is still the same. */
  #header = EMPTY

  /** @throws the error of the system when the file cannot be opened */
  constructor(path: string) {
    this.#path = path
    this.#disk = FILES.open(path, 'read')
    this.#inode = inodeOf(path)
  }

  /** The reader takes the state of this commit, read after the watch began. */
  expect(sequence: number): void {
    this.#sequence = sequence
    this.#header = EMPTY
  }

  /** Whether something newer than the expected commit may be in the HDF5 file. */
  hasMoved(): boolean {
    // Replaced by a smaller one, or removed: what happened since cannot be told from this file.
    if (inodeOf(this.#path) !== this.#inode) return true
    const header = Buffer.alloc(RECORDS_OFFSET)
    this.#disk.read(header, 0)
    if (header.equals(this.#header)) return false
    const isHarmless = SLOT_OFFSETS.every((offset) => {
      const slot = decodeSlot(header.subarray(offset, offset + SLOT_BYTES))
      // A bad one may be one that is being written at this moment.
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

/** Undefined when there is no such file. */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
