import { PypetError } from '../errors.ts'
import type { CntState } from '../journal/cnt-state.ts'
import { overviewPath } from '../names.ts'
import { type Hdf5Reader, openHdf5Reader } from '../reading/reader.ts'

/** How many runs of a trajectory its file says to be completed; 0 where it has no table of them. */
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

/** An older copy of the file in its place would cost the runs that it does not have. */
export async function assertHolds({ path, experiment, stored }: CntState): Promise<void> {
  const { file, trajectory } = experiment.request
  using reader = await openHdf5Reader(file)
  const completedCount = completedCountIn(reader, trajectory.name)
  if (completedCount === stored.count) return
  const found = `it holds ${completedCount} runs of ${trajectory.name}, of ${stored.count} that were stored`
  throw new PypetError('PYPET_CNT_FILE_MISMATCH', `${file} is not as ${path} left it: ${found}`, {
    where: file,
    hint: 'Put back the file that belongs to it.',
  })
}
