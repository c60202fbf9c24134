/**
 * The messages between processes and threads: types only, no logic.
 *
 *     main ──ToWriter──► writer process        over the IPC channel
 *     main ◄─FromWriter─ writer process
 *     worker ──run frame──► writer process     over a local socket, see run/run-frame
 *     main ──ThreadTask──► pool thread         a Piscina task; its result is a ThreadResult
 *     main ◄─FromWorker─ pool thread           log lines
 *     main ──ToRunProcess──► process of a run  over the IPC channel
 *     main ◄─FromRunProcess─ process of a run
 */
import type { ErrorRecord } from './errors.ts'
import type { ExplorationSpec } from './exploration/exploration.ts'
import type { ExplorationPlan } from './exploration/run-point.ts'
import type { Layout } from './names.ts'
import type { LogLevel } from './run/log-level.ts'
import type { Parameter } from './run/parameter.ts'
import type { PointValues } from './run/parameter-view.ts'
import type { RawGroup, RawLeaf } from './run/run-frame.ts'
import type { LinkRecord } from './run/run-record.ts'
import type { PartsPlace, StoredBeforeAnswer } from './run/stored-items.ts'
import type { RunNodes } from './tree/run-nodes.ts'
import type { RunIndex } from './values/path.ts'
import type { RawValue } from './values/raw-value.ts'

/** Main → writer, in order. `open` comes first, then `finish` and `close`. */
export type ToWriter =
  /** Answered by `opened`, or by `refused` if the file was not touched. */
  | { readonly type: 'open'; readonly request: OpenRequest; readonly breakLock: boolean }
  /** Instead of `open`: recovers the file of an unfinished trajectory and resumes it. Same answers. */
  | { readonly type: 'continue'; readonly request: ContinueRequest }
  /** The answer to `values-wanted`. */
  | { readonly type: 'values'; readonly values: readonly RawValue[] }
  /** Marks the run as failed unless it is already stored. Answered by a `committed` that names it. */
  | { readonly type: 'fail-run'; readonly failure: RunFailure }
  /** No more runs start for now. From here on, the writer commits without waiting for more runs. */
  | { readonly type: 'finish' }
  /** The trajectory grows, so more runs may start. Answered by `extended`. */
  | { readonly type: 'extend'; readonly extension: Extension }
  /** No more runs come. Answered by `closed`, after which the writer exits. */
  | { readonly type: 'close'; readonly ending: Ending }

/** Writer → main. */
export type FromWriter =
  /** The file holds the trajectory and its parameters, committed. */
  | { readonly type: 'opened'; readonly opened: Opened }
  /** Before `opened`: the first commit needs explored lists and arrays, and those from this number on are missing. */
  | { readonly type: 'values-wanted'; readonly name: string; readonly first: number }
  /** A notice for the user that stops nothing, such as a stale lock taken over, or a wait for readers. */
  | { readonly type: 'notice'; readonly level: LogLevel; readonly message: string }
  /** These runs are in the file and survive the kill of any process. */
  | {
      readonly type: 'committed'
      readonly stored: readonly RunIndex[]
      readonly failed: readonly RunIndex[]
      /** Those of `failed` whose record arrived but could not be written. This is the first time main hears of them. */
      readonly refused: readonly RefusedRun[]
    }
  /** The extension is committed. If there is an error, the file was not touched. */
  | { readonly type: 'extended'; readonly error?: ErrorRecord }
  | { readonly type: 'refused'; readonly error: ErrorRecord }
  /** The writer cannot continue, and exits. Earlier commits are safe. */
  | { readonly type: 'broken'; readonly error: ErrorRecord }
  | { readonly type: 'closed'; readonly closed: Closed }

