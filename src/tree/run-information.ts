import type { RunIndex } from '../values/path.ts'

/** The file's record of a run (pypet `f_get_run_information`). */
export interface RunInformation {
  readonly idx: RunIndex
  /** `run_00000012`. */
  readonly name: string
  readonly completed: boolean
  readonly failed: boolean
  /** Seconds since 1970; 0 if the run has not started. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
  /** Seconds. */
  readonly runtime: number
  /** `x: 1.0,   y: 6.0`. */
  readonly parameterSummary: string
  readonly environmentHexsha: string
}

/** In seconds since 1970. */
export type RunTimes = Pick<RunInformation, 'startTimestamp' | 'finishTimestamp'>

/** A run that came from another trajectory and is not in the file yet. Its rows will contain this. */
export interface MergedRun {
  readonly information: RunInformation
  /** Set if the run failed. */
  readonly failure: RunFailureText | undefined
}

export interface RunFailureText {
  readonly name: string
  readonly message: string
  readonly stack: string
}
