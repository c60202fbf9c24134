import type { HookedFile } from '../hdf5/hook.ts'
import type { PageImage } from '../journal/cnt-record.ts'

/** What a view reads from: an open file, and what is known of its last commit. */
export interface CommittedState {
  /** Of the file as it lies on the disk. */
  readonly disk: { read(target: Uint8Array, position: number): number }
  /** Size as of the last commit; what the disk has beyond it does not count. */
  readonly fileBytes: number
  /** What the last commits changed and the disk may not have yet; where two overlap, the later one counts. */
  readonly pages: readonly PageImage[]
  /** Asked after each read: whether the writer has begun to overwrite the file with something newer. */
  readonly hasMoved: () => boolean
}

/**
 * The last commit of an HDF5 file that is being written, or whose writer has crashed: the bytes on the disk, with
 * the pages of the `.cnt` file laid over them. Nothing is ever written.
 *
 * The HDF5 library must never see a mixture of two commits, on which it crashes. So each read is checked after the fact, and
 * once the writer has moved on, this one and all later ones fail.
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

  /** @throws an error that emscripten hands to the library as `EIO`, when the state is gone */
  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.byteLength, this.#state.fileBytes - position))
    const wanted = target.subarray(0, count)
    if (count === 0) return 0
    // A size is committed after its bytes: what the disk lacks of it can only be in pages.
    wanted.fill(0, this.#state.disk.read(wanted, position))
    const lastCell = Math.floor((position + count - 1) / CELL_BYTES)
    for (let cell = Math.floor(position / CELL_BYTES); cell <= lastCell; cell += 1) {
      for (const patch of this.#patches.get(cell) ?? []) lay(patch, wanted, position)
    }
    // Once lost, always lost: what the library keeps in memory would not go with what it reads later.
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

  /** Whether something could not be read any more. What was read before is right all the same. */
  get isLost(): boolean {
    return this.#isLost
  }
}

/** Patches are looked up by pieces of this size, so that a read looks at its own only. */
const CELL_BYTES = 4096

/** Cuts the images at the borders of cells. They come from a file, so nothing is taken for granted about them. */
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

/** Emscripten turns errors of this name into an error code for the library; others would unwind it half done. */
function inputOutputError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ErrnoError', errno: EIO })
}
