/** The rows of runs that have ended. */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { writeRows } from '../hdf5/table.ts'
import type { RunIndex } from '../values/path.ts'
import { RUNS, type RunRowFacts, runRow } from './overview-tables.ts'

/** Neighbouring runs are written together: each write unpacks and packs a whole chunk. */
export function runRows(path: string, facts: ReadonlyMap<RunIndex, RunRowFacts>): Hdf5Operation[] {
  const runs = [...facts.keys()].sort((a, b) => a - b)
  const operations: Hdf5Operation[] = []
  for (let start = 0; start < runs.length; ) {
    const first = runs[start] as RunIndex
    let end = start + 1
    while (end < runs.length && runs[end] === first + (end - start)) end += 1
    const rows = runs.slice(start, end).map((run) => runRow(run, facts.get(run) as RunRowFacts))
    operations.push(...writeRows(path, RUNS, first, rows))
    start = end
  }
  return operations
}
