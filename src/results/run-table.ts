import type { Cell } from '../hdf5/datatype.ts'
import { overviewPath } from '../names.ts'
import type { RangePlace } from '../reading/leaf-reader.ts'
import type { Preview } from '../reading/preview.ts'
import type { Hdf5Reader, RowRange } from '../reading/reader.ts'
import type { RunStates } from './run-states.ts'
import type { RunRow, RunTable } from './trajectory-overview.ts'

/** Runs shown at the start and at the end; a table of up to twice as many is shown whole. */
const ROWS_PER_END = 10
/** pypet writes this for a run that has not started. */
const NO_SUMMARY = 'Not yet my friend!'

/**
 * Reads the first and the last rows of the runs, or all, with their explored values.
 *
 * @param explored the columns of the explored parameters; undefined for one without stored values
 * @throws PypetError `PYPET_STORAGE_FAILED`
 */
export function readRunTable(
  reader: Hdf5Reader,
  root: string,
  states: RunStates,
  explored: readonly (RangePlace | undefined)[],
  rowsToRead: 'ends' | 'all',
): RunTable {
  const { total } = states
  const isWhole = rowsToRead === 'all' || total <= 2 * ROWS_PER_END
  const ranges: RowRange[] = isWhole
    ? [{ start: 0, end: total }]
    : [
        { start: 0, end: ROWS_PER_END },
        { start: total - ROWS_PER_END, end: total },
      ]
  const rows = total === 0 ? [] : ranges.flatMap((range) => readRows(reader, root, states, explored, range))
  return { rows, omittedCount: total - rows.length }
}

function readRows(
  reader: Hdf5Reader,
  root: string,
  states: RunStates,
  explored: readonly (RangePlace | undefined)[],
  range: RowRange,
): RunRow[] {
  const values = explored.map((column) => readValues(reader, column, range))
  const rows: RunRow[] = []
  const columns = ['timestamp', 'finish_timestamp', 'parameter_summary']
  reader.scanRows(
    overviewPath(root, 'runs'),
    columns,
    (run, [started, finished, summary]) => {
      const state = states.stateOf(run)
      const hasTimes =
        typeof started === 'number' && typeof finished === 'number' && finished >= started && finished > 0
      rows.push({
        run,
        state,
        values: values.map((ofParameter) => ofParameter[run - range.start]),
        parameterSummary: typeof summary === 'string' && summary !== NO_SUMMARY ? summary : '',
        runtimeSeconds: hasTimes && state !== 'left' ? finished - started : undefined,
      })
    },
    range,
  )
  return rows
}

function readValues(reader: Hdf5Reader, column: RangePlace | undefined, range: RowRange): Preview[] {
  const previews: Preview[] = []
  if (column === undefined) return previews
  // Many runs share an array, which would be read for each preview.
  const known = new Map<Cell, Preview>()
  const preview = (cell: Cell) => {
    const found = known.get(cell) ?? column.preview(cell)
    if (column.isReference) known.set(cell, found)
    return found
  }
  reader.scanRows(
    column.table,
    [column.column],
    (_, [cell]) => {
      if (cell !== undefined) previews.push(preview(cell))
    },
    range,
  )
  return previews
}
