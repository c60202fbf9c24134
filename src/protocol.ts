/**
 * The conversations between processes and threads: types only, no logic.
 *
 *     main ──ToWriter──► writer process        over the IPC channel
 *     main ◄─FromWriter─ writer process
 *     worker ──run frame──► writer process     over a local socket, see run/run-frame
 *     main ──RunTask──► pool thread            a Piscina task; its result is a RunOutcome
 *     main ◄─FromWorker─ pool thread           log lines
 *     main ──ToRunProcess──► process of a run  over the IPC channel
 *     main ◄─FromRunProcess─ process of a run
 */
import type { ErrorRecord } from './errors.ts'
import type { ExplorationSpec } from './exploration/exploration.ts'
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
  /** Answered by `opened`, or by `refused` with the file untouched. */
  | { readonly type: 'open'; readonly request: OpenRequest; readonly breakLock: boolean }
  /** Instead of `open`: recovers the file of an unfinished trajectory and goes on with it. Answered alike. */
  | { readonly type: 'continue'; readonly request: ContinueRequest }
  /** The answer to `values-wanted`. */
  | { readonly type: 'values'; readonly values: readonly RawValue[] }
  /** The run ends as failed, unless it is stored already. Answered by a `committed` that names it. */
  | { readonly type: 'fail-run'; readonly failure: RunFailure }
  /** No more runs will begin for now: what arrives from here on is committed without waiting for others. */
  | { readonly type: 'finish' }
  /** The trajectory grows: more runs may begin. Answered by `extended`. */
  | { readonly type: 'extend'; readonly extension: Extension }
  /** No more runs come. Answered by `closed`, after which the writer exits. */
  | { readonly type: 'close'; readonly ending: Ending }

/** Writer → main. */
export type FromWriter =
  /** The file holds the trajectory with its parameters, committed. */
  | { readonly type: 'opened'; readonly opened: Opened }
  /** Before `opened`: the first commit holds explored lists and arrays, and those from this number on are missing. */
  | { readonly type: 'values-wanted'; readonly name: string; readonly first: number }
  /** Something that a user should know, and that stops nothing: a stale lock was taken over, readers are waited for. */
  | { readonly type: 'notice'; readonly level: LogLevel; readonly message: string }
  /** These runs are in the file and survive a kill of any process. */
  | {
      readonly type: 'committed'
      readonly stored: readonly RunIndex[]
      readonly failed: readonly RunIndex[]
      /** Those of `failed` whose record came and could not be written: main hears of them here first. */
      readonly refused: readonly RefusedRun[]
    }
  /** The extension is committed; or, with an error, nothing of it has touched the file. */
  | { readonly type: 'extended'; readonly error?: ErrorRecord }
  | { readonly type: 'refused'; readonly error: ErrorRecord }
  /** The writer cannot go on; it exits. What was committed before is safe. */
  | { readonly type: 'broken'; readonly error: ErrorRecord }
  | { readonly type: 'closed'; readonly closed: Closed }

