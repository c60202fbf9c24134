/** Restores the state of an HDF5 file that its `.cnt` file has committed. */
import { PypetError } from '../errors.ts'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import { CntJournal } from './cnt-journal.ts'
import type { CntState } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'

/**
 * Durably recovers the HDF5 file to the last commit, and notes this in the `.cnt` file, so that it never happens twice.
 * If killed half way, it is repeated. Does nothing if nothing is left to do.
 *
 * @throws PypetError `PYPET_CNT_FILE_MISMATCH` if the HDF5 file is missing, or is another file. It is not touched then.
 *   The disk's errors unchanged.
 */
export function recoverFile(state: CntState, system: DiskSystem = FILES): void {
  if (state.isApplied) return
  // A new file is put in place when its first commit is durable. Any file there now is someone else's.
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

/** Checks that nobody has replaced the file with another one, or another version of it. */
function checkFile(state: CntState, disk: Disk): void {
  const size = disk.size()
  if (size < state.fileBytes) throw mismatch(state, `it has ${size} of ${state.fileBytes} committed bytes`)
  const head = new Uint8Array(SUPERBLOCK_BYTES)
  const superblock = superblockOf(head.subarray(0, disk.read(head, 0)))
  if (!state.knownSuperblocks.includes(superblock))
    throw mismatch(state, 'another program has written to it since')
}

function mismatch({ path, experiment }: CntState, found: string): PypetError {
  const { file } = experiment.request
  return new PypetError('PYPET_CNT_FILE_MISMATCH', `${file} does not match ${path}: ${found}`, {
    where: file,
    hint: 'Restore the file that belongs to it. Or remove the .cnt file, and keep the HDF5 file as it is.',
  })
}
