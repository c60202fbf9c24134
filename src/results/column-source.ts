/** Where the values of a column come from. */
import type { RunIndex } from '../values/path.ts'
import type { ColumnType } from './block.ts'
import type { Column, ColumnBlock } from './column.ts'

export interface ColumnSource extends Omit<Column, 'name' | 'isLong'> {
  /** Names it if no column before it has the same. */
  readonly shortName: string
  /** Values of the runs from `start` to before `end`. */
  readonly read: (start: RunIndex, end: RunIndex) => ColumnBlock
  /** See `ColumnType`. */
  readonly isLong?: boolean
  /** Whether it is known that each run has a value. Not if absent. */
  readonly isComplete?: () => boolean
  /** The type that all runs have in common, found without reading arrays. Undefined if it is the declared one. */
  readonly findType?: () => ColumnType
}
