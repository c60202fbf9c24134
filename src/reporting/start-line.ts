import type { ExperimentEvent } from '../events.ts'
import { formatRuns } from './quantity.ts'
import { shownPath } from './shown-path.ts'

/** `multiply: 12 runs on 2 cores into hdf5/multiply.h5`. */
export function describeStart(started: Extract<ExperimentEvent, { type: 'experiment-started' }>): string {
  const { trajectory, runCount, ncores, file } = started
  const cores = ncores === 1 ? '1 core' : `${ncores} cores`
  return `${trajectory}: ${formatRuns(runCount)} on ${cores} into ${shownPath(file)}`
}
