/** Where a tree finds what it does not hold in memory: a file that is open for reading. */
import type { ParameterRange } from '../run/parameter-range.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'

/** What stands at a node besides its data. */
export interface NodeHead {
  readonly kind: 'group' | 'leaf'
  readonly comment: string
  /** pypet's class of a leaf: `Parameter`, `SparseResult`. */
  readonly className: string
  /** A user's own class, by name. */
  readonly userClass: string | undefined
  readonly annotations: readonly StoredField[]
}

export interface SourceEntry {
  readonly name: string
  /** The full name that a link leads to; undefined for a node. */
  readonly target: string | undefined
}

/**
 * Reads by full names, synchronously. Every method throws `PYPET_STORAGE_FAILED` where the file is damaged, and
 * `PYPET_FILE_CHANGING` where somebody has written it since it was opened.
 */
export interface NodeSource {
  /** What is in a group; undefined when there is no such group. */
  entries(fullName: string): readonly SourceEntry[] | undefined
  /** Undefined when there is no such node. */
  head(fullName: string): NodeHead | undefined
  /** Items of a result, all or those that `wants` names. */
  items(fullName: string, className: string, wants: (item: string) => boolean): readonly StoredField[]
  /** The default of a parameter, and its range when it is explored. */
  parameter(
    fullName: string,
    className: string,
  ): { readonly value: StoredValue | undefined; readonly range: ParameterRange | undefined }
}

/** Of a result, everything that the file has. */
export const EVERY_ITEM = (): boolean => true
