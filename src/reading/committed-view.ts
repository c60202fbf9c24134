import type { HookedFile } from '../hdf5/hook.ts'
import type { PageImage } from '../journal/cnt-record.ts'

/** What a view reads from: an open file, and what is known about its last commit. */
export interface CommittedState {
  /** The file on the disk. */
  readonly disk: { read(target: Uint8Array, position: number): number }
  /** Size at the last commit. Data beyond it on the disk does not count. */
  readonly fileBytes: number
  /** Changes of the last commits that the disk may not have yet. If two overlap, the later one counts. */
  readonly pages: readonly PageImage[]
  /** Called after each read: whether the writer has started to overwrite the file with newer data. */
  readonly hasMoved: () => boolean
}

/**
 * The last commit of an HDF5 file that is being written, or whose writer has crashed: the bytes on the disk, with the
 * pages of the `.cnt` file over them. Never writes.
 *
 * The HDF5 library must never see a mixture of two commits, which crashes it. So each read is checked afterwards. Once
 * the writer has moved on, this read and all later ones fail.
 */
export class CommittedView implements HookedFile {
  readonly #state: CommittedState
  readonly #patches: ReadonlyMap<number, readonly PageImage[]>
  #isLost = false

  constructor(state: CommittedState) {
    this.#state = state
    this.#patches = patchesByCell(state.pages)
  }

  size(): number {
    return this.#state.fileBytes
  }

  /** @throws an error that emscripten passes to the library as `EIO`, if the state is gone */
  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.byteLength, this.#state.fileBytes - position))
    const wanted = target.subarray(0, count)
    if (count === 0) return 0
    // A size is committed after its bytes, so bytes missing on the disk can only be in pages.
    wanted.fill(0, this.#state.disk.read(wanted, position))
    const lastCell = Math.floor((position + count - 1) / CELL_BYTES)
    for (let cell = Math.floor(position / CELL_BYTES); cell <= lastCell; cell += 1) {
      for (const patch of this.#patches.get(cell) ?? []) lay(patch, wanted, position)
    }
    // Once lost, always lost: the library's cached data would not match later reads.
    this.#isLost ||= this.#state.hasMoved()
    if (this.#isLost) throw inputOutputError('the file has changed')
    return count
  }

  write(): void {
    throw inputOutputError('the file is only read')
  }

  truncate(): void {
    throw inputOutputError('the file is only read')
  }

  /** Whether a read has failed. Earlier reads are valid. */
  get isLost(): boolean {
    return this.#isLost
  }
}

/** Patches are indexed by cells of this size, so that a read only looks at its own. */
const CELL_BYTES = 4096

/** Cuts the images at cell borders. They come from a file, so nothing is assumed about them. */
function patchesByCell(images: readonly PageImage[]): Map<number, PageImage[]> {
  const patches = new Map<number, PageImage[]>()
  for (const { offset, bytes } of images) {
    for (let done = 0; done < bytes.byteLength; ) {
      const at = offset + done
      const length = Math.min(bytes.byteLength - done, CELL_BYTES - (at % CELL_BYTES))
      const patch = { offset: at, bytes: bytes.subarray(done, done + length) }
      const cell = Math.floor(at / CELL_BYTES)
      const older = patches.get(cell)?.filter((one) => !covers(patch, one)) ?? []
      patches.set(cell, [...older, patch])
      done += length
    }
  }
  return patches
}

function covers(newer: PageImage, older: PageImage): boolean {
  return newer.offset <= older.offset && endOf(newer) >= endOf(older)
}

function endOf({ offset, bytes }: PageImage): number {
  return offset + bytes.byteLength
}

function lay(patch: PageImage, target: Uint8Array, position: number): void {
  const start = Math.max(patch.offset, position)
  const end = Math.min(endOf(patch), position + target.byteLength)
  if (start >= end) return
  target.set(patch.bytes.subarray(start - patch.offset, end - patch.offset), start - position)
}

/** WASI's number for an input/output error. */
const EIO = 29

/** Emscripten turns errors with this name into an error code for the library. Others would unwind it half done. */
function inputOutputError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ErrnoError', errno: EIO })
}
