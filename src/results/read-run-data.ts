import { readHdf5 } from '../reading/read-hdf5.ts'
import { chooseTrajectory } from './choose-trajectory.ts'
import { RunData } from './run-data.ts'

/**
 * Reads from the columns of a trajectory, as of the last commit. The file is open only meanwhile. If a writer has moved
 * on, which happens if locks do not work, `read` is called again.
 *
 * @param options.trajectory its name, if the file holds several
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NO_TRAJECTORY`,
 *   `PYPET_TRAJECTORY_NOT_FOUND`, `PYPET_FILE_CHANGING`, and what `read` throws
 */
export function readRunData<Value>(
  file: string,
  { trajectory }: { readonly trajectory?: string | undefined },
  read: (data: RunData) => Value,
): Promise<Value> {
  return readHdf5(file, (reader) => read(RunData.open(reader, chooseTrajectory(reader, trajectory))))
}
