/**
 * Where everything of one trajectory goes in the file, in pypet's layout (docs/format.md). Decides and does
 * nothing: every method returns operations for `hdf5-file`.
 */
import type { ExplorationPlan } from '../exploration/plan.ts'
import { runSummary } from '../exploration/plan.ts'
import type { PoolPart } from '../exploration/value-pool.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { createFilledTable, createTable, type Row, writeRows } from '../hdf5/table.ts'
import { BRANCHES, MEMORY, overviewPath, runName, SRVC } from '../names.ts'
import type { Extension, OpenRequest, RunFailure } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import type { RawGroup, RawLeaf, RawRunRecord } from '../run/run-frame.ts'
import type { LinkRecord } from '../run/run-record.ts'
import { rawParameter } from '../tree/run-nodes.ts'
import { parameterLocation, type RunIndex } from '../values/path.ts'
import { rawValue } from '../values/raw-value.ts'
import { annotationOperations } from './annotation-layout.ts'
import { branchOverviews, exploredInRun } from './branch-overviews.ts'
import {
  batches,
  columnTextBytes,
  explorationsTable,
  GROWING_TEXT_BYTES,
  grownTables,
  RUN_ROW_BYTES,
  rangeRows,
  rangeTable,
  rangeValues,
} from './extension-layout.ts'
import { GrowingTable } from './growing-table.ts'
import type { LayoutMemory } from './layout-memory.ts'
import { leafOperations, replaceScalar } from './leaf-layout.ts'
import {
  FAILED_RUNS,
  failedRunRow,
  INFO,
  infoRow,
  RUNS,
  type RunRowFacts,
  runRow,
  SETTINGS,
  settingsRow,
} from './overview-tables.ts'
import { pytablesGroup, rootAttributes } from './pytables-group.ts'
import { RunOverviews } from './run-overviews.ts'
import { runRows } from './run-rows.ts'

const NOT_RUN = { startTimestamp: 0, finishTimestamp: 0 }

export interface PartsOfRun {
  readonly whole: (leaf: RawLeaf) => RawLeaf
  readonly later: (...batches: readonly (() => readonly Hdf5Operation[])[]) => void
}

const NO_PARTS: PartsOfRun = { whole: (leaf) => leaf, later: () => undefined }

export class TrajectoryLayout {
  readonly #request: OpenRequest
  #plan: ExplorationPlan
  readonly #root: string
  /** Groups that several runs share; a run's own groups are made with the run and forgotten. */
  readonly #sharedGroups: Set<string>
  readonly #memory: LayoutMemory
  readonly #overviews: RunOverviews
  readonly #failedRuns: GrowingTable
  readonly #pendingRows = new Map<RunIndex, RunRowFacts>()
  readonly #pendingFailures: RunFailure[] = []

