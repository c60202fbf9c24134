/** The facts that an overview shows. `summarise.ts` finds them, `cli/overview` shows them. */
import type { Preview } from '../reading/preview.ts'
import type { RunIndex } from '../values/path.ts'

export interface FileOverview {
  readonly file: string
  /** As of the last commit. */
  readonly fileBytes: number
  /** Sentences about limits of what is shown; usually none. */
  readonly notes: readonly string[]
  /** Oldest first. */
  readonly trajectories: readonly TrajectoryOverview[]
}

export interface TrajectoryOverview {
  readonly name: string
  readonly comment: string
  /** When it was made, as written in the file (`2026_01_31_12h34m56s`, local time there). */
  readonly time: string
  /** The same in seconds since 1970. */
  readonly timestamp: number
  /** Of pypet or pypet-ts. */
  readonly version: string
  /** Of Python, or `node v20.20.2`. */
  readonly python: string
  readonly runs: RunsOverview
  /** Undefined unless there is a `.cnt` file of the trajectory next to the file. */
  readonly continuation: ContinuationOverview | undefined
  /** From the last execution that recorded it. */
  readonly provenance: ProvenanceOverview | undefined
  readonly explored: readonly ExploredOverview[]
  /** All parameters, including the explored ones. */
  readonly parameters: Listing<ParameterOverview>
  readonly derivedParameters: Listing<SurveyedLeaf>
  readonly results: Listing<SurveyedLeaf>
  /** Runs whose results were read: the first, the middle and the last one stored. */
  readonly sampledRuns: readonly RunIndex[]
}

/** Where the job came from. */
export interface ProvenanceOverview {
  /** Undefined without a repository, or without a commit in it. */
  readonly commit: string | undefined
  /** `clean`, `dirty`, or why the state is unknown. */
  readonly state: string
}

/** The part that was read of a list that may be too long to read. */
export interface Listing<Entry> {
  readonly entries: readonly Entry[]
  /** The number of entries; a minimum if the count is not exact. */
  readonly count: number
  readonly isCountExact: boolean
}

export type RunState = 'done' | 'failed' | 'left'

export interface RunsOverview {
  readonly total: number
  readonly done: number
  readonly failed: number
  /** Neither done nor failed. */
  readonly left: number
  /** Runs with results, although none is marked as completed: pypet marks them only at the end. */
  readonly unmarked: number
  /** The first failures. */
  readonly failures: readonly FailureOverview[]
  /** Only if requested. */
  readonly table?: RunTable
}

/** The state of an unfinished or running trajectory, from its `.cnt` file. Numbers count runs. */
export interface ContinuationOverview {
  /** For `pypet-ts continue`. */
  readonly cntFile: string
  readonly stored: number
  readonly failed: number
  /** Neither stored nor failed. */
  readonly missing: number
}

export interface FailureOverview {
  readonly run: RunIndex
  readonly error: string
  readonly message: string
}

/** The first and the last runs, or all. */
export interface RunTable {
  readonly rows: readonly RunRow[]
  readonly omittedCount: number
}

export interface RunRow {
  readonly run: RunIndex
  readonly state: RunState
  /** Values of the explored parameters, in the order of `explored`; undefined if none is stored. */
  readonly values: readonly (Preview | undefined)[]
  /** pypet's own text for the same, `x: 1.0,   y: 6.0`. */
  readonly parameterSummary: string
  readonly runtimeSeconds: number | undefined
}

export interface ParameterOverview {
  /** Below `parameters`: `neuron.tau`. */
  readonly name: string
  readonly comment: string
  readonly isExplored: boolean
  readonly value: Preview
}

export interface ExploredOverview {
  /** Below `parameters`; the full name if it is elsewhere. */
  readonly name: string
  readonly comment: string
  readonly type: string
  /** Undefined if the file does not hold the values, as after a crash of pypet. */
  readonly range: ExploredRange | undefined
}

export interface ExploredRange {
  readonly runCount: number
  readonly distinctCount: number
  readonly isDistinctCountExact: boolean
  /** The first different values, in order of appearance. */
  readonly values: readonly Preview[]
  /** Of the numbers, without NaN. */
  readonly minimum: number | bigint | undefined
  readonly maximum: number | bigint | undefined
  readonly hasNaN: boolean
}

/** One item of a result or a derived parameter, as found in the trajectory or in the sampled runs. */
export interface SurveyedLeaf {
  /** As it was added: `z`, `neuron.rate`, `$.sub`; an item with its own key appends it: `summary.mean`. */
  readonly name: string
  readonly comment: string
  /** Whether each run has one; false if it belongs to the whole trajectory. */
  readonly isPerRun: boolean
  /** More than one if runs differ. */
  readonly types: readonly string[]
  /** Smallest and largest size of each axis; undefined if runs differ in their number of axes. */
  readonly shape: readonly AxisRange[] | undefined
  readonly example: Preview
  /** Sampled runs that have it, or another run that has it if they do not; the example is from the first. */
  readonly foundInRuns: readonly RunIndex[]
}

export interface AxisRange {
  readonly minimum: number
  readonly maximum: number
}
