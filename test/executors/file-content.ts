/** What runs have stored, read back from the file. */
import type { Cell } from '../../src/hdf5/datatype.ts'
import { type Hdf5Reader, openHdf5Reader } from '../../src/reading/reader.ts'

/** Every value of a branch of the trajectory, by its path below it: `run_00000003/z/z`. */
export async function valuesIn(file: string, branch: string): Promise<Map<string, readonly Cell[]>> {
  using reader = await openHdf5Reader(file)
  const values = new Map<string, readonly Cell[]>()
  const top = `/trajectory/${branch}`
  const visit = (path: string) => {
    for (const name of reader.children(path)) {
      const child = `${path}/${name}`
      if (reader.kind(child) === 'group') visit(child)
      else values.set(child.slice(top.length + 1), reader.cells(child))
    }
  }
  if (reader.kind(top) === 'group') visit(top)
  return values
}

/** Rows of the tables that say how each run ended. */
export async function runTables(file: string): Promise<{ completed: number[]; failed: number[] }> {
  using reader = await openHdf5Reader(file)
  return {
    completed: rowsOf(reader, 'runs', ['idx', 'completed']).flatMap(([idx, completed]) =>
      completed === 1 ? [Number(idx)] : [],
    ),
    // In the order of their ends, which differs from time to time.
    failed: rowsOf(reader, 'failed_runs', ['idx'])
      .map(([idx]) => Number(idx))
      .sort((a, b) => a - b),
  }
}

function rowsOf(reader: Hdf5Reader, table: string, columns: readonly string[]): unknown[][] {
  const path = `/trajectory/overview/${table}`
  const rows: unknown[][] = []
  if (reader.kind(path) === 'dataset') {
    reader.scanRows(path, columns, (_, cells) => rows.push([...cells]))
  }
  return rows
}