/** Everything that the file holds before the first run. Cloneable, without functions. */
export interface OpenRequest {
  readonly file: string
  readonly fileTitle: string
  /** Replace an existing file. Otherwise the trajectory is added to it. */
  readonly overwrite: boolean
  /** Keep the `.cnt` file after every run is stored. */
  readonly keepCnt: boolean
  /** False if the `.cnt` file only protects the HDF5 file during writing. */
  readonly continuable?: boolean
  /** The initial nodes of the trajectory, besides parameters and config. */
  readonly nodes?: Omit<Extension, 'added' | 'postprocessedCount'>
  /** The trajectory is already in the file. It gets more runs, and those that are not completed are performed. */
  readonly isExpansion?: boolean
  /** Points may be added during the experiment, so explored texts get spare room. */
  readonly mayGrow?: boolean
  /** The file is new or replaces another one, see `journal/replacement`. The writer fills this in. */
  readonly replacement?: {
    /** Name of the temporary file next to it, which is renamed when the first commit is durable. */
    readonly writtenAs: string
    /** `superblockOf` the replaced file. Empty if there was none. */
    readonly replaces: string
    /** Its device and inode, which identify it as long as nothing was copied. Empty if there was none. */
    readonly replacesIdentity: string
    /** `environmentHexsha` of the experiments in the old file. Their `.cnt` files are obsolete once it is gone. */
    readonly supersedes: readonly string[]
  }
  /** Not an experiment: it adds, changes or merges nodes, and has nothing to run. */
  readonly isEdit?: boolean
  readonly trajectory: {
    readonly name: string
    readonly comment: string
    /** Seconds since 1970. */
    readonly timestamp: number
    /** What made the file, for the `info` table: `pypet-ts 0.1.0` and `Node.js 20.20.2`. */
    readonly version: string
    readonly runtimeVersion: string
    /** Identifies the first environment. It distinguishes this experiment from others, whatever environments follow. */
    readonly environmentHexsha: string
  }
  readonly parameters: readonly Parameter[]
  readonly exploration: ExplorationSpec | undefined
  /** Names relative to the branch `config`. */
  readonly config: readonly Parameter[]
  readonly storage: StorageSettings
  readonly continuation: Continuation
}

/** What `continue` needs besides the trajectory. The writer stores it in the `.cnt` file without reading it. */
export interface Continuation {
  readonly job: JobIdentity
  /** The resolved options, by name. Paths are written as absolute paths. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Arguments of the job, as structured-clone bytes: one set for all runs, or one list per run. */
  readonly args?: Uint8Array
  readonly runArgs?: Uint8Array
  /** Instead of these: the arguments live in the process of a script, which must pass them again. */
  readonly argsOfScript?: {
    readonly script: string
    readonly found: string
    /** Which runs had their own arguments: half-open ranges. */
    readonly runs?: readonly number[]
  }
  /** How jobs search the tree, if not in the default way. */
  readonly tree?: Pick<RunNodes, 'noClobber' | 'shortcuts' | 'maxDepth'>
  /** Which environment's `config` this is, so that a continued experiment ends under the same names. */
  readonly environmentName: string
  /** Set if that environment is later than the first one: see `RunEnvironment`. */
  readonly environment?: Pick<RunEnvironment, 'hexsha' | 'timestamp'>
}

/** The environment of all later runs, if an experiment resumes with a changed job. */
export interface RunEnvironment {
  /** `environment_83c1a34_2026_11_22_17h32m44s`, a separate group of `config.environment`. */
  readonly name: string
  /** The rows of these runs refer to it. */
  readonly hexsha: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly job: JobIdentity
}

/** Identifies a job module, to find it again and to notice changes. */
export interface JobIdentity {
  /** Absolute path of the user's source file. */
  readonly file: string
  /** The same path, relative to the folder of the `.cnt` file: finds the job after the folder was moved. */
  readonly relativeFile: string
  /** SHA-256 of the bundle. Does not depend on paths of this machine. */
  readonly sha256: string
  /** A function passed by a script. It is not in a module, so only the script can resume it. */
  readonly isFunction?: boolean
  /** The source files in the bundle, relative to the folder of the job, each with its SHA-256. */
  readonly sources: Readonly<Record<string, string>>
}

export interface ContinueRequest {
  readonly cntFile: string
  readonly breakLock: boolean
  /** Retry failed runs. */
  readonly retryFailed: boolean
  /** Replaces the settings in the `.cnt` file, as far as changes are allowed. */
  readonly storage: StorageSettings
  readonly keepCnt: boolean
  /** The job has changed, and this was allowed: later runs belong to this environment. */
  readonly environment?: RunEnvironment
  /** The `config` of that environment. */
  readonly config: readonly Parameter[]
  /** Longest wait for another process that holds the lock of the file. Default: no wait. */
  readonly lockWaitMs?: number
}

/** What the writer found or made. Ranges are half-open: `[0, 5, 7, 8]` is 0 to 4, and 7. */
export interface Opened {
  readonly cntFile: string
  readonly stored: readonly number[]
  readonly failed: readonly number[]
  /** When the very first run started, in seconds since 1970. Undefined before that. */
  readonly startTimestamp: number | undefined
  /** How many runs had ended when post-processing last looked at them. -1 if it must look again. */
  readonly postprocessedCount: number
}

export interface Ending {
  /** Known only at the end. Ignored unless `isComplete`. */
  readonly config: readonly Parameter[]
  /** Every run has ended, stored or failed. Otherwise you can resume the trajectory with `continue`. */
  readonly isComplete: boolean
}

export interface Closed {
  /** The `.cnt` file. Undefined if it was removed because every run is stored. */
  readonly cntFile: string | undefined
  /** Readers blocked the last pages of the HDF5 file. Without its `.cnt` file, it is incomplete. */
  readonly isBehind?: true
}

