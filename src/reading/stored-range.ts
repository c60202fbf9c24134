/** Reads the form of an explored parameter's range in a file: added points must have the same form. */
import type { StoredRange } from '../layout/range-layout.ts'
import { RANGE } from '../names.ts'
import { rangeTable } from './leaf-place.ts'
import type { Hdf5Reader } from './reader.ts'

/** Undefined if the file has none. */
export function readStoredRange(reader: Hdf5Reader, path: string): StoredRange | undefined {
  const column = rangeColumn(reader, path)
  if (column === undefined) return undefined
  const { table, isReference, textBytes, numberBytes } = column
  let objectCount = 0
  if (isReference) {
    reader.scanRows(table, ['idx'], (_, [number]) => {
      objectCount = Math.max(objectCount, Number(number) + 1)
    })
  }
  const areTextsThere = isReference && reader.kind(`${path}/${RANGE}`) === 'dataset'
  return {
    length: reader.rowCount(table),
    isReference,
    objectCount,
    textBytes,
    numberBytes,
    hasTexts: areTextsThere,
  }
}

interface RangeColumn extends Pick<StoredRange, 'isReference' | 'textBytes' | 'numberBytes'> {
  readonly table: string
}

/** The column of a range, whose size cannot change. Undefined if there is none. */
export function rangeColumn(reader: Hdf5Reader, path: string): RangeColumn | undefined {
  const found = rangeTable(reader, path)
  if (found === undefined) return undefined
  const { table, isReference, column } = found
  return {
    table,
    isReference,
    textBytes: column.type.kind === 'string' ? column.type.bytes : 0,
    numberBytes: isReference && column.type.bytes === 4 ? 4 : 8,
  }
}
