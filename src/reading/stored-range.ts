/** Reads in what form a file has the range of an explored parameter: what is added must have the same. */
import type { StoredRange } from '../layout/range-layout.ts'
import { RANGE } from '../names.ts'
import { rangeTable } from './leaf-place.ts'
import type { Hdf5Reader } from './reader.ts'

/** Undefined where the file has none. */
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

/** The column that a range is written in, whose size cannot change; undefined where there is none. */
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
