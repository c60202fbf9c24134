/** The facts that an overview tells about a file; `summarise.ts` finds them, `cli/overview-*` shows them. */
import type { Preview } from '../reading/preview.ts'
import type { RunIndex } from '../values/path.ts'

export interface FileOverview {
  readonly file: string
  /** As of the last commit. */
  readonly fileBytes: number
  /** What to know about the file before believing what is shown of it, as sentences; mostly none. */
  readonly notes: readonly string[]
  /** Oldest first. */
  readonly trajectories: readonly TrajectoryOverview[]
}

export interface TrajectoryOverview {
  readonly name: string
  readonly comment: string
  /** When it was made, as the file says it (`2026_01_31_12h34m56s`, local time there). */
  readonly time: string
  /** The same in seconds since 1970. */
  readonly timestamp: number
  /** Of pypet or pypet-ts. */
  readonly version: string
  /** Of Python, or `node v20.20.2`. */
  readonly python: string
  readonly runs: RunsOverview
  /** Undefined unless a `.cnt` file of the trajectory lies beside the file. */
  readonly continuation: ContinuationOverview | undefined
  /** Of the last execution that recorded it. */
  readonly provenance: ProvenanceOverview | undefined
  readonly explored: readonly ExploredOverview[]
  /** All parameters, the explored ones among them. */
  readonly parameters: Listing<ParameterOverview>
  readonly derivedParameters: Listing<SurveyedLeaf>
  readonly results: Listing<SurveyedLeaf>
  /** Runs whose results were looked at: the first, the middle and the last one stored. */
  readonly sampledRuns: readonly RunIndex[]
}

/** Where the job came from. */
export interface ProvenanceOverview {
  /** None without a repository, or without a commit in it. */
  readonly commit: string | undefined
  /** `clean`, `dirty`, or why nothing is known. */
  readonly state: string
}

/** What was read of a list that may be too long to read. */
export interface Listing<Entry> {
  readonly entries: readonly Entry[]
  /** How many there are; at least so many when the count is not exact. */
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
  /** Runs that have results although none is marked as completed: pypet marks them only at the end. */
  readonly unmarked: number
  /** The first failures. */
  readonly failures: readonly FailureOverview[]
  /** Only when asked for. */
  readonly table?: RunTable
}

/** A trajectory that is not finished, or still running, as its `.cnt` file says. Numbers are runs. */
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
  /** Values of the explored parameters, in the order of `explored`; undefined where none is stored. */
  readonly values: readonly (Preview | undefined)[]
  /** pypet's own words for the same, `x: 1.0,   y: 6.0`. */
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
  /** Below `parameters`; the full name where it lies elsewhere. */
  readonly name: string
  readonly comment: string
  readonly type: string
  /** Undefined when the file does not hold the values, as after a crash of pypet. */
  readonly range: ExploredRange | undefined
}

export interface ExploredRange {
  readonly runCount: number
  readonly distinctCount: number
  readonly isDistinctCountExact: boolean
  /** The first different values, in order of appearance. */
  readonly values: readonly Preview[]
  /** Of numbers, NaN aside. */
  readonly minimum: number | bigint | undefined
  readonly maximum: number | bigint | undefined
  readonly hasNaN: boolean
}

/** One item of a result or a derived parameter, as found in the trajectory or in the sampled runs. */
export interface SurveyedLeaf {
  /** As it was added: `z`, `neuron.rate`, `$.sub`; an item with a key of its own adds it: `summary.mean`. */
  readonly name: string
  readonly comment: string
  /** One a run; false for what belongs to the whole trajectory. */
  readonly isPerRun: boolean
  /** More than one where runs differ. */
  readonly types: readonly string[]
  /** Smallest and largest size of each axis; undefined where runs differ in their number of axes. */
  readonly shape: readonly AxisRange[] | undefined
  readonly example: Preview
  /** Sampled runs that have it, or a run that has it where they have not; the example is from the first. */
  readonly foundInRuns: readonly RunIndex[]
}

export interface AxisRange {
  readonly minimum: number
  readonly maximum: number
}