  /** @param memory of a continued trajectory; else empty */
  constructor(request: OpenRequest, plan: ExplorationPlan, memory: LayoutMemory) {
    this.#request = request
    this.#plan = plan
    this.#memory = memory
    this.#root = `/${request.trajectory.name}`
    this.#sharedGroups = new Set(memory.recordedTexts(MEMORY.groups).map((path) => this.#root + path))
    this.#overviews = new RunOverviews(this.#root, request.storage, plan.runCount, memory)
    const failedRuns = overviewPath(this.#root, 'failed_runs')
    this.#failedRuns = new GrowingTable(failedRuns, FAILED_RUNS, 'failed_runs', memory)
  }

  /**
   * What must be there before a run is: the groups, the runs, parameters and ranges. In batches that can
   * be applied one after the other.
   */
  *open(isNewFile: boolean): Generator<Hdf5Operation[]> {
    const { trajectory } = this.#request
    if (isNewFile) yield rootAttributes(this.#request.fileTitle)
    yield [
      ...pytablesGroup(this.#root, trajectory.name),
      ...(trajectory.comment === ''
        ? []
        : [
            {
              type: 'create-attribute',
              path: this.#root,
              name: SRVC.comment,
              value: trajectory.comment,
            } as const,
          ]),
      ...pytablesGroup(`${this.#root}/overview`, 'overview'),
      ...BRANCHES.flatMap((branch) => pytablesGroup(`${this.#root}/${branch}`, '')),
      ...pytablesGroup(`${this.#root}/results/runs`, ''),
    ]
    for (const branch of BRANCHES) this.#share(`${this.#root}/${branch}`)
    this.#share(`${this.#root}/results/runs`)
    yield this.#metaTables()
    yield* this.#runsTable()
    for (const parameter of this.#request.parameters) {
      yield this.#parameter(parameterLocation(parameter.name), parameter)
    }
    yield* this.#ranges()
    if (this.#request.nodes !== undefined) yield this.#nodes(this.#request.nodes)
  }

  /** Lists and arrays of the ranges that the request has not brought with it. */
  *values(name: string, part: PoolPart): Generator<Hdf5Operation[]> {
    const explored = this.#plan.explored.find((candidate) => candidate.name === name)
    if (explored !== undefined)
      yield* rangeValues(this.#root, explored, part, this.#request.storage.complevel)
  }

  /**
   * What completes the opening and may follow the first runs: config and overviews. Writing them takes
   * longer than a short run, and nobody who waits for a first result should wait for them.
   */
  *settle(): Generator<Hdf5Operation[]> {
    if (this.#memory.value(MEMORY.isSettled) === true) return
    this.#memory.set(MEMORY.isSettled, true)
    for (const parameter of this.#request.config) yield this.#parameter(`config.${parameter.name}`, parameter)
    yield branchOverviews(this.#root, this.#request, this.#plan)
    yield this.#overviews.open()
  }

  /**
   * The groups and leaves of a finished run. Its row in `runs` follows with the commit. When this throws,
   * it is as if the run had never come.
   *
   * @param whole reads a leaf that the run stored before its end
   * @param later takes what writes such a leaf, and all that comes behind it, to be called in this order when what is
   *   returned has been applied: each is laid out once here, to see that it can be, and once more in its turn, so that no two
   *   are in memory
   */
  storeRun(record: RawRunRecord, { whole, later }: PartsOfRun = NO_PARTS): Hdf5Operation[] {
    const { run } = record
    const first: Hdf5Operation[] = []
    let operations = first
    const newGroups = new Set<string>()
    this.#overviews.beginRun()
    try {
      const group = `${this.#root}/results/runs/${runName(run)}`
      this.#ensureGroup(group, newGroups, operations)
      if (this.#request.storage.exploredParameterOverviewInRuns) {
        operations.push(...exploredInRun(group, this.#plan, run))
      }
      for (const described of record.groups ?? []) this.#group(described, newGroups, operations)
      for (const leaf of record.leaves) {
        if (leaf.parts === undefined) this.#leaf(leaf, newGroups, operations)
        else {
          const write = this.#partedLeaf(leaf, whole, newGroups, operations)
          const behind: Hdf5Operation[] = []
          later(write, () => behind)
          operations = behind
        }
      }
      for (const link of record.links ?? []) this.#link(link, newGroups, operations)
      this.#pendingRows.set(run, this.#facts(run, record, true))
    } catch (error) {
      this.#overviews.undoRun()
      throw error
    }
    for (const path of newGroups) if (!path.includes(runName(run))) this.#share(path)
    return first
  }

  /**
   * More runs, none of them completed, and leaves that belong to no run. In batches that can be applied one after the
   * other.
   *
   * @param plan of all runs, those there are among them
   * @throws PypetError `PYPET_EXPLORATION_INVALID`; then before the first batch
   */
  *extend(plan: ExplorationPlan, extension: Extension): Generator<Hdf5Operation[]> {
    const before = this.#plan
    if (plan.runCount > before.runCount) {
      yield* grownTables(this.#root, this.#request, { before, after: plan }, this.#memory)
      this.#plan = plan
      yield* this.#runRowsFrom(before.runCount)
    }
    yield this.#nodes(extension)
    if (extension.postprocessedCount !== undefined) {
      this.#memory.set(MEMORY.postprocessed, extension.postprocessedCount)
    }
  }

  #nodes({ groups, leaves, links }: Pick<Extension, 'groups' | 'leaves' | 'links'>): Hdf5Operation[] {
    const operations: Hdf5Operation[] = []
    const newGroups = new Set<string>()
    for (const described of groups) this.#group(described, newGroups, operations)
    for (const leaf of leaves) this.#leaf(leaf, newGroups, operations)
    for (const link of links) this.#link(link, newGroups, operations)
    for (const path of newGroups) this.#share(path)
    return operations
  }

  #group(group: RawGroup, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    const { comment, annotations } = group
    const path = this.#pathOf(group)
    this.#ensureGroup(path, newGroups, operations)
    if (comment !== '') {
      operations.push({ type: 'create-attribute', path, name: SRVC.comment, value: comment })
    }
    operations.push(...annotationOperations(path, annotations))
  }

  #leaf(leaf: RawLeaf, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    const comment = this.#place(leaf, newGroups, operations)
    for (const operation of this.#leafOperations(leaf, comment)) operations.push(operation)
  }

  /** Gives what writes it. */
  #partedLeaf(
    leaf: RawLeaf,
    whole: PartsOfRun['whole'],
    newGroups: Set<string>,
    operations: Hdf5Operation[],
  ): () => Hdf5Operation[] {
    const checked = whole(leaf)
    const comment = this.#place(checked, newGroups, operations)
    this.#leafOperations(checked, comment)
    return () => this.#leafOperations(whole(leaf), comment)
  }

  /** Makes room for a leaf, and gives the comment that is to be written with it. */
  #place(leaf: RawLeaf, newGroups: Set<string>, operations: Hdf5Operation[]): string {
    const path = this.#pathOf(leaf)
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), newGroups, operations)
    const isOfJob = leaf.kind === 'result' || leaf.location.startsWith('derived_parameters.')
    return isOfJob ? this.#overviews.add(leaf) : leaf.comment
  }

  #leafOperations(leaf: RawLeaf, comment: string): Hdf5Operation[] {
    const isPlain = leaf.location.startsWith('config.')
    return leafOperations(this.#pathOf(leaf), leaf, {
      comment,
      complevel: this.#request.storage.complevel,
      isPlain,
    })
  }

  #pathOf({ location }: { readonly location: string }): string {
    return `${this.#root}/${location.replaceAll('.', '/')}`
  }

  #link(link: LinkRecord, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    const path = this.#pathOf(link)
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), newGroups, operations)
    operations.push({ type: 'create-soft-link', path, target: this.#pathOf({ location: link.target }) })
  }

  /** Notes a failed run; its rows follow with the commit. */
  failRun(failure: RunFailure): void {
    this.#pendingRows.set(failure.run, this.#facts(failure.run, failure, false))
    this.#pendingFailures.push(failure)
  }

  /** What belongs to the runs since the last commit but lies in shared tables. */
  commit(): Hdf5Operation[] {
    const operations = runRows(overviewPath(this.#root, 'runs'), this.#pendingRows)
    operations.push(...this.#failedRuns.append(this.#pendingFailures.map(failedRunRow)))
    operations.push(...this.#overviews.commit())
    this.#pendingRows.clear()
    this.#pendingFailures.length = 0
    return operations
  }

  /** Failed runs are to be performed again: nothing of their failures stays. */
  reopen(failed: readonly RunIndex[]): Hdf5Operation[] {
    for (const run of failed) this.#pendingRows.set(run, this.#facts(run, NOT_RUN, false))
    // What it has seen changes.
    this.#memory.set(MEMORY.postprocessed, -1)
    return this.#failedRuns.clear()
  }

  /** Another environment goes on: its end is one of its own, and that of the one before stays where it is. */
  beginEnvironment(config: readonly Parameter[]): Hdf5Operation[] {
    this.#memory.set(MEMORY.hasLastConfig, false)
    return this.addConfig(config)
  }

  /** More leaves of `config`, such as a continued experiment has. */
  addConfig(config: readonly Parameter[]): Hdf5Operation[] {
    return config.flatMap((parameter) => this.#parameter(`config.${parameter.name}`, parameter))
  }

  /** The last leaves, known only at the end: how long it took. Where there was an end before, it is moved. */
  close(config: readonly Parameter[]): Hdf5Operation[] {
    const hasLastConfig = this.#memory.value(MEMORY.hasLastConfig) === true
    this.#memory.set(MEMORY.hasLastConfig, true)
    if (!hasLastConfig) return this.addConfig(config)
    return config.flatMap(({ name, stored }) =>
      replaceScalar(`${this.#root}/config/${name.replaceAll('.', '/')}`, rawValue(stored)),
    )
  }

  #share(path: string): void {
    this.#sharedGroups.add(path)
    this.#memory.add(MEMORY.groups, path.slice(this.#root.length))
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
    if (explored.length > 0) operations.push(...explorationsTable(this.#root, explored))
    return operations
  }

  /** One row a run from the start, all with `completed` 0. */
  *#runsTable(): Generator<Hdf5Operation[]> {
    const path = overviewPath(this.#root, 'runs')
    const { runCount } = this.#plan
    yield createTable(path, RUNS, 'runs', runCount)
    yield* this.#runRowsFrom(0)
  }

  *#runRowsFrom(firstRun: RunIndex): Generator<Hdf5Operation[]> {
    const path = overviewPath(this.#root, 'runs')
    for (const [first, end] of batches(firstRun, this.#plan.runCount, RUN_ROW_BYTES)) {
      const rows: Row[] = []
      for (let run = first; run < end; run += 1) rows.push(runRow(run, this.#facts(run, NOT_RUN, false)))
      yield writeRows(path, RUNS, first, rows)
    }
  }

  *#ranges(): Generator<Hdf5Operation[]> {
    const { runCount } = this.#plan
    for (const explored of this.#plan.explored) {
      const { name, dtype, textBytesMax, pool } = explored
      if (dtype === 'str' && this.#request.mayGrow === true) {
        this.#memory.set(MEMORY.textBytesOf(name), Math.max(GROWING_TEXT_BYTES, textBytesMax))
      }
      yield* rangeValues(this.#root, explored, { first: 0, values: pool }, this.#request.storage.complevel)
      yield rangeTable(this.#root, explored, columnTextBytes(explored, this.#memory), runCount)
      yield* rangeRows(this.#root, this.#plan, explored, this.#memory, 0)
    }
  }

  #parameter(location: string, parameter: Parameter): Hdf5Operation[] {
    return this.#nodes({ groups: [], leaves: [rawParameter(location, parameter)], links: [] })
  }

  /** Creates a group and those above it, unless they are there. Notes them in `newGroups`. */
  #ensureGroup(path: string, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    if (path === this.#root || this.#sharedGroups.has(path) || newGroups.has(path)) return
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), newGroups, operations)
    operations.push({ type: 'create-group', path })
    newGroups.add(path)
  }

  #facts(
    run: RunIndex,
    times: { readonly startTimestamp: number; readonly finishTimestamp: number },
    completed: boolean,
  ): RunRowFacts {
    const { continuation, trajectory } = this.#request
    return {
      parameterSummary: runSummary(this.#plan, run),
      environmentHexsha: continuation.environment?.hexsha ?? trajectory.environmentHexsha,
      startTimestamp: times.startTimestamp,
      finishTimestamp: times.finishTimestamp,
      completed,
    }
  }
}
