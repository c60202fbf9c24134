/**
 * HDF5 takes two files of the same device and inode for one and gives their users the same memory of it. For a reader
 * that is wrong: a later opening would get an older state, when some error has left the older file open in the library
 * (h5wasm gives nothing back then), or when this process writes the file, too. So a reader opens it as one of its own.
 */
import { type H5Module, loadedH5wasm } from './h5wasm.ts'

interface EmscriptenFiles {
  fstat(descriptor: number): { ino: number; size: number }
  getStreamChecked(descriptor: number): { readonly path: string }
}

interface Identity {
  readonly inode: number
  readonly fileBytes: number | undefined
}

/** By the path that is opened. */
const identities = new Map<string, Identity>()
let identityCount = 0
let isInstalled = false

/**
 * A spelling of a path, once the library is loaded, under which HDF5 takes the file for one that nobody else has open;
 * of this size, or as large as it is.
 *
 * @returns the spelling, and what ends its meaning
 */
export function ownIdentity(
  path: { readonly folder: string; readonly name: string },
  fileBytes?: number,
): { readonly path: string; readonly end: () => void } {
  install(loadedH5wasm())
  identityCount += 1
  // Counted in ones and dots, so that a path stays short: `./` is a one, `.//` a zero.
  const digits = identityCount.toString(2).replaceAll('1', './').replaceAll('0', './/')
  const own = `${path.folder}/${digits}${path.name}`
  // File systems count inodes from the other end.
  identities.set(own, { inode: Number.MAX_SAFE_INTEGER - identityCount, fileBytes })
  return { path: own, end: () => void identities.delete(own) }
}

function install(module: H5Module): void {
  if (isInstalled) return
  isInstalled = true
  const files = (module as unknown as { FS: EmscriptenFiles }).FS
  const { fstat } = files
  files.fstat = (descriptor) => {
    const stats = fstat(descriptor)
    const identity = identities.get(files.getStreamChecked(descriptor).path)
    return identity === undefined
      ? stats
      : Object.assign(stats, { ino: identity.inode, size: identity.fileBytes ?? stats.size })
  }
}
