/**
 * The file operations that a transaction needs: bytes at positions, and a call that makes them durable. Everything that
 * must survive a crash goes through here, so that tests can replace the disk.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** One open file. Every method throws the error of the operating system (`ENOSPC`, `EIO`, ...). */
export interface Disk {
  /** The descriptor, if there is one, to lock the file. */
  readonly descriptor?: number
  size(): number
  /** Fills `target` from `position` on. Returns the number of bytes read. */
  read(target: Uint8Array, position: number): number
  /** Writes all of `source`. Not durable before `sync`. */
  write(source: Uint8Array, position: number): void
  truncate(size: number): void
  /** Makes all writes so far durable, and the size. */
  sync(): void
  close(): void
}

/** The operations on files as a whole. */
export interface DiskSystem {
  /** Opens an existing file. */
  open(path: string, access: 'read' | 'write'): Disk
  /** Creates an empty file, replacing an existing one. Its name is durable after `syncFolderOf`. */
  create(path: string): Disk
  exists(path: string): boolean
  rename(from: string, to: string): void
  /** Does nothing if the file does not exist. */
  remove(path: string): void
  /** Makes created, renamed and removed names in the folder of this path durable. */
  syncFolderOf(path: string): void
}

export class FileDisk implements Disk {
  readonly descriptor: number

  constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  size(): number {
    return fstatSync(this.descriptor).size
  }

  read(target: Uint8Array, position: number): number {
    let done = 0
    while (done < target.byteLength) {
      const count = readSync(this.descriptor, target, done, target.byteLength - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  write(source: Uint8Array, position: number): void {
    let done = 0
    while (done < source.byteLength) {
      // A nearly full disk takes only a part. The next write reports the error.
      done += writeSync(this.descriptor, source, done, source.byteLength - done, position + done)
    }
  }

  truncate(size: number): void {
    ftruncateSync(this.descriptor, size)
  }

  sync(): void {
    fdatasyncSync(this.descriptor)
  }

  close(): void {
    closeSync(this.descriptor)
  }
}

/** The files of this machine. */
export const FILES: DiskSystem = {
  open: (path, access) => new FileDisk(openSync(path, access === 'read' ? 'r' : 'r+')),
  create: createExclusively,
  exists: existsSync,
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
  syncFolderOf(path) {
    // Windows cannot open folders, and makes them durable in other ways.
    if (process.platform === 'win32') return
    let descriptor: number | undefined
    try {
      descriptor = openSync(dirname(path), 'r')
      fsyncSync(descriptor)
    } catch (cause) {
      // Without read permission, or on such a file system, the folder can still hold the file.
      if (!UNSYNCABLE.has((cause as NodeJS.ErrnoException).code ?? '')) throw cause
    } finally {
      if (descriptor !== undefined) closeSync(descriptor)
    }
  },
}

/** Creates a new file in place of an existing one. Removes a planted link instead of following it. */
export function createExclusively(path: string): Disk {
  try {
    return new FileDisk(openSync(path, 'wx+'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    rmSync(path, { force: true })
    return new FileDisk(openSync(path, 'wx+'))
  }
}

const UNSYNCABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS'])
