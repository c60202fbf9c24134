/**
 * Where the processes and threads of an experiment connect: a socket in a folder that only this user can enter, or a
 * named pipe.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cannotWrite, systemRefusal } from '../../errors.ts'
import { makeTemporaryFolder, SHORT_FOLDER, temporaryPrefix } from '../../temporary-names.ts'

/** Longest path of a socket: macOS allows 104 bytes, including a final NUL. */
const SOCKET_PATH_BYTES_MAX = 103

export class LocalAddress {
  readonly path: string
  readonly #folder: string
  readonly #remove = () => this.remove()

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if it cannot be created */
  constructor(name: string) {
    this.#folder = makeSocketFolder()
    this.path = socketPath(this.#folder, name)
    process.on('exit', this.#remove)
  }

  remove(): void {
    process.off('exit', this.#remove)
    removeSocketFolder(this.#folder)
  }
}

/** A process that is still writing into it removes its own files. */
export function removeSocketFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 5 })
  } catch {
    // At exit, an error would stop the other cleanups.
  }
}

/** The address of a socket in a folder of `makeSocketFolder`. On Windows a named pipe, which is in no folder. */
export function socketPath(folder: string, name: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\pypet-ts-${name}-${folder.slice(-6)}-${process.pid}`
    : join(folder, `${name}.sock`)
}

/** Creates a folder that only this user can enter, with a path short enough for a socket in it. */
export function makeSocketFolder(): string {
  const path = (folder: string) => `${join(folder, temporaryPrefix('writer-'))}XXXXXX`
  const isTooLong =
    process.platform !== 'win32' && Buffer.byteLength(`${path(tmpdir())}/runs.sock`) > SOCKET_PATH_BYTES_MAX
  const within = isTooLong ? SHORT_FOLDER : tmpdir()
  try {
    return makeTemporaryFolder('writer-', within)
  } catch (cause) {
    throw cannotWrite(path(within), `cannot create a folder there: ${systemRefusal(cause).found}`, {
      hint: 'Set TMPDIR to an existing, writable folder.',
      cause,
    })
  }
}
