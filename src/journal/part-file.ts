/**
 * The parts of one attempt of a run: what its job has stored before the run is complete, one frame after the other
 * (`run/run-frame`), each of one leaf. The file lives no longer than the attempt. When the run is complete, whoever
 * stores it reads the parts leaf by leaf and removes the file; an attempt that fails takes its file along; and what a
 * kill leaves lies in a folder under a temporary name, which the next command that writes the HDF5 file sweeps.
 *
 * There is nothing to recover in it, so it has no checksums: a frame that was not finished is named by nobody.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { PypetError } from '../errors.ts'
import { decodeFramePrefix, decodeRunFrame, FRAME_PREFIX_BYTES, type RawLeaf } from '../run/run-frame.ts'
import type { LeafRecord, PartPlace } from '../run/run-record.ts'
import { joinedItems } from '../run/stored-items.ts'
import type { RunIndex } from '../values/path.ts'
import { type RawField, rawValue } from '../values/raw-value.ts'

/** In the folder of an experiment's parts. */
export function partFilePath(folder: string, run: RunIndex, attempt: number): string {
  return join(folder, `${run}.${attempt}`)
}

/** As the worker has it that performs the attempt. */
export class PartFile {
  readonly path: string
  readonly #folder: string
  #opening: Promise<FileHandle> | undefined
  #end = 0
  #isClosed = false

  readonly #openFile: typeof open

  /**
   * Nothing is created before the first part is.
   *
   * @param openFile for tests that have a disk of their own
   */
  constructor(folder: string, run: RunIndex, attempt: number, openFile: typeof open = open) {
    this.#folder = folder
    this.#openFile = openFile
    this.path = partFilePath(folder, run, attempt)
  }

  /** Whether there are parts. */
  get hasParts(): boolean {
    return this.#end > 0
  }

  /**
   * Appends frames, and resolves when they are durable. One call at a time.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`; then what was written of it is gone
   */
  async write(frames: readonly (readonly Uint8Array[])[]): Promise<readonly PartPlace[]> {
    const places: PartPlace[] = []
    const file = await this.#opened()
    let end = this.#end
    try {
      for (const frame of frames) {
        const offset = end
        for (const piece of frame) {
          await writeAll(file, piece, end)
          end += piece.byteLength
        }
        places.push({ offset, bytes: end - offset })
      }
      // Not for the crash, which ends the attempt anyway: pages that wait to be written are memory, too.
      await file.datasync()
    } catch (cause) {
      // Where that fails, what is behind the end is named by nobody, and the next part is written over it.
      await file.truncate(this.#end).catch(() => undefined)
      throw notStored(this.path, cause)
    }
    this.#end = end
    return places
  }

  /** Reads the parts of a leaf. @throws PypetError `PYPET_STORAGE_FAILED` */
  whole(leaf: LeafRecord): RawLeaf {
    const { items, annotations: _annotations, ...rest } = leaf
    const own = { ...rest, items: items.map(({ name, value }) => ({ name, value: rawValue(value) })) }
    return wholeLeaf(this.path, own)
  }

  /** Somebody else has the file now. */
  async close(): Promise<void> {
    this.#isClosed = true
    const file = await this.#opening?.catch(() => undefined)
    await file?.close().catch(() => undefined)
  }

  /** Nobody gets it. */
  async drop(): Promise<void> {
    await this.close()
    removePartFile(this.path)
  }

  async #opened(): Promise<FileHandle> {
    if (this.#isClosed) throw notStored(this.path, new Error('the run has ended'))
    try {
      this.#opening ??= this.#open()
      return await this.#opening
    } catch (cause) {
      // Perhaps it can be opened the next time.
      this.#opening = undefined
      throw notStored(this.path, cause)
    }
  }

  async #open(): Promise<FileHandle> {
    makeFolder(this.#folder)
    const { O_CREAT, O_RDWR, O_TRUNC, O_NOFOLLOW = 0 } = constants
    return await this.#openFile(this.path, O_CREAT | O_RDWR | O_TRUNC | O_NOFOLLOW, 0o600)
  }
}

/** Never throws: what stays is removed with its folder. */
export function removePartFile(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {}
}

/**
 * A leaf with the items of all its parts. Only one such leaf is in memory at a time, however large the run is.
 *
 * @throws PypetError `PYPET_STORAGE_FAILED`
 */
export function wholeLeaf(path: string, { parts = [], ...leaf }: RawLeaf): RawLeaf {
  if (parts.length === 0) return leaf
  let descriptor: number | undefined
  try {
    const file = openSync(path, 'r')
    descriptor = file
    const read = parts.map((place) => itemsAt(file, place, leaf.location))
    return { ...leaf, items: joinedItems<RawField>([...read, leaf.items]) }
  } catch (cause) {
    const { message } = cause as Error
    throw new PypetError('PYPET_STORAGE_FAILED', `cannot read ${leaf.location} from ${path}: ${message}`, {
      where: path,
      hint: 'A run stored it there before its end. Was that file, or its folder, removed by somebody?',
      cause,
    })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function itemsAt(file: number, { offset, bytes }: PartPlace, location: string): readonly RawField[] {
  const frame = new Uint8Array(bytes)
  for (let filled = 0; filled < bytes; ) {
    const room = frame.subarray(filled, Math.min(bytes, filled + READ_BYTES_MAX))
    const count = readSync(file, room, 0, room.byteLength, offset + filled)
    if (count === 0) throw new Error('it ends too early')
    filled += count
  }
  const { headerBytes, payloadBytes } = decodeFramePrefix(frame)
  if (FRAME_PREFIX_BYTES + headerBytes + payloadBytes !== bytes) throw new Error('it holds something else')
  const [leaf] = decodeRunFrame(frame.subarray(FRAME_PREFIX_BYTES), headerBytes).leaves
  if (leaf?.location !== location) throw new Error('it holds something else')
  return leaf.items
}

/** Systems read and write 2 GiB at once, and no more. */
const READ_BYTES_MAX = 1_073_741_824

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < piece.byteLength; ) {
    const length = Math.min(READ_BYTES_MAX, piece.byteLength - written)
    const { bytesWritten } = await file.write(piece, written, length, position + written)
    written += bytesWritten
  }
}

/** Several workers may make it at once. What somebody else has planted there is not used. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, 0o700)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    const found = lstatSync(folder)
    const isOurs = process.getuid === undefined || found.uid === process.getuid()
    if (!found.isDirectory() || !isOurs) throw new Error(`${folder} is there, and not ours`)
  }
}

function notStored(path: string, cause: unknown): PypetError {
  const { message } = cause as Error
  return new PypetError('PYPET_STORAGE_FAILED', `cannot store before the run ends, in ${path}: ${message}`, {
    where: path,
    hint: 'Free some space, or let the run keep it: everything is stored when the run ends.',
    cause,
  })
}