/** How to write the file. Names as in pypet's `config.hdf5`. */
export interface StorageSettings {
  readonly complevel: number
  readonly purgeDuplicateComments: boolean
  /** Each run's group gets a table of its explored parameters. */
  readonly exploredParameterOverviewInRuns: boolean
  /** Expected rows per run in the overviews, 0 if unknown. */
  readonly resultsPerRun: number
  readonly derivedParametersPerRun: number
  /** Longest time that a run stays uncommitted while others keep arriving. */
  readonly commitIntervalMs: number
  /** Longest wait for readers of the file, used if too much would otherwise accumulate. */
  readonly readerWaitMs: number
  /** Smaller `.cnt` files are not compacted. */
  readonly cntCompactBytes: number
  /** Where results are: below their runs, or in columns where they fit. */
  readonly layout: Layout
  readonly overviews: {
    readonly columns: boolean
    readonly config: boolean
    readonly parameters: boolean
    readonly derivedParameters: boolean
    readonly results: boolean
    readonly exploredParameters: boolean
    readonly derivedParametersSummary: boolean
    readonly resultsSummary: boolean
  }
}

/** What a trajectory gains during its experiment: from post-processing, or from a script before the first run. */
export interface Extension {
  /** Points after the existing ones. They name exactly the explored parameters, or any if none is explored. */
  readonly added?: ExplorationSpec
  /** Groups with a comment or annotations, parents first. Groups of leaves are created when needed. */
  readonly groups: readonly RawGroup[]
  /** Leaves of any branch, by full name. */
  readonly leaves: readonly RawLeaf[]
  readonly links: readonly LinkRecord[]
  /** How many ended runs post-processing has seen. It does not need to see them again. */
  readonly postprocessedCount?: number
  /** The complete provenance of the environment is among the leaves. Later sessions do not repeat it. */
  readonly hasProvenance?: true
}

