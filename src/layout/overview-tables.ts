/** The meta tables below `<trajectory>/overview` (docs/format.md, section 3): columns and rows. */
import { createHash } from 'node:crypto'
import { defineTable, type Row } from '../hdf5/table.ts'
import { runName, timeText } from '../names.ts'
import type { RunFailure, StorageSettings } from '../protocol.ts'

export const INFO = defineTable([
  ['name', 'S512'],
  ['time', 'S20'],
  ['length', 'int32'],
  ['timestamp', 'float64'],
  ['comment', 'S512'],
  ['python', 'S128'],
  ['version', 'S128'],
])

export const RUNS = defineTable([
  ['idx', 'int32'],
  ['name', 'S128'],
  ['time', 'S20'],
  ['timestamp', 'float64'],
  ['finish_timestamp', 'float64'],
  ['runtime', 'S18'],
  ['parameter_summary', 'S512'],
  ['short_environment_hexsha', 'S7'],
  ['completed', 'int32'],
])

/** Not in pypet: why a run is not completed. Absent until a run fails. */
export const FAILED_RUNS = defineTable([
  ['idx', 'int32'],
  ['name', 'S128'],
  ['error', 'S64'],
  ['message', 'S512'],
  ['stack', 'S2048'],
])

/** Width of the columns for values and ranges. Longer texts are cut. */
export const VALUE_BYTES_MAX = 64
export const RANGE_BYTES_MAX = 1024

/** `config_overview`, `parameters_overview`, `derived_parameters_overview`, `results_overview`. */
export const BRANCH_OVERVIEW = defineTable([
  ['location', 'S512'],
  ['name', 'S128'],
  ['value', `S${VALUE_BYTES_MAX}`],
  ['comment', 'S512'],
])

export const EXPLORED_PARAMETERS_OVERVIEW = defineTable([
  ['location', 'S512'],
  ['name', 'S128'],
  ['value', `S${VALUE_BYTES_MAX}`],
  ['comment', 'S512'],
  ['length', 'int32'],
  ['range', `S${RANGE_BYTES_MAX}`],
])

/** In the group of a run, if enabled. */
export const EXPLORED_IN_RUN_TABLE = defineTable([
  ['name', 'S128'],
  ['value', `S${VALUE_BYTES_MAX}`],
])

/** `results_summary`, `derived_parameters_summary`: one row per name and comment, over all runs. */
export const SUMMARY = defineTable([
  ['location', 'S512'],
  ['name', 'S128'],
  ['value', `S${VALUE_BYTES_MAX}`],
  ['hexdigest', 'S64'],
  ['comment', 'S512'],
])

const HDF5_SETTINGS = [
  ['complib', 'S7'],
  ['complevel', 'int32'],
  ['shuffle', 'bool'],
  ['fletcher32', 'bool'],
  ['pandas_format', 'S7'],
  ['encoding', 'S11'],
  ['config_overview', 'bool'],
  ['parameters_overview', 'bool'],
  ['derived_parameters_overview', 'bool'],
  ['results_overview', 'bool'],
  ['explored_parameters_overview', 'bool'],
  ['derived_parameters_summary', 'bool'],
  ['results_summary', 'bool'],
  ['purge_duplicate_comments', 'bool'],
  ['results_per_run', 'int32'],
  ['derived_parameters_per_run', 'int32'],
] as const
export const SETTINGS = defineTable(HDF5_SETTINGS)

/** pypet limits each overview to this many rows. */
export const OVERVIEW_ROWS_MAX = 1000

/** The content of the row of `info`. */
interface TrajectoryFacts {
  readonly name: string
  readonly timestamp: number
  readonly runCount: number
  readonly comment: string
  readonly runtimeVersion: string
  readonly version: string
}

export function infoRow(trajectory: TrajectoryFacts): Row {
  const { name, timestamp, runCount, comment, runtimeVersion, version } = trajectory
  return [name, timeText(timestamp), runCount, timestamp, comment, runtimeVersion, version]
}

export function settingsRow(storage: StorageSettings): Row {
  const { complevel, overviews, purgeDuplicateComments } = storage
  return [
    'zlib',
    complevel,
    false,
    false,
    'fixed',
    'utf8',
    overviews.config,
    overviews.parameters,
    overviews.derivedParameters,
    overviews.results,
    overviews.exploredParameters,
    overviews.derivedParametersSummary,
    overviews.resultsSummary,
    purgeDuplicateComments,
    storage.resultsPerRun,
    storage.derivedParametersPerRun,
  ]
}

/** The content of a row of `runs`, besides the run's index. */
export interface RunRowFacts {
  readonly parameterSummary: string
  readonly environmentHexsha: string
  readonly startTimestamp: number
  readonly finishTimestamp: number
  readonly completed: boolean
}

export function runRow(run: number, facts: RunRowFacts): Row {
  const { startTimestamp, finishTimestamp } = facts
  const ended = finishTimestamp > 0
  return [
    run,
    runName(run),
    startTimestamp > 0 ? timeText(startTimestamp) : '',
    startTimestamp,
    finishTimestamp,
    ended ? runtimeText(finishTimestamp - startTimestamp) : '',
    facts.parameterSummary,
    facts.environmentHexsha.slice(0, 7),
    facts.completed ? 1 : 0,
  ]
}

export function failedRunRow({
  run,
  error,
}: {
  readonly run: number
  readonly error: Pick<RunFailure['error'], 'name' | 'message' | 'stack'>
}): Row {
  return [run, runName(run), error.name, error.message, error.stack]
}

export function overviewRow(fullName: string, value: string, comment: string): Row {
  const [location, name] = splitName(fullName)
  return [location, name, value, comment]
}

export function summaryRow(fullName: string, value: string, comment: string): Row {
  const [location, name] = splitName(fullName)
  return [location, name, value, commentHexdigest(comment), comment]
}

/** pypet uses it to look up a comment. */
export function commentHexdigest(comment: string): string {
  return createHash('sha1').update(comment).digest('hex')
}

/** Python's `str(timedelta)`: `0:00:00.008130`, `2 days, 3:04:05`. */
function runtimeText(seconds: number): string {
  const microseconds = Math.max(0, Math.round(seconds * 1e6))
  const fraction = microseconds % 1e6
  const whole = (microseconds - fraction) / 1e6
  const days = Math.floor(whole / 86_400)
  const two = (part: number) => String(part).padStart(2, '0')
  const clock = `${Math.floor(whole / 3600) % 24}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
  const dayText = days === 0 ? '' : `${days} day${days === 1 ? '' : 's'}, `
  return `${dayText}${clock}${fraction === 0 ? '' : `.${String(fraction).padStart(6, '0')}`}`
}

function splitName(fullName: string): [location: string, name: string] {
  const dot = fullName.lastIndexOf('.')
  return [fullName.slice(0, Math.max(0, dot)), fullName.slice(dot + 1)]
}
