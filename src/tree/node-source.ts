/** The source of nodes that are not in memory: a file that is open for reading. */
import type { ParameterRange } from '../run/parameter-range.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'

/** A node without its data. */
export interface NodeHead {
  readonly kind: 'group' | 'leaf'
  readonly comment: string
  /** pypet's class of a leaf: `Parameter`, `SparseResult`. */
  readonly className: string
  /** The name of the user's own class. */
  readonly userClass: string | undefined
  readonly annotations: readonly StoredField[]
}

export interface SourceEntry {
  readonly name: string
  /** The full name of a link's target; undefined for a node. */
  readonly target: string | undefined
}

/**
 * Reads nodes by full name, synchronously. Every method throws `PYPET_STORAGE_FAILED` if the file is damaged, and
 * `PYPET_FILE_CHANGING` if the file was written after it was opened.
 */
export interface NodeSource {
  /** The content of a group; undefined if there is no such group. */
  entries(fullName: string): readonly SourceEntry[] | undefined
  /** Undefined if there is no such node. */
  head(fullName: string): NodeHead | undefined
  /** Items of a result: those for which `wants` is true. */
  items(fullName: string, className: string, wants: (item: string) => boolean): readonly StoredField[]
  /** The default of a parameter, and its range if it is explored. */
  parameter(
    fullName: string,
    className: string,
  ): { readonly value: StoredValue | undefined; readonly range: ParameterRange | undefined }
}

/** Selects everything that the file has of a result. */
export const EVERY_ITEM = (): boolean => true
