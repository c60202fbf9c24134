/** Writes a file that appears complete and durable, or not at all. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { cannotWrite, isPypetError, PypetError, systemRefusal } from '../errors.ts'
import { FILES } from '../journal/disk.ts'
import { removeTemporary, sweepBeside, temporaryBeside, undoAtExit } from '../temporary-names.ts'

/** Takes the bytes of the file in order. */
export interface Output {
  /** The temporary path, for libraries that write a file themselves. */
  readonly path: string
  write(data: Uint8Array | string): void
}

export interface OutputOptions {
  /** Replaces an existing file. */
  readonly force: boolean
  /** How the user allows that: `--force`. */
  readonly forceName: string
  /** Throws if what was written must not get its name. */
  readonly check?: () => void
}

/**
 * Lets `produce` write a file under a temporary name, and gives it its name when it is durable. On an error, or if the
 * process ends meanwhile, nothing is left, and an existing file stays.
 *
 * @throws PypetError `PYPET_USAGE` if the file exists or its folder does not; `PYPET_FILE_NOT_WRITABLE`; and what `produce`
 *   throws
 */
export async function writeOutput<Value>(
  path: string,
  options: OutputOptions,
  produce: (output: Output) => Promise<Value>,
): Promise<Value> {
  checkOutput(path, options)
  // A symbolic link still leads to the same file afterwards.
  const place = existsSync(path) ? realpathSync(path) : resolve(path)
  sweepBeside(place)
  const temporary = temporaryBeside(place, 'export')
  const removed = undoAtExit(() => removeTemporary(temporary))
  let descriptor: number | undefined
  try {
    descriptor = openSync(temporary, 'wx+')
    const to = descriptor
    const value = await produce({
      path: temporary,
      write: (data) => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data
        for (let at = 0; at < bytes.byteLength; ) at += writeSync(to, bytes, at)
      },
    })
    fsyncSync(descriptor)
    options.check?.()
    renameSync(temporary, place)
    FILES.syncFolderOf(place)
    return value
  } catch (cause) {
    if (isPypetError(cause) || !isSystemError(cause)) throw cause
    throw cannotWrite(path, systemRefusal(cause).found, {
      hint: 'Check the folder, its permissions and the free space, or choose another file.',
      cause,
    })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
    removed()
  }
}

/** @throws PypetError as `writeOutput`. Call it before long work. */
export function checkOutput(path: string, { force, forceName }: OutputOptions): void {
  const refuse = (found: string, hint: string) =>
    new PypetError('PYPET_USAGE', `cannot write ${path}: ${found}`, { where: path, hint })
  const folder = dirname(resolve(path))
  const above = statSync(folder, { throwIfNoEntry: false })
  if (above === undefined)
    throw refuse(`the folder ${folder} does not exist`, `Create it: mkdir -p ${folder}`)
  if (!above.isDirectory()) throw refuse(`${folder} is not a folder`, 'Choose another path.')
  const existing = statSync(path, { throwIfNoEntry: false })
  if (existing?.isDirectory() === true) throw refuse('it is a folder', 'Choose the name of a file.')
  if (existing !== undefined && !existing.isFile())
    throw refuse('it is not a regular file', 'Choose another path.')
  if (existing !== undefined && !force)
    throw refuse('it exists', `Replace it with ${forceName}, or choose another name.`)
}

function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && typeof (cause as NodeJS.ErrnoException).syscall === 'string'
}
