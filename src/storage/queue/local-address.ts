/** Where processes and threads of one experiment meet: a socket in a folder that only this user can enter, or a named pipe. */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cannotWrite, systemRefusal } from '../../errors.ts'
import { makeTemporaryFolder, SHORT_FOLDER, temporaryPrefix } from '../../temporary-names.ts'

/** Longest path of a socket: macOS has 104 bytes for it, with a NUL at the end. */
const SOCKET_PATH_BYTES_MAX = 103

export class LocalAddress {
  readonly path: string
  readonly #folder: string
  readonly #remove = () => this.remove()

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` when there is no place for it */
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

/** Somebody may still be writing into it: that process removes what it has written. */
export function removeSocketFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 5 })
  } catch {
    // At the exit an error would keep the others who clear up from it.
  }
}

/** The address of a socket in a folder of `makeSocketFolder`; on Windows a named pipe, which lies in no folder. */
export function socketPath(folder: string, name: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\pypet-ts-${name}-${folder.slice(-6)}-${process.pid}`
    : join(folder, `${name}.sock`)
}

/** A fresh folder that only this user can enter, with room for the name of a socket in its path. */
export function makeSocketFolder(): string {
  const path = (folder: string) => `${join(folder, temporaryPrefix('writer-'))}XXXXXX`
  const isTooLong =
    process.platform !== 'win32' && Buffer.byteLength(`${path(tmpdir())}/runs.sock`) > SOCKET_PATH_BYTES_MAX
  const within = isTooLong ? SHORT_FOLDER : tmpdir()
  try {
    return makeTemporaryFolder('writer-', within)
  } catch (cause) {
    throw cannotWrite(path(within), `no folder can be created there: ${systemRefusal(cause).found}`, {
      hint: 'Set TMPDIR to a folder that exists and can be written to.',
      cause,
    })
  }
}
