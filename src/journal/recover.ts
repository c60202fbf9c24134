/** Makes an HDF5 file what its `.cnt` file says was committed. */
import { PypetError } from '../errors.ts'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import { CntJournal } from './cnt-journal.ts'
import type { CntState } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'

/**
 * Recovers the HDF5 file as of the last commit, durably, and notes in the `.cnt` file that it was done, so that
 * it is never done twice. Killed half way, it is done again. Does nothing where nothing is to be done.
 *
 * @throws PypetError `PYPET_CNT_FILE_MISMATCH` when the HDF5 file is missing, or another one; it is untouched
 *   then. The disk's errors unchanged.
 */
export function recoverFile(state: CntState, system: DiskSystem = FILES): void {
  if (state.isApplied) return
  // A new file is in its place when its first commit is durable: what is there now is somebody else's.
  if (state.lastSequence === 0 && state.experiment.baseBytes === 0) return
  const { file } = state.experiment.request
  if (!system.exists(file)) {
    throw mismatch(state, 'it is missing')
  }
  const disk = system.open(file, 'write')
  try {
    checkFile(state, disk)
    for (const { offset, bytes } of state.pages) disk.write(bytes, offset)
    disk.truncate(state.fileBytes)
    disk.sync()
  } finally {
    disk.close()
  }
  const journal = CntJournal.resume(system, state)
  try {
    journal.appendApplied()
  } finally {
    journal.close()
  }
}

/** Nobody may have put another file, or another version of it, in its place. */
function checkFile(state: CntState, disk: Disk): void {
  const size = disk.size()
  if (size < state.fileBytes)
    throw mismatch(state, `it has ${size} bytes, of ${state.fileBytes} that were committed`)
  const head = new Uint8Array(SUPERBLOCK_BYTES)
  const superblock = superblockOf(head.subarray(0, disk.read(head, 0)))
  if (!state.knownSuperblocks.includes(superblock))
    throw mismatch(state, 'something else has written it since')
}

function mismatch({ path, experiment }: CntState, found: string): PypetError {
  const { file } = experiment.request
  return new PypetError('PYPET_CNT_FILE_MISMATCH', `${file} is not as ${path} left it: ${found}`, {
    where: file,
    hint: 'Put back the file that belongs to it; or remove the .cnt file, to take the HDF5 file as it is.',
  })
}
