/**
 * Where everything of one trajectory goes in the file, in pypet's layout (FORMAT). Decides and does
 * nothing: every method returns operations for `hdf5-file`.
 */
import type { ExplorationPlan } from '../exploration/expand.ts'
import { exploredColumn, runSummary } from '../exploration/expand.ts'
import type { OpenRequest, RunFailure } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import { BRANCHES, type RunIndex, runName } from '../trajectory/path.ts'
import { pythonRepr } from '../trajectory/python-repr.ts'
import { type RawRunRecord, rawValue } from '../trajectory/run-frame.ts'
import { GrowingTable } from './growing-table.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import { createFilledTable, createTable, defineTable, type Row, writeRows } from './hdf5-table.ts'
import { exploredRows, exploredTable, parameterLeaf, resultLeaf, type ScalarDtype } from './leaf-layout.ts'
import {
  BRANCH_OVERVIEW,
  EXPLORED_PARAMETERS_OVERVIEW,
  FAILED_RUNS,
  failedRunRow,
  INFO,
  infoRow,
  OVERVIEW_ROWS_MAX,
  overviewRow,
  RUNS,
  type RunRowFacts,
  runRow,
  SETTINGS,
  settingsRow,
} from './overview-tables.ts'
import { RunOverviews } from './run-overviews.ts'

/** Rows written at a time when a table is filled: a few megabytes. */
const BATCH_ROWS = 4096

export class TrajectoryLayout {
  readonly #request: OpenRequest
  readonly #plan: ExplorationPlan
  readonly #root: string
  /** Groups that several runs share; a run's own groups are made with the run and forgotten. */
  readonly #sharedGroups = new Set<string>()
  readonly #overviews: RunOverviews
  readonly #failedRuns: GrowingTable
  readonly #pendingRows = new Map<RunIndex, RunRowFacts>()
  readonly #pendingFailures: RunFailure[] = []

  constructor(request: OpenRequest, plan: ExplorationPlan) {
    this.#request = request
    this.#plan = plan
    this.#root = `/${request.trajectory.name}`
    this.#overviews = new RunOverviews(this.#root, request.storage)
    this.#failedRuns = new GrowingTable(`${this.#root}/overview/failed_runs`, FAILED_RUNS, 'failed_runs')
  }

