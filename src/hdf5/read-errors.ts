/** Errors for files that cannot be read. */
import { PypetError } from '../errors.ts'
import { notHdf5 } from './signature.ts'

/** The error for a file that changes faster than it is read. */
export function fileChanging(file: string, cause?: unknown): PypetError {
  return new PypetError('PYPET_FILE_CHANGING', `cannot read ${file}: its writer changed it during the read`, {
    where: file,
    hint: 'Try again, or read a copy. `pypet-ts snapshot` makes one at any time.',
    cause,
  })
}

export const CONTINUE_HINT =
  'Its experiment has just begun, or was interrupted. In that case, resume it with `pypet-ts continue`.'

/** The error if the HDF5 library refuses a file. A truncated file gets its own reason. */
export function cannotOpen(file: string, reason: string, cause?: unknown): PypetError {
  const cut = /truncated file: eof = (\d+).*stored_eof = (\d+)/.exec(reason)
  if (cut === null) return notHdf5(file, reason, 'The file may be damaged. Check it with `h5dump`.', cause)
  const found = `it is truncated (${cut[1]} of ${cut[2]} bytes)`
  return notHdf5(file, found, 'Copy it again, or restore it from a backup.', cause)
}
