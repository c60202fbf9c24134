/**
 * Records deletions: this build of HDF5 cannot unlink. `Hdf5Reader` skips recorded nodes, and `compactFile` frees their
 * space.
 */
import type { Cell } from '../hdf5/datatype.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { addRows, defineTable } from '../hdf5/table.ts'
import { overviewGroup, overviewPath } from '../names.ts'

const TABLE = defineTable([['location', 'S512']])

/** The part of a reader that is used here. */
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
  const table = overviewPath(root, 'deleted_nodes')
  const names: string[] = []
  if (reader.kind(overviewGroup(root)) !== 'group' || reader.kind(table) !== 'dataset') return names
  reader.scanRows(table, ['location'], (_, [name]) => names.push(String(name)))
  return names
}

/** @param names full names of nodes and links */
export function deletionOperations(
  reader: TableReader,
  trajectory: string,
  names: readonly string[],
): Hdf5Operation[] {
  const path = overviewPath(`/${trajectory}`, 'deleted_nodes')
  const rowCount = reader.kind(path) === 'dataset' ? reader.rowCount(path) : undefined
  return addRows(
    path,
    TABLE,
    { title: 'deleted_nodes', rowCount },
    names.map((name) => [name]),
  )
}
