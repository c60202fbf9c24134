/** Checks whether a file can take a trajectory: finds what the writer would refuse, before the writer starts. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { cannotWrite } from '../errors.ts'
import { assertNameIsFree } from '../storage/open-trajectory.ts'

/**
 * Checks an experiment's file without running the experiment. Creates nothing.
 *
 * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NOT_WRITABLE`
 */
export async function checkTarget(settings: {
  readonly filename: string
  readonly name: string
  readonly overwrite: boolean
}): Promise<void> {
  const { filename, name, overwrite } = settings
  if (!overwrite && existsSync(filename) && statSync(filename).size > 0)
    await assertNameIsFree(filename, name)
  let existing = filename
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  if (existing !== filename && !statSync(existing).isDirectory()) {
    throw cannotWrite(filename, `${existing} is not a folder`)
  }
  try {
    accessSync(existing, constants.W_OK)
  } catch (cause) {
    throw cannotWrite(filename, `${existing} is not writable (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    })
  }
}
