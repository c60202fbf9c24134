import { availableParallelism } from 'node:os'
import type { ExperimentEvent } from '../events.ts'
import { formatCount, formatRuns } from './quantity.ts'
import { shownPath } from './shown-path.ts'

/**
 * `multiply: 12 runs on 2 cores into hdf5/multiply.h5`; of a continued one `multiply: 5 of 12 runs left, on 2 cores ...`. On
 * one core of several it says how to use them.
 *
 * @param coreCount that this process may use
 */
export function describeStart(
  started: Extract<ExperimentEvent, { type: 'experiment-started' }>,
  coreCount = availableParallelism(),
): string {
  const { trajectory, runCount, ncores, file, isInService, storedCount, failedCount } = started
  const leftCount = runCount - storedCount - failedCount
  const hasIdleCores = ncores === 1 && coreCount > 1 && leftCount > 1
  const idle = hasIdleCores ? ` (--ncores 0 uses all ${coreCount})` : ''
  const cores = ncores === 1 ? `1 core${idle}` : `${ncores} cores`
  const runs =
    leftCount === runCount
      ? formatRuns(runCount)
      : `${formatCount(leftCount)} of ${formatRuns(runCount)} left,`
  return `${trajectory}: ${runs} on ${cores} into ${isInService ? 'the storage service' : shownPath(file)}`
}
