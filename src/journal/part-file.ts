/**
 * The parts of one attempt of a run: what its job has stored before the run is complete, as frames (`run/run-frame`) of
 * one leaf each. The file lives only as long as the attempt. When the run is complete, whoever stores it reads the
 * parts leaf by leaf and removes the file. A failed attempt removes its file. What a kill leaves is in a folder with a
 * temporary name, and the next command that writes the HDF5 file removes it.
 *
 * The file is never recovered, so it has no checksums: nothing refers to an unfinished frame.
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

/** In the folder for the parts of an experiment. */
export function partFilePath(folder: string, run: RunIndex, attempt: number): string {
  return join(folder, `${run}.${attempt}`)
}

/** The parts, as seen by the worker that performs the attempt. */
export class PartFile {
  readonly path: string
  readonly #folder: string
  #opening: Promise<FileHandle> | undefined
  #end = 0
  #isClosed = false

  readonly #openFile: typeof open

  /**
   * Creates nothing before the first part.
   *
   * @param openFile for tests with their own disk
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
   * @throws PypetError `PYPET_STORAGE_FAILED`. Then nothing of it is kept.
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
      // Not for crashes, which end the attempt anyway: unwritten pages take memory too.
      await file.datasync()
    } catch (cause) {
      // If this fails, nothing refers to the data after the end, and the next part overwrites it.
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

  /** Another process has the file now. */
  async close(): Promise<void> {
    this.#isClosed = true
    const file = await this.#opening?.catch(() => undefined)
    await file?.close().catch(() => undefined)
  }

  /** Removes the file: nobody gets it. */
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
      // It may open the next time.
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

/** Never throws: a leftover is removed with its folder. */
export function removePartFile(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {}
}

/**
 * A leaf with the items of all its parts. Only one such leaf is in memory at a time, even in a large run.
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
      hint: 'The run stored it there before it ended. Check whether the file or its folder was removed.',
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
  if (FRAME_PREFIX_BYTES + headerBytes + payloadBytes !== bytes) throw new Error('it holds other data')
  const [leaf] = decodeRunFrame(frame.subarray(FRAME_PREFIX_BYTES), headerBytes).leaves
  if (leaf?.location !== location) throw new Error('it holds other data')
  return leaf.items
}

/** Systems read and write at most 2 GiB at once. */
const READ_BYTES_MAX = 1_073_741_824

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < piece.byteLength; ) {
    const length = Math.min(READ_BYTES_MAX, piece.byteLength - written)
    const { bytesWritten } = await file.write(piece, written, length, position + written)
    written += bytesWritten
  }
}

/** Several workers may create it at once. A planted file or folder is not used. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, 0o700)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    const found = lstatSync(folder)
    const isOurs = process.getuid === undefined || found.uid === process.getuid()
    if (!found.isDirectory() || !isOurs) throw new Error(`${folder} is not a folder of this user`)
  }
}

function notStored(path: string, cause: unknown): PypetError {
  const { message } = cause as Error
  return new PypetError('PYPET_STORAGE_FAILED', `cannot store early results in ${path}: ${message}`, {
    where: path,
    hint: 'Free some space, or do not store early: everything is stored when the run ends.',
    cause,
  })
}
