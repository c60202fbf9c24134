/** Noting what is deleted: HDF5 as we have it cannot unlink. */
import type { Hdf5Operation } from './hdf5-operation.ts'
import type { Hdf5Reader } from './hdf5-reader.ts'
import { DELETED_NODES } from './hdf5-source.ts'
import { appendRows, createFilledTable, defineTable } from './hdf5-table.ts'

const TABLE = defineTable([['location', 'S512']])

/** @param names full names of nodes and links */
export function deletionOperations(
  reader: Hdf5Reader,
  trajectory: string,
  names: readonly string[],
): Hdf5Operation[] {
  const path = `/${trajectory}/overview/${DELETED_NODES}`
  const rows = names.map((name) => [name])
  return reader.kind(path) === 'dataset'
    ? appendRows(path, TABLE, reader.rowCount(path), rows)
    : createFilledTable(path, TABLE, DELETED_NODES, rows)
}
