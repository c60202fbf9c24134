/**
 * What an experiment tells while it runs. The environment emits, listeners show: progress bar, plain
 * lines, NDJSON, log files. A listener cannot veto anything, and one that throws stops no run.
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
      /** A storage service keeps the runs: there is no such file. */
      readonly isInService?: true
      /** Beside the file while the experiment is unfinished. */
      readonly cntFile: string
      readonly runCount: number
      /** Runs that earlier executions have stored. */
      readonly storedCount: number
      /** Runs that have failed in earlier executions and are not performed again. */
      readonly failedCount: number
      readonly ncores: number
      readonly executor: 'inline' | 'pool' | 'process'
      /** Undefined where no logs are written. */
      readonly logFolder: string | undefined
    }
  /** These runs are committed to the file. Emitted once a commit, so with one run or with many. */
  | { readonly type: 'runs-stored'; readonly runs: readonly RunIndex[] }
  /** This run failed; the failure, not its results, is in the file. The others go on. */
  | { readonly type: 'run-failed'; readonly run: RunIndex; readonly error: ErrorRecord }
  /** This run failed and will be performed again: nothing of it is in the file. `attempt` counts from 1. */
  | {
      readonly type: 'run-retried'
      readonly run: RunIndex
      readonly attempt: number
      readonly error: ErrorRecord
    }
  /** Post-processing has added points: they are in the file, and will be performed. `runCount` is that of all runs now. */
  | { readonly type: 'runs-added'; readonly addedCount: number; readonly runCount: number }
  /** A line for the logs, or for the terminal. `worker` is the number of the pool thread it comes from, none for the main process. */
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly worker?: number
      readonly run?: RunIndex
      /** An error of the job that fails no run, since it came when its run had ended: results may be missing. */
      readonly isStray?: true
      /** The job has printed the line, and it is not for the logs: `logStdout` is off. */
      readonly printedTo?: 'stdout' | 'stderr'
    }
  /** The file is closed. */
  | { readonly type: 'experiment-finished'; readonly summary: ExperimentSummary }

export interface ExperimentSummary {
  readonly trajectory: string
  readonly file: string
  /** A storage service keeps the runs: there is no such file. */
  readonly isInService?: true
  /** What `continue` takes; undefined when every run is stored. */
  readonly cntFile: string | undefined
  /**
   * Other programs have had the file open to the end: its last changes are in the `.cnt` file, and `continue` brings them in.
   */
  readonly isBehind?: true
  /** Undefined where no logs were written. */
  readonly logFolder: string | undefined
  readonly runCount: number
  /** All runs that are stored now. */
  readonly storedCount: number
  /** Those of them that earlier executions had stored. */
  readonly previouslyStoredCount: number
  readonly failedCount: number
  /** Runs that are neither stored nor failed. */
  readonly leftCount: number
  /** Why runs are left, where somebody has stopped the experiment or too many runs have failed. */
  readonly stoppedBy: 'signal' | 'failures' | undefined
  /** Errors of the job that fail no run, because they came when their run had ended. */
  readonly strayErrorCount: number
  /** Wall time from the first run of this execution to the last one stored. */
  readonly durationMs: number
}

/** Shows or records events. `emit` must not throw and must not wait. */
export interface Reporter {
  emit(event: ExperimentEvent): void
  /** Flushes what is shown; resolves when nothing more will be written. */
  close(): Promise<void>
}
