/**
 * Noting what is deleted: HDF5 as we have it cannot unlink. `Hdf5Reader` leaves out what is noted, and `compactFile` gives
 * its space back.
 */
import type { Cell } from '../hdf5/datatype.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { appendRows, createFilledTable, defineTable } from '../hdf5/table.ts'

/** The table's name in the overview. */
export const DELETED_NODES = 'deleted_nodes'
const TABLE = defineTable([['location', 'S512']])

/** What a reader can do. */
interface TableReader {
  kind(path: string): string | undefined
  rowCount(table: string): number
  scanRows(
    table: string,
    columns: readonly string[],
    visit: (row: number, cells: readonly (Cell | undefined)[]) => void,
  ): void
}

/** @param root path of the trajectory @returns full names of nodes and links */
export function deletedNodes(reader: TableReader, root: string): string[] {
  const table = `${root}/overview/${DELETED_NODES}`
  const names: string[] = []
  if (reader.kind(`${root}/overview`) !== 'group' || reader.kind(table) !== 'dataset') return names
  reader.scanRows(table, ['location'], (_, [name]) => names.push(String(name)))
  return names
}

/** @param names full names of nodes and links */
export function deletionOperations(
  reader: TableReader,
  trajectory: string,
  names: readonly string[],
): Hdf5Operation[] {
  const path = `/${trajectory}/overview/${DELETED_NODES}`
  const rows = names.map((name) => [name])
  return reader.kind(path) === 'dataset'
    ? appendRows(path, TABLE, reader.rowCount(path), rows)
    : createFilledTable(path, TABLE, DELETED_NODES, rows)
}
