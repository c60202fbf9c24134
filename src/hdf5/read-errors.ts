/** What is said of files that cannot be read. */
import { PypetError } from '../errors.ts'
import { notHdf5 } from './signature.ts'

/** The error for a file that is written faster than it is read. */
export function fileChanging(file: string, cause?: unknown): PypetError {
  return new PypetError('PYPET_FILE_CHANGING', `${file} was overwritten by its writer while it was read`, {
    where: file,
    hint: 'Try again, or read a copy: pypet-ts snapshot takes one at any time.',
    cause,
  })
}

export const CONTINUE_HINT =
  'Its experiment has just begun, or ended too early: `pypet-ts continue` goes on with it.'

/** The HDF5 library refuses a file; a file cut short has a reason of its own. */
export function cannotOpen(file: string, reason: string, cause?: unknown): PypetError {
  const cut = /truncated file: eof = (\d+).*stored_eof = (\d+)/.exec(reason)
  if (cut === null) return notHdf5(file, reason, 'The file may be damaged; `h5dump` tells more.', cause)
  const found = `it is cut short, ${cut[1]} of ${cut[2]} bytes are there`
  return notHdf5(file, found, 'Copy it again, or restore it from a backup.', cause)
}
