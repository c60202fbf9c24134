import type { ExperimentEvent } from '../events.ts'
import { formatCount, formatRuns } from './quantity.ts'
import { shownPath } from './shown-path.ts'

/** `multiply: 12 runs on 2 cores into hdf5/multiply.h5`; of a continued one `multiply: 5 of 12 runs left, on 2 cores ...`. */
export function describeStart(started: Extract<ExperimentEvent, { type: 'experiment-started' }>): string {
  const { trajectory, runCount, ncores, file, isInService, storedCount, failedCount } = started
  const leftCount = runCount - storedCount - failedCount
  const cores = ncores === 1 ? '1 core' : `${ncores} cores`
  const runs =
    leftCount === runCount
      ? formatRuns(runCount)
      : `${formatCount(leftCount)} of ${formatRuns(runCount)} left,`
  return `${trajectory}: ${runs} on ${cores} into ${isInService ? 'the storage service' : shownPath(file)}`
}