/** Everything that the file holds before the first run. Cloneable, free of functions. */
export interface OpenRequest {
  readonly file: string
  readonly fileTitle: string
  /** Replace an existing file; otherwise the trajectory joins those in it. */
  readonly overwrite: boolean
  /** Keep the `.cnt` file when every run is stored. */
  readonly keepCnt: boolean
  /** False when the `.cnt` file only protects the HDF5 file while it is written. */
  readonly continuable?: boolean
  /** Nodes that the trajectory begins with, beside parameters and config. */
  readonly nodes?: Omit<Extension, 'added' | 'postprocessedCount'>
  /** The trajectory is in the file, with more runs than were performed: those that are not completed are. */
  readonly isExpansion?: boolean
  /** Points may be added while it runs: texts among the explored values are given room. */
  readonly mayGrow?: boolean
  /** The file is new, or takes the place of another one, see `journal/replacement`. The writer fills it in. */
  readonly replacement?: {
    /** Name of the file beside it that is renamed when its first commit is durable. */
    readonly writtenAs: string
    /** `superblockOf` the file that was in the place, empty where there was none. */
    readonly replaces: string
    /** Its device and inode, which tell it for certain as long as nothing was copied; empty where there was none. */
    readonly replacesIdentity: string
    /** `environmentHexsha` of the experiments of the old file: their `.cnt` files do not count when it is gone. */
    readonly supersedes: readonly string[]
  }
  /** Not an experiment: nodes are added, changed or merged, and there is nothing to run. */
  readonly isEdit?: boolean
  readonly trajectory: {
    readonly name: string
    readonly comment: string
    /** Seconds since 1970. */
    readonly timestamp: number
    /** What made the file, for the `info` table: `pypet-ts 0.1.0` and `Node.js 20.20.2`. */
    readonly version: string
    readonly runtimeVersion: string
    /** Of the environment that began: it tells this experiment from others, whatever environments follow. */
    readonly environmentHexsha: string
  }
  readonly parameters: readonly Parameter[]
  readonly exploration: ExplorationSpec | undefined
  /** Names relative to the branch `config`. */
  readonly config: readonly Parameter[]
  readonly storage: StorageSettings
  readonly continuation: Continuation
}

/** What `continue` needs beyond the trajectory. The writer keeps it in the `.cnt` file and does not look at it. */
export interface Continuation {
  readonly job: JobIdentity
  /** The resolved options, by name; paths are absolute when it is written. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Arguments of the job, as structured-clone bytes: those of all runs, or a list of each run's. */
  readonly args?: Uint8Array
  readonly runArgs?: Uint8Array
  /** Instead of these: the arguments live in the process of a script, which has to give them again. */
  readonly argsOfScript?: {
    readonly script: string
    readonly found: string
    /** Which runs had lists of their own: half-open ranges. */
    readonly runs?: readonly number[]
  }
  /** How jobs search the tree, where that is not as usual. */
  readonly tree?: Pick<RunNodes, 'noClobber' | 'shortcuts' | 'maxDepth'>
  /** Which environment's `config` this is, so that a continued experiment ends under the same names. */
  readonly environmentName: string
  /** Where that is a later environment than the one that the trajectory began with: see `RunEnvironment`. */
  readonly environment?: Pick<RunEnvironment, 'hexsha' | 'timestamp'>
}

/** What the runs from here on are performed by, where an experiment goes on with a job that has changed. */
export interface RunEnvironment {
  /** `environment_83c1a34_2026_11_22_17h32m44s`, a group of `config.environment` of its own. */
  readonly name: string
  /** The rows of these runs name it. */
  readonly hexsha: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly job: JobIdentity
}

/** A job module, so that it is found again and its changes are noticed. */
export interface JobIdentity {
  /** Absolute path of the user's source file. */
  readonly file: string
  /** The same, relative to the folder of the `.cnt` file: where it is after the folder was moved. */
  readonly relativeFile: string
  /** SHA-256 of the bundle, in which no path of this machine counts. */
  readonly sha256: string
  /** A function that a script gave: it is not in a module, and only the script can go on with it. */
  readonly isFunction?: boolean
  /** The source files in the bundle, relative to the folder of the job, each with its SHA-256. */
  readonly sources: Readonly<Record<string, string>>
}

export interface ContinueRequest {
  readonly cntFile: string
  readonly breakLock: boolean
  /** Failed runs are performed again. */
  readonly retryFailed: boolean
  /** Replaces what the `.cnt` file has, where it was allowed to change. */
  readonly storage: StorageSettings
  readonly keepCnt: boolean
  /** The job has changed, and was allowed to: from here on runs are of this environment. */
  readonly environment?: RunEnvironment
  /** The `config` of that environment. */
  readonly config: readonly Parameter[]
  /** Longest wait for others that have the lock of the file; none where it is left out. */
  readonly lockWaitMs?: number
}

