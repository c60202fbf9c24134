/**
 * What an experiment reports while it runs. The environment emits events, and listeners show them: progress bar, plain
 * lines, NDJSON, log files. A listener cannot prevent anything, and one that throws does not stop a run.
 */
import type { ErrorRecord } from './errors.ts'
import type { LogLevel } from './run/log-level.ts'
import type { RunIndex } from './values/path.ts'

export type ExperimentEvent =
  /** The file is open and holds all parameters; no run has started. */
  | {
      readonly type: 'experiment-started'
      readonly trajectory: string
      readonly file: string
      /** A storage service keeps the runs: this file does not exist. */
      readonly isInService?: true
      /** Next to the file while the experiment is unfinished. */
      readonly cntFile: string
      readonly runCount: number
      /** Runs that earlier executions have stored. */
      readonly storedCount: number
      /** Runs that failed in earlier executions and are not repeated. */
      readonly failedCount: number
      readonly ncores: number
      readonly executor: 'inline' | 'pool' | 'process'
      /** Undefined if no logs are written. */
      readonly logFolder: string | undefined
    }
  /** These runs are committed to the file. Emitted once per commit, with one or many runs. */
  | { readonly type: 'runs-stored'; readonly runs: readonly RunIndex[] }
  /** This run failed. The failure is in the file, but no results. The other runs continue. */
  | { readonly type: 'run-failed'; readonly run: RunIndex; readonly error: ErrorRecord }
  /** This run failed and will be retried: nothing of it is in the file. `attempt` counts from 1. */
  | {
      readonly type: 'run-retried'
      readonly run: RunIndex
      readonly attempt: number
      readonly error: ErrorRecord
    }
  /** Post-processing has added points. They are in the file, and will run. `runCount` is the new number of all runs. */
  | { readonly type: 'runs-added'; readonly addedCount: number; readonly runCount: number }
  /**
   * A line for the logs or the terminal. `worker` is the number of the pool thread that wrote it, undefined for the
   * main process.
   */
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly worker?: number
      readonly run?: RunIndex
      /** An error of the job after its run had ended. It fails no run, but results may be missing. */
      readonly isStray?: true
      /** The job printed the line, and it is not for the logs: `logStdout` is off. */
      readonly printedTo?: 'stdout' | 'stderr'
    }
  /** The file is closed. */
  | { readonly type: 'experiment-finished'; readonly summary: ExperimentSummary }

export interface ExperimentSummary {
  readonly trajectory: string
  readonly file: string
  /** A storage service keeps the runs: this file does not exist. */
  readonly isInService?: true
  /** The argument for `continue`; undefined if every run is stored. */
  readonly cntFile: string | undefined
  /**
   * Other programs had the file open to the end: its last changes are in the `.cnt` file, and `continue` writes them to
   * the file.
   */
  readonly isBehind?: true
  /** Undefined if no logs were written. */
  readonly logFolder: string | undefined
  readonly runCount: number
  /** All runs stored so far. */
  readonly storedCount: number
  /** Of these, the runs stored by earlier executions. */
  readonly previouslyStoredCount: number
  readonly failedCount: number
  /** Runs that are neither stored nor failed. */
  readonly leftCount: number
  /** Why runs are left, if the experiment was stopped or too many runs failed. */
  readonly stoppedBy: 'signal' | 'failures' | undefined
  /** Errors of the job after their run had ended; they fail no run. */
  readonly strayErrorCount: number
  /** Wall time from the first run of this execution to the last one stored. */
  readonly durationMs: number
}

/** Shows or records events. `emit` must not throw and must not wait. */
export interface Reporter {
  emit(event: ExperimentEvent): void
  /** Flushes the output; resolves when nothing more will be written. */
  close(): Promise<void>
}
