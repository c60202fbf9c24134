import type { Hdf5Reader } from './hdf5-reader.ts'

/** How many runs of a trajectory its file says to be completed; 0 where it has no table of them. */
export function completedCountIn(reader: Hdf5Reader, trajectory: string): number {
  const runs = `/${trajectory}/overview/runs`
  let count = 0
  if (reader.kind(runs) === 'dataset') {
    reader.scanRows(runs, ['completed'], (_, [completed]) => {
      if (completed === 1) count += 1
    })
  }
  return count
}
