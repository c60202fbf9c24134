/** From what the user gave, files, flags and environment, to an experiment that can run. */
import type { Settings } from '../experiment/options.ts'
import type { ExplorationPlan } from '../exploration/expand.ts'
import type { JobLocation } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'

/** Everything is checked; nothing has been started, no file touched. */
export interface PreparedExperiment {
  readonly settings: Settings
  readonly job: JobLocation
  readonly parameters: readonly Parameter[]
  readonly plan: ExplorationPlan
}