  /**
   * What must be there before a run is: the groups, the runs, parameters and ranges. In batches that can
   * be applied one after the other.
   */
  *open(isNewFile: boolean): Generator<Hdf5Operation[]> {
    const { trajectory } = this.#request
    if (isNewFile) yield rootAttributes(this.#request.fileTitle)
    yield [
      ...group(this.#root, trajectory.name),
      ...(trajectory.comment === ''
        ? []
        : [
            {
              type: 'create-attribute',
              path: this.#root,
              name: 'SRVC_INIT_COMMENT',
              value: trajectory.comment,
            } as const,
          ]),
      ...group(`${this.#root}/overview`, 'overview'),
      ...BRANCHES.flatMap((branch) => group(`${this.#root}/${branch}`, '')),
      ...group(`${this.#root}/results/runs`, ''),
    ]
    for (const branch of BRANCHES) this.#sharedGroups.add(`${this.#root}/${branch}`)
    this.#sharedGroups.add(`${this.#root}/results/runs`)
    yield this.#metaTables()
    yield* this.#runsTable()
    for (const parameter of this.#request.parameters) yield this.#parameter('parameters', parameter)
    yield* this.#ranges()
  }

  /**
   * What completes the opening and may follow the first runs: config and overviews. Writing them takes
   * longer than a short run, and nobody who waits for a first result should wait for them.
   */
  *settle(): Generator<Hdf5Operation[]> {
    for (const parameter of this.#request.config) yield this.#parameter('config', parameter)
    yield this.#branchOverviews()
  }

  /** The groups and leaves of a finished run. Its row in `runs` follows with the commit. */
  storeRun(record: RawRunRecord): Hdf5Operation[] {
    const { run } = record
    const operations: Hdf5Operation[] = []
    const ownGroups = new Set<string>()
    this.#ensureGroup(`${this.#root}/results/runs/${runName(run)}`, run, ownGroups, operations)
    for (const leaf of record.leaves) {
      const path = `${this.#root}/${leaf.location.replaceAll('.', '/')}`
      this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), run, ownGroups, operations)
      const comment = this.#overviews.add(leaf)
      const options = { comment, complevel: this.#request.storage.complevel }
      if (leaf.kind === 'result') operations.push(...resultLeaf(path, leaf.items, options))
      else for (const item of leaf.items) operations.push(...parameterLeaf(path, item.value, options))
    }
    this.#pendingRows.set(run, this.#facts(run, record, true))
    return operations
  }

  /** Notes a failed run; its rows follow with the commit. */
  failRun(failure: RunFailure): void {
    this.#pendingRows.set(failure.run, this.#facts(failure.run, failure, false))
    this.#pendingFailures.push(failure)
  }

  /** What belongs to the runs since the last commit but lies in shared tables. */
  commit(): Hdf5Operation[] {
    const operations = this.#runRows()
    operations.push(...this.#failedRuns.append(this.#pendingFailures.map(failedRunRow)))
    operations.push(...this.#overviews.commit())
    this.#pendingRows.clear()
    this.#pendingFailures.length = 0
    return operations
  }

  /** The last leaves, known only at the end: how long it took. */
  close(config: readonly Parameter[]): Hdf5Operation[] {
    return config.flatMap((parameter) => this.#parameter('config', parameter))
  }

  #metaTables(): Hdf5Operation[] {
    const overview = `${this.#root}/overview`
    const { explored, runCount } = this.#plan
    const operations = [
      ...createFilledTable(`${overview}/info`, INFO, 'info', [infoRow(this.#request, runCount)]),
      ...createFilledTable(`${overview}/hdf5_settings`, SETTINGS, 'hdf5_settings', [
        settingsRow(this.#request.storage),
      ]),
    ]
    if (explored.length > 0) {
      const names = explored.map(({ name }) => `parameters.${name}`)
      const longest = Math.max(...names.map((name) => name.length))
      const table = defineTable([['explorations', `S${Math.floor(longest * 1.5)}`]])
      operations.push(
        ...createFilledTable(
          `${overview}/explorations`,
          table,
          '',
          names.map((name) => [name]),
        ),
      )
    }
    return operations
  }

  /** One row a run from the start, all with `completed` 0. */
  *#runsTable(): Generator<Hdf5Operation[]> {
    const path = `${this.#root}/overview/runs`
    const { runCount } = this.#plan
    yield createTable(path, RUNS, 'runs', runCount)
    const notRun = { startTimestamp: 0, finishTimestamp: 0 }
    for (let first = 0; first < runCount; first += BATCH_ROWS) {
      const rows: Row[] = []
      for (let run = first; run < Math.min(first + BATCH_ROWS, runCount); run += 1) {
        rows.push(runRow(run, this.#facts(run, notRun, false)))
      }
      yield writeRows(path, RUNS, first, rows)
    }
  }

  *#ranges(): Generator<Hdf5Operation[]> {
    const { runCount } = this.#plan
    for (const { name, dtype, textBytesMax } of this.#plan.explored) {
      const path = `${this.#root}/parameters/${name.replaceAll('.', '/')}`
      yield exploredTable(path, dtype as ScalarDtype, textBytesMax, runCount)
      for (let first = 0; first < runCount; first += BATCH_ROWS) {
        const column = exploredColumn(this.#plan, name, first, Math.min(first + BATCH_ROWS, runCount))
        yield exploredRows(path, dtype as ScalarDtype, textBytesMax, first, column)
      }
    }
  }

  #branchOverviews(): Hdf5Operation[] {
    const overview = `${this.#root}/overview`
    const { config, parameters, storage } = this.#request
    const rowsOf = (branch: string, leaves: readonly Parameter[]) =>
      leaves
        .slice(0, OVERVIEW_ROWS_MAX)
        .map(({ name, stored, comment }) => overviewRow(`${branch}.${name}`, pythonRepr(stored), comment))
    const operations: Hdf5Operation[] = []
    if (storage.overviews.config) {
      const rows = rowsOf('config', config)
      operations.push(
        ...createFilledTable(`${overview}/config_overview`, BRANCH_OVERVIEW, 'config_overview', rows),
      )
    }
    if (storage.overviews.parameters) {
      const rows = rowsOf('parameters', parameters)
      operations.push(
        ...createFilledTable(`${overview}/parameters_overview`, BRANCH_OVERVIEW, 'parameters_overview', rows),
      )
    }
    if (storage.overviews.exploredParameters && this.#plan.explored.length > 0) {
      operations.push(...this.#exploredOverview(`${overview}/explored_parameters_overview`))
    }
    operations.push(...this.#overviews.open())
    return operations
  }

  #exploredOverview(path: string): Hdf5Operation[] {
    const rows = this.#plan.explored.slice(0, OVERVIEW_ROWS_MAX).map(({ name, parameter }): Row => {
      const row = overviewRow(`parameters.${name}`, pythonRepr(parameter.stored), parameter.comment)
      return [...row, this.#plan.runCount, this.#rangeText(name)]
    })
    return createFilledTable(path, EXPLORED_PARAMETERS_OVERVIEW, 'explored_parameters_overview', rows)
  }

  /** The beginning of the range: the column holds 1024 bytes, so 512 values always suffice. */
  #rangeText(name: string): string {
    const explored = this.#plan.explored.find((entry) => entry.name === name)
    const end = Math.min(512, this.#plan.runCount)
    const values = Array.from<number | bigint | string>(exploredColumn(this.#plan, name, 0, end) as string[])
    const dtype = explored?.dtype as ScalarDtype
    return values
      .map((value) => pythonRepr({ form: 'scalar', dtype, value: dtype === 'bool' ? Boolean(value) : value }))
      .join(', ')
  }

  #parameter(branch: 'config' | 'parameters', { name, stored, comment }: Parameter): Hdf5Operation[] {
    const path = `${this.#root}/${branch}/${name.replaceAll('.', '/')}`
    const operations: Hdf5Operation[] = []
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), -1, new Set(), operations)
    const options = { comment, complevel: this.#request.storage.complevel }
    operations.push(...parameterLeaf(path, rawValue(stored), options))
    return operations
  }

  /** Creates a group and those above it, unless they are there. */
  #ensureGroup(path: string, run: RunIndex, ownGroups: Set<string>, operations: Hdf5Operation[]): void {
    if (path === this.#root || this.#sharedGroups.has(path) || ownGroups.has(path)) return
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), run, ownGroups, operations)
    operations.push({ type: 'create-group', path })
    if (run >= 0 && path.includes(runName(run))) ownGroups.add(path)
    else this.#sharedGroups.add(path)
  }

  #facts(
    run: RunIndex,
    times: { readonly startTimestamp: number; readonly finishTimestamp: number },
    completed: boolean,
  ): RunRowFacts {
    return {
      parameterSummary: runSummary(this.#plan, run),
      environmentHexsha: this.#request.trajectory.environmentHexsha,
      startTimestamp: times.startTimestamp,
      finishTimestamp: times.finishTimestamp,
      completed,
    }
  }

  /** Neighbouring runs are written together: each write unpacks and packs a whole chunk. */
  #runRows(): Hdf5Operation[] {
    const path = `${this.#root}/overview/runs`
    const runs = [...this.#pendingRows.keys()].sort((a, b) => a - b)
    const operations: Hdf5Operation[] = []
    for (let start = 0; start < runs.length; ) {
      const first = runs[start] as RunIndex
      let end = start + 1
      while (end < runs.length && runs[end] === first + (end - start)) end += 1
      const rows = runs.slice(start, end).map((run) => runRow(run, this.#pendingRows.get(run) as RunRowFacts))
      operations.push(...writeRows(path, RUNS, first, rows))
      start = end
    }
    return operations
  }
}

function rootAttributes(title: string): Hdf5Operation[] {
  return [
    { type: 'create-attribute', path: '/', name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path: '/', name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path: '/', name: 'TITLE', value: title },
    { type: 'create-attribute', path: '/', name: 'PYTABLES_FORMAT_VERSION', value: '2.1' },
  ]
}

function group(path: string, title: string): Hdf5Operation[] {
  return [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path, name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path, name: 'TITLE', value: title },
  ]
}
