import { compareEnvironments, overviewPath, SRVC } from '../names.ts'
import { exploredNames } from '../reading/explored-names.ts'
import { type Leaf, previewParameter, type RangePlace, rangePlace, readLeaf } from '../reading/leaf-reader.ts'
import { walkLeaves } from '../reading/leaf-walk.ts'
import { type Preview, unreadPreview } from '../reading/preview.ts'
import { readHdf5 } from '../reading/read-hdf5.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { parameterLocation, parameterName, type RunIndex } from '../values/path.ts'
import { chooseTrajectories } from './choose-trajectory.ts'
import { summariseRange } from './explored-range.ts'
import { type SummaryRow, surveyLeaves } from './leaf-survey.ts'
import { type RunStates, readRunStates, unmarkedRuns } from './run-states.ts'
import { readRunTable } from './run-table.ts'
import type {
  ContinuationOverview,
  ExploredOverview,
  FileOverview,
  Listing,
  ParameterOverview,
  ProvenanceOverview,
  TrajectoryOverview,
} from './trajectory-overview.ts'

export interface SummariseOptions {
  /** Only this trajectory. */
  readonly trajectory?: string | undefined
  /** Also the rows of the runs: the first and last ones, or all. */
  readonly runs?: 'ends' | 'all' | undefined
}

/**
 * Summarises the trajectories of an HDF5 file, as of the last commit if it is unfinished. Writes nothing. Tables are
 * read whole, but in slices. Only three runs are opened, so that the time hardly grows with their number.
 *
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NO_TRAJECTORY`,
 *   `PYPET_TRAJECTORY_NOT_FOUND`; `PYPET_STORAGE_FAILED` if the tables of a trajectory are damaged;
 *   `PYPET_FILE_CHANGING` if it is being written faster than it can be read
 */
export function summariseFile(file: string, options: SummariseOptions = {}): Promise<FileOverview> {
  return readHdf5(file, (reader) => {
    const names = chooseTrajectories(reader, options.trajectory)
    const trajectories = names.map((name) => summariseTrajectory(reader, name, options.runs))
    trajectories.sort((left, right) => left.timestamp - right.timestamp)
    return { file, fileBytes: reader.fileBytes, notes: reader.notes, trajectories }
  })
}

function summariseTrajectory(
  reader: Hdf5Reader,
  name: string,
  rows: SummariseOptions['runs'],
): TrajectoryOverview {
  const path = `/${name}`
  const states = readRunStates(reader, path)
  const unmarked = unmarkedRuns(reader, path, states)
  const sampledRuns = sampleRuns(states, unmarked)
  const explored = exploredNames(reader, name)
  const explorations = explored.map((fullName) => summariseExplored(reader, path, fullName))
  const { total, done, failed, left, failures } = states
  return {
    name,
    ...readInfo(reader, path),
    runs: {
      total,
      done,
      failed,
      left,
      unmarked: unmarked.length,
      failures,
      ...(rows !== undefined && {
        table: readRunTable(
          reader,
          path,
          states,
          explorations.map(({ column }) => column),
          rows,
        ),
      }),
    },
    continuation: findContinuation(reader, name, total),
    provenance: findProvenance(reader, path),
    explored: explorations.map(({ explored }) => explored),
    parameters: readParameters(reader, path, new Set(explored)),
    derivedParameters: surveyBranch(reader, path, 'derived_parameters', sampledRuns, explored),
    results: surveyBranch(reader, path, 'results', sampledRuns),
    sampledRuns,
  }
}

function surveyBranch(
  reader: Hdf5Reader,
  path: string,
  branch: 'results' | 'derived_parameters',
  sampledRuns: readonly RunIndex[],
  explored: readonly string[] = [],
) {
  const summary = readSummary(reader, overviewPath(path, `${branch}_summary`))
  return surveyLeaves(reader, `${path}/${branch}`, { sampledRuns, summary, explored })
}

/** For each name and comment, the leaf that had it first; pypet keeps one per comment. */
function readSummary(reader: Hdf5Reader, table: string): SummaryRow[] {
  const rows: SummaryRow[] = []
  if (reader.kind(table) !== 'dataset') return rows
  reader.scanRows(
    table,
    ['location', 'name', 'comment'],
    (_, [location, name, comment]) => {
      rows.push({ fullName: `${location}.${name}`, comment: String(comment) })
    },
    { start: 0, end: SUMMARY_ROWS_MAX },
  )
  return rows
}