/** A failed run, as recorded in the file. */
export interface RunFailure {
  readonly run: RunIndex
  readonly error: ErrorRecord
  /** How often the run was attempted: 1 unless it was retried. */
  readonly attempts: number
  /** Start of the last attempt, in seconds since 1970. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
}

/** A run that the writer had to mark as failed, and why. */
export interface RefusedRun {
  readonly run: RunIndex
  readonly error: ErrorRecord
}

/** What every worker knows from its start. */
export interface WorkerSetup {
  /** The bundled job, see experiment/load-job. */
  readonly job: JobLocation
  readonly parameters: readonly Pick<Parameter, 'name' | 'value' | 'stored' | 'userClass'>[]
  /** What else the trajectory holds when the runs begin, for jobs that read its tree. Undefined for nothing. */
  readonly nodes?: RunNodes | PackedNodes | NodesInFile
  /** Seed of the experiment. A run's own seed is made from it and the run's parameter values. */
  readonly seed: number
  /** The least number of runs to expect. */
  readonly runCount: number
  /** A thread computes the points of these runs itself. Undefined if it is sent each point. */
  readonly plan?: ExplorationPlan
  /** Arguments of the job after `traj`. Cloneable. */
  readonly args: readonly unknown[]
  /** Post-processing wants the jobs' return values, so main gets them. */
  readonly tellsReturned: boolean
  readonly storage: WorkerStorage
  /** Where to keep what jobs store before their run ends. */
  readonly parts: PartsPlace
  /** Lines below this level are not sent. */
  readonly logLevel: LogLevel
  /** What the job prints becomes a log line. Otherwise it goes to the terminal, whatever the log level. */
  readonly logStdout: boolean
  /** A run that takes longer is stopped. 0 for no limit. */
  readonly timeoutMs: number
  /** Priority of the threads and processes of runs, as in `nice`. 0 changes nothing. */
  readonly niceness: number
}

/** `RunNodes` in the form in which they are sent to a worker. */
export interface PackedNodes {
  /** JSON. */
  readonly text: string
  /** Threads share them. */
  readonly bytes: Uint8Array
  readonly noClobber?: boolean
}

/** Packed nodes in a temporary file, for processes. A process reads it only if its job asks for something in it. */
export interface NodesInFile {
  readonly file: string
  /** The text comes first. */
  readonly textBytes: number
  readonly noClobber?: boolean
}

/** How a worker stores its runs. */
export type WorkerStorage =
  /** It hands them to the writer process. */
  | {
      readonly kind: 'queue'
      readonly address: string
      /** Runs may be packed, see `run/run-rows`. */
      readonly takesRows?: true
    }
  /** A module stores them: `openRecordStore(data)` of the module at this address returns a `RecordStore`. */
  | { readonly kind: 'module'; readonly url: string; readonly data: unknown }

/** A bundled job that any thread can import. */
export interface JobLocation {
  /** `file:` URL of the bundle. */
  readonly url: string
  /** The user's source file, for messages. */
  readonly file: string
  /** Classes that restore parameters and are not part of the job. */
  readonly classes?: readonly ClassAddress[]
}

/** A bundled module of classes. With another kind of URL: classes that only main has. */
export interface ClassAddress {
  readonly url: string
  readonly file: string
  readonly names: readonly string[]
}

/** Runs to perform, one after the other. */
export interface RunRange {
  /** The first one. */
  readonly run: RunIndex
  readonly count: number
  /** 1 for the first attempt, more for a retry. */
  readonly attempt: number
  /** How many runs there are. */
  readonly runCount: number
  /** Arguments for this run only, instead of the common ones. Then the range is one run. */
  readonly args?: readonly unknown[]
}

/** Main → pool thread. */
export interface ThreadTask extends RunRange {
  /** The point of each run, unless the thread can compute it from its plan. */
  readonly points?: readonly PointValues[]
  /** Shared memory, see `executors/shared-range`. */
  readonly numbers: Int32Array
  /** Shared memory for runs that can be packed, see `executors/shared-rows`. Absent if each is sent by itself. */
  readonly rows?: SharedArrayBuffer
}

/** Pool thread → main: what became of a range. The shared memory says how far it came. */
export interface ThreadResult {
  /** Of the first run, in seconds since 1970. Infinite if none has begun. */
  readonly startTimestamp: number
  readonly elapsedMs: number
  /** Returned by the last run, which is handed over, but not counted in the shared memory: see `RunOutcome`. */
  readonly returned?: Uint8Array
  /** Of the last run. */
  readonly failure?: RunFailure
}

/** One run to perform. */
export interface RunTask {
  readonly run: RunIndex
  /** 1 for the first attempt, more for a retry. */
  readonly attempt: number
  readonly point: PointValues
  /** How many runs there are. */
  readonly runCount: number
  /** Arguments for this run only, instead of the common ones. */
  readonly args?: readonly unknown[]
}

/** `handed-over`: the writer's socket has the whole record. The writer reports it when it is stored. */
export type RunOutcome =
  | {
      readonly state: 'handed-over'
      /** The first of `count` runs, one after the other. */
      readonly run: RunIndex
      readonly count: number
      /** Of the first run, in seconds since 1970. */
      readonly startTimestamp: number
      /** The return value of a single run's job as structured-clone bytes, if main wants it. */
      readonly returned?: Uint8Array
    }
  | { readonly state: 'failed'; readonly failure: RunFailure }

/** Pool thread → main, at any time. */
export type FromWorker = WorkerLine | RunBegun | PriorityRefused

/** Pool thread → main. Answered at the port by one message, a `StoredBeforeAnswer`. */
export interface ReadBefore<Port> {
  readonly type: 'read-before'
  readonly name: string
  readonly port: Port
}

/** The worker starts this run, so its time limit starts. Threads send this only if there is a time limit. */
interface RunBegun {
  readonly type: 'begun'
  readonly run: RunIndex
}

/** The system refused the niceness of the setup. The worker continues with its current priority. */
interface PriorityRefused {
  readonly type: 'priority-refused'
  readonly reason: string
}

/** Main → process of a run, in order: first `load`, once; then `perform`, once. */
export type ToRunProcess =
  /** Answered by `ready`, or by `unable`. */
  | { readonly type: 'load'; readonly setup: WorkerSetup }
  /** Answered by `begun`, then by `ended` or `unable`. Then the process exits. */
  | { readonly type: 'perform'; readonly task: RunTask }
  /** To the `read-before` of this number. */
  | { readonly type: 'read'; readonly number: number; readonly answer: StoredBeforeAnswer }

/**
 * Process of a run → main. If a process has sent `begun` and then exits without `ended` or `unable`, its run has
 * failed. Main numbers the workers: lines from here have 0.
 */
export type FromRunProcess =
  | FromWorker
  /** The job is loaded. */
  | { readonly type: 'ready' }
  | { readonly type: 'ended'; readonly outcome: RunOutcome }
  /** Answered by `read`. */
  | { readonly type: 'read-before'; readonly name: string; readonly number: number }
  /** No run can be performed: the job does not load here, or the writer is gone. */
  | { readonly type: 'unable'; readonly error: ErrorRecord }

export interface WorkerLine {
  readonly type: 'log'
  readonly level: LogLevel
  readonly message: string
  readonly worker: number
  readonly run?: RunIndex
  /** An error after the run had ended. It fails no run, but results may be missing. */
  readonly isStray?: true
  /** Output of the job for the terminal, not for the logs. */
  readonly printedTo?: 'stdout' | 'stderr'
}
