/** An experiment that can run, from whatever it was prepared. */
import type { UserCode } from '../executors/user-code.ts'
import type { PostprocessFunction } from '../experiment/load-job.ts'
import type { OptionName, Settings } from '../experiment/options.ts'
import type { Origin } from '../experiment/origin.ts'
import type { ExplorationPlan } from '../exploration/plan.ts'
import type { RunSet } from '../journal/run-set.ts'
import type { JobIdentity, JobLocation, OpenRequest, RunEnvironment } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import type { OwnClasses } from '../values/own-class.ts'
import type { RunIndex } from '../values/path.ts'
import type { EnvironmentIdentity } from './experiment-config.ts'
import type { JobArguments } from './job-arguments.ts'
import type { SeenNodes, TreeSettings } from './seen-nodes.ts'

/** How the trajectory comes to be open. */
export type Opening =
  | { readonly kind: 'new' }
  /** The trajectory is in the file and has runs that are not completed. */
  | { readonly kind: 'expand' }
  | {
      readonly kind: 'continue'
      readonly cntFile: string
      /** Runs that earlier executions of this experiment have stored. */
      readonly ownStored: RunSet
      /** Failed runs are performed again. */
      readonly retryFailed: boolean
      /** Only these runs are performed; all that are missing unless given. */
      readonly only: RunSet | undefined
      /** A continued experiment ends under the name of the environment that its last job began with. */
      readonly identity: EnvironmentIdentity
      /** The job has changed, and was allowed to: its runs are of this environment, which has that identity. */
      readonly environment: RunEnvironment | undefined
    }

/** Everything is checked; nothing has been started, and no file but the bundle written. */
export interface PreparedExperiment extends AsyncDisposable {
  readonly settings: Settings
  readonly origins: Readonly<Record<OptionName, Origin>>
  readonly job: JobLocation
  /** The config file, where there is one. */
  readonly configFile?: string | undefined
  /** What tells the job from a changed one, and finds it again from a folder. */
  readonly identifyJob: (folder: string) => JobIdentity
  readonly opening: Opening
  readonly parameters: readonly Parameter[]
  readonly plan: ExplorationPlan
  /** What job and config file do in this thread, from their loading on. */
  readonly userCode: UserCode
  readonly args: JobArguments
  /** Of this execution, where a script knows it beforehand. */
  readonly identity?: EnvironmentIdentity
  /** Nodes that a script has added to the trajectory, beside parameters and config. */
  readonly nodes?: OpenRequest['nodes']
  /** What jobs see of the trajectory beside that: of one that is stored already, or goes on. */
  readonly seen?: SeenNodes
  /** The first run that is to be performed; 0 unless given. */
  readonly seenFrom?: RunIndex
  readonly tree?: TreeSettings | undefined
  /** What was given and has no effect, to be said when the experiment begins. */
  readonly warnings?: readonly string[]
  /** The user's own classes that the job has. */
  readonly classes?: OwnClasses
  /** The job's own post-processing. */
  readonly postprocess: PostprocessFunction | undefined
}
