/**
 * The overview as one JSON document. Keys are snake_case. JSON has no integers beyond 2^53, no NaN and no infinity, so
 * these are strings: `"9007199254740993"`, `"NaN"`, `"-Infinity"`. A complex number is `{ "real", "imaginary" }`, a
 * record `{ "fields": { column: value } }`, and what cannot be read `{ "unread": why }`. A value is `{ type, shape,
 * value }` if it is a scalar, and otherwise `{ type, shape, first_values }` with the first elements along the last
 * axis. `provenance` is the origin of the latest experiment's job, `{ commit, state }`: `state` is `clean`, `dirty`, or
 * why it is unknown; `commit` is null if there is none. `provenance` is null if nothing was recorded. `runs.table`, if
 * requested, has all runs.
 */
import type { Cell } from '../../hdf5/datatype.ts'
import type { Preview } from '../../reading/preview.ts'
import type {
  ContinuationOverview,
  ExploredRange,
  FileOverview,
  Listing,
  ParameterOverview,
  ProvenanceOverview,
  RunsOverview,
  RunTable,
  SurveyedLeaf,
  TrajectoryOverview,
} from '../../results/trajectory-overview.ts'

/** The document, indented by two spaces, with a newline at its end. */
export function overviewJson({ file, fileBytes, notes, trajectories }: FileOverview): string {
  const document = { file, file_bytes: fileBytes, notes, trajectories: trajectories.map(trajectoryJson) }
  const text = JSON.stringify(document, null, 2)
  const tables = trajectories.flatMap(({ runs, explored }) =>
    runs.table === undefined ? [] : [rowsText(runs.table, explored)],
  )
  return `${tables.reduce((filled, rows) => filled.replace(ROWS_LINE, () => `${ROWS_KEY}${rows}`), text)}\n`
}

/**
 * Placeholder for the rows of a table, which are formatted separately, one per line: a million rows would be too long
 * in the other form.
 */
const ROWS = '<rows of runs>'
// Text from the file cannot look like a line at this depth.
const ROWS_KEY = `\n${' '.repeat(10)}"rows": `
const ROWS_LINE = `${ROWS_KEY}"${ROWS}"`

function rowsText({ rows: all }: RunTable, explored: TrajectoryOverview['explored']): string {
  const rows = all.map(({ run, state, values, parameterSummary, runtimeSeconds }) =>
    JSON.stringify({
      run,
      state,
      values: Object.fromEntries(
        explored.map(({ name }, index) => [
          name,
          values[index] === undefined ? null : previewJson(values[index]),
        ]),
      ),
      parameter_summary: parameterSummary,
      runtime_seconds: runtimeSeconds ?? null,
    }),
  )
  return rows.length === 0 ? '[]' : `[\n${ROW_INDENT}${rows.join(`,\n${ROW_INDENT}`)}\n          ]`
}

const ROW_INDENT = ' '.repeat(12)

function trajectoryJson(trajectory: TrajectoryOverview) {
  const { name, comment, time, timestamp, version, python, explored } = trajectory
  return {
    name,
    comment,
    time,
    timestamp: cellJson(timestamp),
    version,
    python,
    runs: runsJson(trajectory.runs),
    continuation: continuationJson(trajectory.continuation),
    provenance: provenanceJson(trajectory.provenance),
    explored: explored.map(({ name, comment, type, range }) => ({
      name,
      comment,
      type,
      range: range === undefined ? null : rangeJson(range),
    })),
    parameters: listingJson(trajectory.parameters, parameterJson),
    derived_parameters: listingJson(trajectory.derivedParameters, leafJson),
    results: listingJson(trajectory.results, leafJson),
    sampled_runs: trajectory.sampledRuns,
  }
}

function provenanceJson(provenance: ProvenanceOverview | undefined) {
  return provenance === undefined ? null : { commit: provenance.commit ?? null, state: provenance.state }
}

function runsJson(runs: RunsOverview) {
  const { total, done, failed, left, unmarked, failures, table } = runs
  return {
    total,
    done,
    failed,
    left,
    unmarked,
    failures,
    ...(table && {
      table: {
        rows: ROWS,
        omitted_count: table.omittedCount,
      },
    }),
  }
}

function continuationJson(continuation: ContinuationOverview | undefined) {
  if (continuation === undefined) return null
  const { cntFile, stored, failed, missing } = continuation
  return { cnt_file: cntFile, stored, failed, missing }
}

function rangeJson(range: ExploredRange) {
  return {
    run_count: range.runCount,
    distinct_count: range.distinctCount,
    is_distinct_count_exact: range.isDistinctCountExact,
    values: range.values.map(previewJson),
    minimum: range.minimum === undefined ? null : cellJson(range.minimum),
    maximum: range.maximum === undefined ? null : cellJson(range.maximum),
    has_nan: range.hasNaN,
  }
}

function listingJson<Entry>(
  { entries, count, isCountExact }: Listing<Entry>,
  entryJson: (entry: Entry) => unknown,
) {
  return { count, is_count_exact: isCountExact, entries: entries.map(entryJson) }
}

function parameterJson({ name, comment, isExplored, value }: ParameterOverview) {
  return { name, comment, is_explored: isExplored, ...previewJson(value) }
}

function leafJson({ name, comment, isPerRun, types, shape, example, foundInRuns }: SurveyedLeaf) {
  return {
    name,
    comment,
    is_per_run: isPerRun,
    types,
    shape: shape ?? null,
    example: previewJson(example),
    found_in_runs: foundInRuns,
  }
}

function previewJson({ type, shape, cells }: Preview) {
  if (shape.length === 0)
    return { type, shape, value: cells.length === 0 ? null : cellJson(cells[0] as Cell) }
  return { type, shape, first_values: cells.map(cellJson) }
}

function cellJson(cell: Cell): unknown {
  switch (typeof cell) {
    case 'number':
      return Number.isFinite(cell) ? cell : String(cell)
    case 'bigint':
      return String(cell)
    case 'object':
      break
    default:
      return cell
  }
  if ('real' in cell) return { real: cellJson(cell.real), imaginary: cellJson(cell.imaginary) }
  if ('fields' in cell)
    return { fields: Object.fromEntries(cell.fields.map(([name, value]) => [name, cellJson(value)])) }
  return 'unread' in cell ? { unread: cell.unread } : cell.map(cellJson)
}
