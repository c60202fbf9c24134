import { open, stat } from 'node:fs/promises'
import { PypetError, systemRefusal } from '../errors.ts'

/** `\x89HDF\r\n\x1a\n`, the first bytes of a superblock. */
const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
/** A superblock is at 0, 512, 1024, 2048 and so on. Larger user blocks are not searched. */
const USER_BLOCK_BYTES_MAX = 1 << 26

/**
 * Checks that a file can be given to the HDF5 library: it exists, is a regular file, is readable, and has HDF5's
 * signature (HDF5 file format specification, section II.A).
 *
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`
 */
export async function checkSignature(file: string): Promise<void> {
  const notFound = (found: string, cause: unknown, hint?: string) =>
    new PypetError('PYPET_FILE_NOT_FOUND', `cannot open ${file}: ${found}`, { where: file, cause, hint })
  const refused = (cause: unknown) => {
    const { found, hint } = systemRefusal(cause)
    return notFound(found, cause, hint ?? 'Check the path and the permissions of the file.')
  }
  let stats: Awaited<ReturnType<typeof stat>>
  try {
    stats = await stat(file)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw refused(cause)
    throw notFound('the file does not exist', cause, 'Check the path. `pypet-ts run` prints it when it ends.')
  }
  if (stats.isDirectory())
    throw notHdf5(file, 'it is a directory', 'Give the path of the .h5 file inside it.')
  // Opening a named pipe would wait forever.
  if (!stats.isFile()) throw notHdf5(file, 'it is not a regular file')
  if (stats.size === 0) throw notHdf5(file, 'it is empty')
  let hasSignature: boolean
  try {
    hasSignature = await findSignature(file, stats.size)
  } catch (cause) {
    throw refused(cause)
  }
  if (!hasSignature) throw notHdf5(file, "it has no HDF5 signature ('\\x89HDF')")
}

/** The error for a file that the HDF5 library cannot open. */
export function notHdf5(file: string, found: string, hint?: string, cause?: unknown): PypetError {
  return new PypetError('PYPET_FILE_NOT_HDF5', `cannot read ${file} as HDF5: ${found}`, {
    where: file,
    hint: hint ?? 'Choose a file that pypet-ts or pypet wrote.',
    cause,
  })
}

async function findSignature(file: string, fileBytes: number): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const bytes = Buffer.alloc(SIGNATURE.length)
    for (let at = 0; at < Math.min(fileBytes, USER_BLOCK_BYTES_MAX); at = at === 0 ? 512 : at * 2) {
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, at)
      if (bytesRead === bytes.length && bytes.equals(SIGNATURE)) return true
    }
    return false
  } finally {
    await handle.close()
  }
}
