/** A finished run as data: what a worker sends to the writer. Readonly, without functions. */
import type { RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'

/** One named value of a leaf. A result `z` with one value has one item `z`. */
export interface ItemRecord {
  readonly name: string
  readonly value: StoredValue
}

/** A result or a derived parameter. `location` is its full name, `results.runs.run_00000003.z`. */
export interface LeafRecord {
  readonly location: string
  readonly kind: 'result' | 'parameter'
  readonly comment: string
  readonly annotations?: readonly ItemRecord[]
  /** The name of the user's own class that restores the leaf. */
  readonly userClass?: string
  /** The items, without those stored before the run ended, unless they have changed since. */
  readonly items: readonly ItemRecord[]
  /** The places of the items stored before, in the file of the run's parts, in the order of storing. */
  readonly parts?: readonly PartPlace[]
}

/** A separate frame in the file of a run's parts. */
export interface PartPlace {
  readonly offset: number
  readonly bytes: number
}

/** A link to another node. Both names are full names: `results.runs.run_00000003.best`. */
export interface LinkRecord {
  readonly location: string
  readonly target: string
}

/** A group with a comment or annotations. Other groups are made when their leaves need them. */
export interface GroupRecord {
  readonly location: string
  readonly comment: string
  readonly annotations: readonly ItemRecord[]
}

export interface RunRecord {
  readonly run: RunIndex
  /** Seconds since 1970, as pypet's `timestamp` and `finish_timestamp`. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
  /** Absent for the first attempt. */
  readonly attempts?: number
  readonly leaves: readonly LeafRecord[]
  readonly links?: readonly LinkRecord[]
  readonly groups?: readonly GroupRecord[]
  /** The file with the parts of leaves. Whoever stores the run removes it. */
  readonly partFile?: string
  /** The return value of the job as structured-clone bytes (`v8.serialize`); absent if it returned nothing. */
  readonly returned?: Uint8Array
}
