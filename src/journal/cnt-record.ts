/** The types of the records in a `.cnt` file. See `cnt-format` for their bytes, and `cnt-state` for their meaning. */
import type { ExplorationSpec } from '../exploration/exploration.ts'
import type { OpenRequest, RunEnvironment } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'

/** Runs as half-open ranges: `[0, 5, 7, 8]` is 0 to 4, and 7. */
export type RunRanges = readonly number[]

/** The first record: everything needed to resume an experiment, except code. */
export interface ExperimentRecord {
  readonly type: 'experiment'
  /** The request to open the trajectory. `file` is absolute here, and a bare name in the file. */
  readonly request: OpenRequest
  /** Size of the HDF5 file before this trajectory, 0 for a new file. Anything beyond is not committed. */
  readonly baseBytes: number
  /** `superblockOf` the HDF5 file before this trajectory. Empty for a new file. */
  readonly baseSuperblock: string
}

/** A commit: what it made durable, and how. */
export interface CommitRecord extends CommitFacts {
  readonly type: 'commit'
  /** Counts commits from 1. */
  readonly sequence: number
  /** The pages of all commits up to this one are durably in the HDF5 file. */
  readonly applied: number
  /**
   * `superblockOf` the HDF5 file as its writer found it. Set in the first commit after an experiment was resumed,
   * because others may have written to the file before.
   */
  readonly foundSuperblock?: string
}

export interface CommitFacts {
  /** Size of the HDF5 file at this commit. */
  readonly fileBytes: number
  /** `superblockOf` the HDF5 file at this commit. */
  readonly superblock: string
  readonly stored: RunRanges
  readonly failed: readonly FailedRun[]
  /** Failed runs to retry. They count as missing from here on. */
  readonly reopened: RunRanges
  /** Changes in what the layout remembers about the file. */
  readonly memory: MemoryDelta
  /** When the very first run started, in seconds since 1970, once known. */
  readonly startTimestamp?: number
  /** Every run is stored, and the file is final. */
  readonly isComplete: boolean
  /** Every run has ended, post-processing has seen them, and this commit closed the trajectory. */
  readonly hasEnded?: boolean
  /** The experiment resumes with a changed job: runs from this commit on belong to this environment. */
  readonly environment?: RunEnvironment
  /** Points that this commit adds to the exploration. */
  readonly added?: ExplorationSpec
  /** Return values of the jobs, as structured-clone bytes. */
  readonly returned: readonly ReturnedValue[]
  /** New images of parts of the HDF5 file below its end at the previous commit. */
  readonly pages: readonly PageImage[]
}

/**
 * All pages of all commits are durably in the HDF5 file. None of them may be written again, because others may have
 * written to the file since.
 */
interface AppliedRecord {
  readonly type: 'applied'
  readonly sequence: number
}

export type CntRecord = ExperimentRecord | CommitRecord | AppliedRecord

/** The header of a record. The bulk of a commit is in the payload, which the header describes. */
export type RecordHeader = Exclude<CntRecord, CommitRecord> | CommitHeader

interface CommitHeader extends Omit<CommitRecord, 'pages' | 'returned'> {
  /** Offset and size of each page image. */
  readonly pages: readonly (readonly [offset: number, bytes: number])[]
  /** Run and size of each returned value. */
  readonly returned: readonly (readonly [run: number, bytes: number])[]
}

export interface FailedRun {
  readonly run: RunIndex
  /** Class and message of the error, cut to a few hundred characters. Its stack is in the HDF5 file. */
  readonly error: { readonly name: string; readonly message: string }
  readonly attempts: number
  /** Seconds since 1970. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
}

export interface ReturnedValue {
  readonly run: RunIndex
  readonly bytes: Uint8Array
}

export interface PageImage {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Texts added to named sets, and named values that replace older ones. */
export interface MemoryDelta {
  readonly added: Readonly<Record<string, readonly string[]>>
  readonly values: Readonly<Record<string, number | boolean>>
}
