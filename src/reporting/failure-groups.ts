/** Groups equal failures and counts them: a bug in a job fails every run in the same way. */
import type { ErrorRecord } from '../errors.ts'
import type { RunIndex } from '../values/path.ts'
import { userFrame } from './shown-path.ts'

/** Runs that failed with the same error at the same place. */
export interface FailureGroup {
  /** The first failure of the group. */
  readonly error: ErrorRecord
  /** The line of the user's source that failed, `job.ts:12:9`, if known. */
  readonly frame: string | undefined
  /** The first few runs, in the order of their failures. */
  readonly runs: readonly RunIndex[]
  readonly count: number
}

/** Memory must not grow with the number of failures: beyond this, kinds and run numbers are only counted. */
const GROUPS_MAX = 1000
const RUNS_MAX = 3

/** Collects failures into groups. Messages that differ only in numbers count as equal. */
export class FailureGroups {
  readonly #groups = new Map<string, Mutable<FailureGroup>>()
  #ungroupedCount = 0

  /** Adds a failure. Returns its group, or undefined if there are too many kinds. */
  add(run: RunIndex, error: ErrorRecord): FailureGroup | undefined {
    const frame = userFrame(error.stack, error.message)
    const key = `${error.name}\n${frame}\n${error.message.slice(0, 1000).replace(/\d+/g, '#')}`
    const group = this.#groups.get(key)
    if (group) {
      group.count += 1
      if (group.runs.length < RUNS_MAX) group.runs = [...group.runs, run]
      return group
    }
    if (this.#groups.size >= GROUPS_MAX) {
      this.#ungroupedCount += 1
      return undefined
    }
    const first = { error, frame, runs: [run], count: 1 }
    this.#groups.set(key, first)
    return first
  }

  /** In the order of their first failure. */
  get groups(): readonly FailureGroup[] {
    return [...this.#groups.values()]
  }

  /** Failures of kinds beyond the limit. */
  get ungroupedCount(): number {
    return this.#ungroupedCount
  }
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
