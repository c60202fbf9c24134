/** An experiment that is ready to run. */
import type { UserCode } from '../executors/user-code.ts'
import type { PostprocessFunction } from '../experiment/load-job.ts'
import type { OptionName, Settings } from '../experiment/options.ts'
import type { Origin } from '../experiment/origin.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import type { RunSet } from '../journal/run-set.ts'
import type { JobIdentity, JobLocation, OpenRequest, RunEnvironment } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import type { OwnClasses } from '../values/own-class.ts'
import type { RunIndex } from '../values/path.ts'
import type { EnvironmentIdentity } from './experiment-config.ts'
import type { JobArguments } from './job-arguments.ts'
import type { SeenNodes, TreeSettings } from './seen-nodes.ts'

/** How the trajectory is opened. */
export type Opening =
  | { readonly kind: 'new' }
  /** The trajectory is in the file and has runs that are not completed. */
  | { readonly kind: 'expand' }
  | {
      readonly kind: 'continue'
      readonly cntFile: string
      /** Runs that earlier executions of this experiment have stored. */
      readonly ownStored: RunSet
      /** Failed runs are repeated. */
      readonly retryFailed: boolean
      /** Only these runs; default: all missing ones. */
      readonly only: RunSet | undefined
      /** A continued experiment ends under the environment name that its last job started with. */
      readonly identity: EnvironmentIdentity
      /** The job has changed, which was allowed: its runs belong to this environment, with that identity. */
      readonly environment: RunEnvironment | undefined
    }

/** Everything is checked. Nothing has started, and no file but the bundle is written. */
export interface PreparedExperiment extends AsyncDisposable {
  readonly settings: Settings
  readonly origins: Readonly<Record<OptionName, Origin>>
  readonly job: JobLocation
  /** The config file, if there is one. */
  readonly configFile?: string | undefined
  /** Distinguishes the job from a changed one, and finds it again from a folder. */
  readonly identifyJob: (folder: string) => JobIdentity
  readonly opening: Opening
  readonly parameters: readonly Parameter[]
  readonly plan: ExplorationPlan
  /** What job and config file do in this thread, from loading on. */
  readonly userCode: UserCode
  readonly args: JobArguments
  /** Of this execution, if a script knows it in advance. */
  readonly identity?: EnvironmentIdentity
  /** Nodes that a script has added to the trajectory, besides parameters and config. */
  readonly nodes?: OpenRequest['nodes']
  /** What else jobs see of a trajectory that is already stored, or of a resumed experiment. */
  readonly seen?: SeenNodes
  /** The first run to compute. Default: 0. */
  readonly seenFrom?: RunIndex
  readonly tree?: TreeSettings | undefined
  /** Options that have no effect; reported when the experiment starts. */
  readonly warnings?: readonly string[]
  /** The job's own classes. */
  readonly classes?: OwnClasses
  /** The job's own post-processing. */
  readonly postprocess: PostprocessFunction | undefined
}