/** Enough for the overview; pypet writes at most a thousand. */
const SUMMARY_ROWS_MAX = 1000

function findContinuation(
  reader: Hdf5Reader,
  name: string,
  runCount: number,
): ContinuationOverview | undefined {
  const unfinished = reader.unfinished.find(({ trajectory }) => trajectory === name)
  if (unfinished === undefined) return undefined
  const { cntFile, stored, failed } = unfinished
  return { cntFile, stored, failed, missing: Math.max(0, runCount - stored - failed) }
}

function findProvenance(reader: Hdf5Reader, path: string): ProvenanceOverview | undefined {
  const environments = `${path}/config/environment`
  if (reader.kind(environments) !== 'group') return undefined
  const names = reader.children(environments).sort(compareEnvironments)
  const found = names.flatMap((name) => {
    const git = `${environments}/${name}/provenance/git`
    const state = textAt(reader, `${git}/state`)
    return state === undefined ? [] : [{ state, commit: textAt(reader, `${git}/hexsha`) }]
  })
  return found.at(-1)
}

function textAt(reader: Hdf5Reader, leaf: string): string | undefined {
  let text: string | undefined
  if (reader.kind(`${leaf}/data`) !== 'dataset') return undefined
  reader.scanRows(`${leaf}/data`, ['data'], (_, [cell]) => {
    text = String(cell)
  })
  return text
}

function readInfo(reader: Hdf5Reader, path: string) {
  let info = { comment: '', time: '', timestamp: 0, version: '', python: '' }
  const columns = ['comment', 'time', 'timestamp', 'version', 'python']
  const readRow = (_: number, [comment, time, timestamp, version, python]: readonly unknown[]) => {
    info = {
      comment: String(comment ?? ''),
      time: String(time ?? ''),
      timestamp: typeof timestamp === 'number' ? timestamp : 0,
      version: String(version ?? ''),
      python: String(python ?? ''),
    }
  }
  reader.scanRows(overviewPath(path, 'info'), columns, readRow, { start: 0, end: 1 })
  // The row holds 512 characters; the node's attribute holds the whole text.
  const comment = reader.attribute(path, SRVC.comment)
  return typeof comment === 'string' && comment !== '' ? { ...info, comment } : info
}

function sampleRuns(states: RunStates, unmarked: readonly RunIndex[]): RunIndex[] {
  const count = states.done > 0 ? states.done : unmarked.length
  const positions = [0, Math.floor(count / 2), count - 1].filter(
    (position) => position >= 0 && position < count,
  )
  const runs = positions.map((position) =>
    states.done > 0 ? states.doneAt(position) : (unmarked[position] ?? 0),
  )
  return [...new Set(runs)]
}

interface ExploredSummary {
  readonly explored: ExploredOverview
  readonly column: RangePlace | undefined
}

function summariseExplored(reader: Hdf5Reader, trajectoryPath: string, fullName: string): ExploredSummary {
  const name = parameterName(fullName)
  const path = `${trajectoryPath}/${fullName.replaceAll('.', '/')}`
  const leaf = reader.kind(path) === 'group' ? readLeaf(reader, path) : undefined
  const column = leaf && rangePlace(reader, leaf)
  const comment = leaf?.comment ?? ''
  if (column === undefined) return { explored: { name, comment, type: '', range: undefined }, column }
  const range = summariseRange(reader, column)
  return { explored: { name, comment, type: range.values[0]?.type ?? '', range }, column }
}

/** Parameters to read; further ones are only counted. */
const PARAMETERS_MAX = 1000

function readParameters(
  reader: Hdf5Reader,
  path: string,
  explored: ReadonlySet<string>,
): Listing<ParameterOverview> {
  const entries: ParameterOverview[] = []
  let count = 0
  const visit = (leaf: Leaf, name: string) => {
    count += 1
    if (entries.length >= PARAMETERS_MAX) return
    const isExplored = explored.has(parameterLocation(name))
    entries.push({ name, comment: leaf.comment, isExplored, value: readValue(reader, leaf) })
  }
  const isCountExact = walkLeaves(reader, `${path}/parameters`, visit)
  return { entries, count, isCountExact }
}

/** A parameter that cannot be read does not hide the others. */
function readValue(reader: Hdf5Reader, leaf: Leaf): Preview {
  try {
    return previewParameter(reader, leaf)
  } catch (error) {
    return unreadPreview('unreadable', (error as Error).message)
  }
}
