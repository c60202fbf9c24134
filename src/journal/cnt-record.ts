/**
 * The records of a `.cnt` file, as types. How they lie in the file is `cnt-format`'s business, what follows
 * from them `cnt-state`'s.
 */
import type { ExplorationSpec } from '../exploration/exploration.ts'
import type { OpenRequest, RunEnvironment } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'

/** Runs as half-open ranges: `[0, 5, 7, 8]` is 0 to 4, and 7. */
export type RunRanges = readonly number[]

/** The first record: everything that an experiment needs to go on, and no code. */
export interface ExperimentRecord {
  readonly type: 'experiment'
  /** As the writer was asked to open the trajectory. `file` is absolute here, and a bare name in the file. */
  readonly request: OpenRequest
  /** Bytes of the HDF5 file before this trajectory came; 0 for a new file. What lies beyond is not committed. */
  readonly baseBytes: number
  /** `superblockOf` the HDF5 file before this trajectory came; empty for a new file. */
  readonly baseSuperblock: string
}

/** A commit: what it made durable, and how. */
export interface CommitRecord extends CommitFacts {
  readonly type: 'commit'
  /** Counts commits from 1. */
  readonly sequence: number
  /** The pages of all commits up to this one are in the HDF5 file, and durable there. */
  readonly applied: number
  /**
   * `superblockOf` the HDF5 file as its writer found it, in the first commit after an experiment went on: others may
   * have written the file since the commit before.
   */
  readonly foundSuperblock?: string
}

export interface CommitFacts {
  /** Size of the HDF5 file as of this commit. */
  readonly fileBytes: number
  /** `superblockOf` the HDF5 file as of this commit. */
  readonly superblock: string
  readonly stored: RunRanges
  readonly failed: readonly FailedRun[]
  /** Failed runs that are to be performed again: they count as missing from here on. */
  readonly reopened: RunRanges
  /** What changed in what the layout remembers of the file. */
  readonly memory: MemoryDelta
  /** When the first run of all started, in seconds since 1970, once that is known. */
  readonly startTimestamp?: number
  /** Every run is stored, and the file is as it will stay. */
  readonly isComplete: boolean
  /** Every run has ended, post-processing has seen them, and the trajectory was closed with this commit. */
  readonly hasEnded?: boolean
  /** The experiment goes on with a job that has changed: the runs from this commit on are of this environment. */
  readonly environment?: RunEnvironment
  /** Points that this commit has added to the exploration. */
  readonly added?: ExplorationSpec
  /** What jobs returned, as structured-clone bytes. */
  readonly returned: readonly ReturnedValue[]
  /** New images of parts of the HDF5 file below its end as of the commit before. */
  readonly pages: readonly PageImage[]
}

/**
 * All pages of all commits are in the HDF5 file and durable, so none of them may be written again: others may
 * have written the file since.
 */
interface AppliedRecord {
  readonly type: 'applied'
  readonly sequence: number
}

export type CntRecord = ExperimentRecord | CommitRecord | AppliedRecord

/** What a record says in its header: a commit's bulk travels in the payload, and the header says what it is. */
export type RecordHeader = Exclude<CntRecord, CommitRecord> | CommitHeader

interface CommitHeader extends Omit<CommitRecord, 'pages' | 'returned'> {
  /** Offset and size of each page image. */
  readonly pages: readonly (readonly [offset: number, bytes: number])[]
  /** Run and size of each returned value. */
  readonly returned: readonly (readonly [run: number, bytes: number])[]
}

export interface FailedRun {
  readonly run: RunIndex
  /** Class and message of the error, cut to a few hundred characters; its stack is in the HDF5 file. */
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

/** Texts that are added to named sets, and named values that replace older ones. */
export interface MemoryDelta {
  readonly added: Readonly<Record<string, readonly string[]>>
  readonly values: Readonly<Record<string, number | boolean>>
}