/** What the writer found or made. Ranges are half-open: `[0, 5, 7, 8]` is 0 to 4, and 7. */
export interface Opened {
  readonly cntFile: string
  readonly stored: readonly number[]
  readonly failed: readonly number[]
  /** When the first run of all started, in seconds since 1970; undefined before that. */
  readonly startTimestamp: number | undefined
  /** How many runs had ended when post-processing last looked at them; -1 when it has to look again. */
  readonly postprocessedCount: number
}

export interface Ending {
  /** What is known only at the end; ignored unless `isComplete`. */
  readonly config: readonly Parameter[]
  /** Every run has ended, stored or failed. Otherwise the trajectory stays open for `continue`. */
  readonly isComplete: boolean
}

export interface Closed {
  /** The `.cnt` file, unless it was removed because every run is stored. */
  readonly cntFile: string | undefined
  /** Readers have kept the last pages out of the HDF5 file: it is not whole without its `.cnt` file. */
  readonly isBehind?: true
}

/** How the file is written; names as in pypet's `config.hdf5`. */
export interface StorageSettings {
  readonly complevel: number
  readonly purgeDuplicateComments: boolean
  /** Each run's group gets a table of its explored parameters. */
  readonly exploredParameterOverviewInRuns: boolean
  /** Expected rows a run of the overviews, 0 if not known. */
  readonly resultsPerRun: number
  readonly derivedParametersPerRun: number
  /** Longest wait of an uncommitted run while others keep arriving. */
  readonly commitIntervalMs: number
  /** Longest wait for readers of the file, where too much would otherwise pile up for them. */
  readonly readerWaitMs: number
  /** A smaller `.cnt` file is not compacted. */
  readonly cntCompactBytes: number
  readonly overviews: {
    readonly config: boolean
    readonly parameters: boolean
    readonly derivedParameters: boolean
    readonly results: boolean
    readonly exploredParameters: boolean
    readonly derivedParametersSummary: boolean
    readonly resultsSummary: boolean
  }
}

/** What a trajectory gains while its experiment runs: from post-processing, or from a script before its first run. */
export interface Extension {
  /** Points behind those there are. They name exactly what is explored, or anything where nothing is. */
  readonly added?: ExplorationSpec
  /** Groups with a comment or annotations, parents first; groups of leaves are made as they are needed. */
  readonly groups: readonly RawGroup[]
  /** Leaves of any branch, by their full names. */
  readonly leaves: readonly RawLeaf[]
  readonly links: readonly LinkRecord[]
  /** Post-processing has seen so many runs that had ended, and need not see them again. */
  readonly postprocessedCount?: number
  /** The whole provenance of the environment is among the leaves: no later session need tell it. */
  readonly hasProvenance?: true
}

