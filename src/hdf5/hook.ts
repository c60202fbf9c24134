/**
 * The layer below HDF5: the library reads and writes a file through an object of pypet-ts.
 *
 * h5wasm accesses the disk with the functions of `Module.FS`, which can be replaced. These are internals of a pinned
 * dependency, so check first that they are really used: `proveHook`.
 */
import { devNull } from 'node:os'
import { PypetError } from '../errors.ts'
import { type H5Module, loadedH5wasm, loadH5wasm } from './h5wasm.ts'

/** Replaces a file on disk. Positions and sizes are in bytes. */
export interface HookedFile {
  /** Fills `target` from `position` on. Returns the number of bytes read. */
  read(target: Uint8Array, position: number): number
  /** Writes all of `source`, which is only valid during the call. */
  write(source: Uint8Array, position: number): void
  truncate(size: number): void
  size(): number
}

/** The part of emscripten's file system that is replaced. */
interface EmscriptenFiles {
  read(stream: Stream, buffer: ArrayBufferView, offset: number, length: number, position?: number): number
  write(stream: Stream, buffer: ArrayBufferView, offset: number, length: number, position?: number): number
  llseek(stream: Stream, offset: number, whence: number): number
  ftruncate(descriptor: number, size: number): void
  getStreamChecked(descriptor: number): Stream
}

interface Stream {
  readonly path: string
  position: number
}

const SEEK_END = 2
const hookedFiles = new Map<string, HookedFile>()
let isInstalled = false

/**
 * From now on, HDF5 uses `file` when it opens `path` (spelled the same way). Opening still accesses the file on disk,
 * which must exist.
 *
 * @returns a function that ends this
 */
export async function hookFile(path: string, file: HookedFile): Promise<() => void> {
  await loadH5wasm()
  return hookFileNow(path, file)
}

/** As `hookFile`, once the library is loaded. */
export function hookFileNow(path: string, file: HookedFile): () => void {
  install(loadedH5wasm())
  hookedFiles.set(path, file)
  return () => {
    if (hookedFiles.get(path) === file) hookedFiles.delete(path)
  }
}

/**
 * Creates a small HDF5 file and checks where its bytes go. It replaces the null device, so that nothing remains however
 * the process ends.
 *
 * @throws PypetError `PYPET_STORAGE_FAILED` if the bytes bypass the hook: then no commit would be safe
 */
export async function proveHook(): Promise<void> {
  const module = await loadH5wasm()
  const probe = new ProbeFile()
  const unhook = await hookFile(devNull, probe)
  try {
    const file = module.open(devNull, module.H5F_ACC_TRUNC, false, -1, -1)
    module.create_group(file, '/probe', false)
    module.flush(file)
    module.close_file(file)
    if (!probe.holdsHdf5()) throw notInPath()
  } finally {
    unhook()
  }
}

function notInPath(): PypetError {
  return new PypetError(
    'PYPET_STORAGE_FAILED',
    'the HDF5 library bypasses the layer that makes commits safe',
    { hint: 'Reinstall pypet-ts with the version of h5wasm in its package.json.' },
  )
}

/** A file in memory, large enough for an HDF5 file with one group. */
class ProbeFile implements HookedFile {
  readonly #bytes = new Uint8Array(65_536)
  #size = 0

  read(target: Uint8Array, position: number): number {
    const found = this.#bytes.subarray(position, Math.min(this.#size, position + target.byteLength))
    target.set(found)
    return found.byteLength
  }

  write(source: Uint8Array, position: number): void {
    this.#bytes.set(source, position)
    this.#size = Math.max(this.#size, position + source.byteLength)
  }

  truncate(size: number): void {
    this.#size = size
  }

  size(): number {
    return this.#size
  }

  holdsHdf5(): boolean {
    return this.#size > 96 && Buffer.from(this.#bytes.subarray(1, 4)).toString('latin1') === 'HDF'
  }
}

function install(module: H5Module): void {
  if (isInstalled) return
  isInstalled = true
  const files = (module as unknown as { FS: EmscriptenFiles }).FS
  const { read, write, llseek, ftruncate } = files
  files.read = (stream, buffer, offset, length, position) => {
    const hooked = hookedFiles.get(stream.path)
    if (hooked === undefined) return read(stream, buffer, offset, length, position)
    const count = hooked.read(bytesOf(buffer, offset, length), position ?? stream.position)
    if (position === undefined) stream.position += count
    return count
  }
  files.write = (stream, buffer, offset, length, position) => {
    const hooked = hookedFiles.get(stream.path)
    if (hooked === undefined) return write(stream, buffer, offset, length, position)
    hooked.write(bytesOf(buffer, offset, length), position ?? stream.position)
    if (position === undefined) stream.position += length
    return length
  }
  files.llseek = (stream, offset, whence) => {
    const hooked = hookedFiles.get(stream.path)
    if (hooked === undefined || whence !== SEEK_END) return llseek(stream, offset, whence)
    stream.position = hooked.size() + offset
    return stream.position
  }
  files.ftruncate = (descriptor, size) => {
    const hooked = hookedFiles.get(files.getStreamChecked(descriptor).path)
    if (hooked === undefined) ftruncate(descriptor, size)
    else hooked.truncate(size)
  }
}

/** Emscripten's heap arrives signed, and is a new object after the heap has grown. */
function bytesOf(buffer: ArrayBufferView, offset: number, length: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length)
}
