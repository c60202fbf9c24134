/**
 * What an experiment tells while it runs. The environment emits, listeners show: progress bar, plain
 * lines, NDJSON, log files. A listener cannot veto anything, and one that throws stops no run.
 */
import type { ErrorRecord } from './errors.ts'
import type { LogLevel } from './trajectory/log-level.ts'
import type { RunIndex } from './trajectory/path.ts'

export type { LogLevel }

export type ExperimentEvent =
  /** The file is open and holds all parameters; no run has started. */
  | {
      readonly type: 'experiment-started'
      readonly trajectory: string
      readonly file: string
      readonly runCount: number
      readonly ncores: number
      readonly executor: 'inline' | 'pool'
      readonly logFolder: string
    }
  /** These runs are committed to the file. Emitted once a commit, so with one run or with many. */
  | { readonly type: 'runs-stored'; readonly runs: readonly RunIndex[] }
  /** This run failed; the failure, not its results, is in the file. The others go on. */
  | { readonly type: 'run-failed'; readonly run: RunIndex; readonly error: ErrorRecord }
  /** A line for the logs. `worker` is the number of the pool thread it comes from, none for the main process. */
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly worker?: number
      readonly run?: RunIndex
      /** An error of the job that fails no run, since it came when its run had ended: results may be missing. */
      readonly isStray?: true
    }
  /** Everything is in the file, and the file is closed. */
  | { readonly type: 'experiment-finished'; readonly summary: ExperimentSummary }

export interface ExperimentSummary {
  readonly trajectory: string
  readonly file: string
  readonly logFolder: string
  readonly runCount: number
  readonly storedCount: number
  readonly failedCount: number
  /** Errors of the job that fail no run, because they came when their run had ended. */
  readonly strayErrorCount: number
  /** Wall time from the first run started to the last one stored. */
  readonly durationMs: number
}

/** Shows or records events. `emit` must not throw and must not wait. */
export interface Reporter {
  emit(event: ExperimentEvent): void
  /** Flushes what is shown; resolves when nothing more will be written. */
  close(): Promise<void>
}
