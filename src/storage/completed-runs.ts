import { PypetError } from '../errors.ts'
import type { CntState } from '../journal/cnt-state.ts'
import { overviewPath } from '../names.ts'
import { type Hdf5Reader, openHdf5Reader } from '../reading/reader.ts'

/** Number of completed runs of a trajectory according to its file. 0 if it has no table of runs. */
export function completedCountIn(reader: Hdf5Reader, trajectory: string): number {
  const runs = overviewPath(`/${trajectory}`, 'runs')
  let count = 0
  if (reader.kind(runs) === 'dataset') {
    reader.scanRows(runs, ['completed'], (_, [completed]) => {
      if (completed === 1) count += 1
    })
  }
  return count
}

/** Refuses an older copy of the file: the runs that it lacks would be lost. */
export async function assertHolds({ path, experiment, stored }: CntState): Promise<void> {
  const { file, trajectory } = experiment.request
  using reader = await openHdf5Reader(file)
  const completedCount = completedCountIn(reader, trajectory.name)
  if (completedCount === stored.count) return
  const found = `it holds ${completedCount} of ${stored.count} stored runs of ${trajectory.name}`
  throw new PypetError('PYPET_CNT_FILE_MISMATCH', `${file} does not match ${path}: ${found}`, {
    where: file,
    hint: 'Restore the file that belongs to it.',
  })
}
