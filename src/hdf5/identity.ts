/**
 * HDF5 treats files with the same device and inode as one file with one cache. That is wrong for a reader: a later open
 * would see an older state, if an error left the older file open in the library (h5wasm then frees nothing), or if this
 * process also writes the file. So a reader opens the file under a separate identity.
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

/** By the opened path. */
const identities = new Map<string, Identity>()
let identityCount = 0
let isInstalled = false

/**
 * A spelling of a path that HDF5 takes for a file that nobody else has open. It has this size, or its own. Needs the
 * loaded library.
 *
 * @returns the spelling, and a function that ends its meaning
 */
export function ownIdentity(
  path: { readonly folder: string; readonly name: string },
  fileBytes?: number,
): { readonly path: string; readonly end: () => void } {
  install(loadedH5wasm())
  identityCount += 1
  // A binary count in path parts, to keep the path short: `./` is a one, `.//` a zero.
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