/** A failed run, as recorded in the file. */
export interface RunFailure {
  readonly run: RunIndex
  readonly error: ErrorRecord
  /** How often the run was performed; 1 unless it was retried. */
  readonly attempts: number
  /** Seconds since 1970, of the last attempt. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
}

/** A run that the writer had to fail, and why. */
export interface RefusedRun {
  readonly run: RunIndex
  readonly error: ErrorRecord
}

/** What every worker knows from its start. */
export interface WorkerSetup {
  /** The bundled job, see experiment/load-job. */
  readonly job: JobLocation
  readonly parameters: readonly Pick<Parameter, 'name' | 'value' | 'stored' | 'userClass'>[]
  /** What else the trajectory holds when the runs begin, for jobs that read its tree; nothing unless given. */
  readonly nodes?: RunNodes | PackedNodes | NodesInFile
  /** Of the experiment: with the values of a run's parameters it makes the run's own. */
  readonly seed: number
  /** At least so many runs are to be expected. */
  readonly runCount: number
  /** What the job is called with behind `traj`. Cloneable. */
  readonly args: readonly unknown[]
  /** Post-processing wants what jobs return, so main is told. */
  readonly tellsReturned: boolean
  readonly storage: WorkerStorage
  /** Of what jobs store before their run ends. */
  readonly parts: PartsPlace
  /** Lines below this level are not sent. */
  readonly logLevel: LogLevel
  /** What the job prints is a line of the log; else it is for the terminal, and sent at any level. */
  readonly logStdout: boolean
  /** A run that takes longer is ended; 0 when it may take as long as it wants. */
  readonly timeoutMs: number
  /** Priority of threads and processes that perform runs, as of `nice`; 0 leaves it as it is. */
  readonly niceness: number
}

/** What `RunNodes` are on their way to a worker. */
export interface PackedNodes {
  /** JSON. */
  readonly text: string
  /** Threads share them. */
  readonly bytes: Uint8Array
  readonly noClobber?: boolean
}

/** Packed nodes in a file of main's, for processes: those whose job asks for nothing of it do not read it. */
export interface NodesInFile {
  readonly file: string
  /** The text comes first. */
  readonly textBytes: number
  readonly noClobber?: boolean
}

/** How a worker stores its runs. */
export type WorkerStorage =
  /** It hands them to the writer process. */
  | { readonly kind: 'queue'; readonly address: string }
  /** A module does it: `openRecordStore(data)` of the module at this address gives a `RecordStore`. */
  | { readonly kind: 'module'; readonly url: string; readonly data: unknown }

/** A bundled job that any thread can import. */
export interface JobLocation {
  /** `file:` URL of the bundle. */
  readonly url: string
  /** The user's source file, for messages. */
  readonly file: string
  /** Classes that parameters are restored by and that are not the job's own. */
  readonly classes?: readonly ClassAddress[]
}

/** A bundled module of classes; or, of another kind of URL, classes that only main has. */
export interface ClassAddress {
  readonly url: string
  readonly file: string
  readonly names: readonly string[]
}

/** One run to perform. */
export interface RunTask {
  readonly run: RunIndex
  /** 1 for the first time; more when the run has failed before and is performed again. */
  readonly attempt: number
  readonly point: PointValues
  /** How many runs there are. */
  readonly runCount: number
  /** Arguments of this run's own, instead of those of all. */
  readonly args?: readonly unknown[]
}

/** `handed-over`: the writer's socket has the whole record; the writer will announce it stored. */
export type RunOutcome =
  | {
      readonly state: 'handed-over'
      readonly run: RunIndex
      /** Seconds since 1970. */
      readonly startTimestamp: number
      /** What the job returned, as structured-clone bytes, where main wants to know. */
      readonly returned?: Uint8Array
    }
  | { readonly state: 'failed'; readonly failure: RunFailure }

/** Pool thread → main, at any time. */
export type FromWorker = WorkerLine | RunBegun | PriorityRefused

/** Pool thread → main: answered by one message, a `StoredBeforeAnswer`, at the port. */
export interface ReadBefore<Port> {
  readonly type: 'read-before'
  readonly name: string
  readonly port: Port
}

/** The worker begins with this run: from now on its time counts. Threads say so only where runs have a time limit. */
interface RunBegun {
  readonly type: 'begun'
  readonly run: RunIndex
}

/** The system does not allow this worker the niceness of its setup: it works with what it has. */
interface PriorityRefused {
  readonly type: 'priority-refused'
  readonly reason: string
}

/** Main → process of a run, in order: first `load`, once; then `perform`, once. */
export type ToRunProcess =
  /** Answered by `ready`, or by `unable`. */
  | { readonly type: 'load'; readonly setup: WorkerSetup }
  /** Answered by `begun`, then by `ended` or `unable`; then the process exits by itself. */
  | { readonly type: 'perform'; readonly task: RunTask }
  /** To the `read-before` of this number. */
  | { readonly type: 'read'; readonly number: number; readonly answer: StoredBeforeAnswer }

/**
 * Process of a run → main. A process that is gone without `ended` or `unable` has failed its run, if it had `begun`.
 * The numbers of workers are main's: those in lines are 0.
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
  /** An error that fails no run, since it came when its run had ended: results may be missing. */
  readonly isStray?: true
  /** Printed by the job, for the terminal and not for the logs. */
  readonly printedTo?: 'stdout' | 'stderr'
}
