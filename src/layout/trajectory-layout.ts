/**
 * Where everything of one trajectory goes in the file, in pypet's layout (docs/format.md). Only decides: every method
 * returns operations for `hdf5/file`.
 */
import { PypetError } from '../errors.ts'
import type { ExplorationPlan, ExploredParameter } from '../exploration/run-point.ts'
import type { PoolPart } from '../exploration/value-pool.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { isRunName, MEMORY, overviewPath, RUN_STATUS, runName } from '../names.ts'
import type { Extension, OpenRequest, RunFailure } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import type { RawGroup, RawLeaf, RawRunRecord } from '../run/run-frame.ts'
import type { LinkRecord } from '../run/run-record.ts'
import type { RunRows } from '../run/run-rows.ts'
import type { RunTimes } from '../tree/run-information.ts'
import { rawParameter } from '../tree/run-nodes.ts'
import { parameterLocation, parameterName, type RunIndex } from '../values/path.ts'
import { rawValue } from '../values/raw-value.ts'
import { nodeAttributes } from './annotation-layout.ts'
import { GrowingTable } from './growing-table.ts'
import type { LayoutMemory } from './layout-memory.ts'
import { leafOperations, replaceScalar } from './leaf-layout.ts'
import { FAILED_RUNS, failedRunRow, type RunRowFacts } from './overview-tables.ts'
import { PYTABLES_GROUPS, rootAttributes, treeGroup } from './pytables-group.ts'
import { newRange, rangeValues, type StoredRange } from './range-layout.ts'
import { assertNoColumns, type EndedBefore, RunColumns } from './run-columns.ts'
import { RunOverviews } from './run-overviews.ts'
import { planShape, type TrajectoryShape } from './trajectory-shape.ts'
import {
  exploredInRun,
  grownTrajectory,
  newTrajectory,
  overviewTables,
  pathIn,
  runRows,
  type StoredTables,
} from './trajectory-tables.ts'

/** Least width of a text column, to leave room for later texts: its size cannot change. */
const GROWING_TEXT_BYTES = 64

/** Rows are written before the commit if so many wait. */
const PENDING_RUNS_MAX = 4096

export interface PartsOfRun {
  readonly whole: (leaf: RawLeaf) => RawLeaf
  readonly later: (...batches: readonly (() => readonly Hdf5Operation[])[]) => void
}

const NO_PARTS: PartsOfRun = { whole: (leaf) => leaf, later: () => undefined }

export class TrajectoryLayout {
  readonly #request: OpenRequest
  #plan: ExplorationPlan
  #shape: TrajectoryShape
  readonly #root: string
  /** Groups shared by several runs. A run's own groups are created with the run and forgotten. */
  readonly #sharedGroups: Set<string>
  readonly #memory: LayoutMemory
  readonly #overviews: RunOverviews
  readonly #failedRuns: GrowingTable
  /** Undefined if they are switched off. */
  readonly #columns: RunColumns | undefined
  readonly #pendingRows = new Map<RunIndex, RunRowFacts>()
  readonly #pendingFailures: RunFailure[] = []
  /** Runs that are performed again. Their rows tell of the attempt before until they end, or until the storage does. */
  readonly #reopened = new Set<RunIndex>()

  /**
   * @param memory of a continued trajectory. Otherwise empty.
   * @param ended runs that the file holds already
   */
  constructor(request: OpenRequest, plan: ExplorationPlan, memory: LayoutMemory, ended?: EndedBefore) {
    this.#request = request
    this.#plan = plan
    this.#shape = planShape(request, plan)
    this.#memory = memory
    this.#root = `/${request.trajectory.name}`
    this.#sharedGroups = new Set(memory.recordedTexts(MEMORY.groups).map((path) => this.#root + path))
    this.#overviews = new RunOverviews(this.#root, request.storage, plan.runCount, memory)
    const failedRuns = overviewPath(this.#root, 'failed_runs')
    this.#failedRuns = new GrowingTable(failedRuns, FAILED_RUNS, 'failed_runs', memory)
    const { layout, overviews } = request.storage
    if (layout === 'columns' || overviews.columns) {
      const { runCount } = plan
      this.#columns = new RunColumns({ root: this.#root, layout, runCount, memory, ended })
    }
  }

  /** What must exist before the first run: the groups, the runs, parameters and ranges. Apply the batches in order. */
  *open(isNewFile: boolean): Generator<Hdf5Operation[]> {
    if (isNewFile) yield rootAttributes(this.#request.fileTitle)
    yield* newTrajectory(this.#shape, this.#request.storage)
    for (const name of PYTABLES_GROUPS) {
      yield treeGroup(this.#pathOf(name), name)
      this.#share(this.#pathOf(name))
    }
    for (const parameter of this.#request.parameters) {
      yield this.#parameter(parameterLocation(parameter.name), parameter)
    }
    for (const explored of this.#plan.explored) {
      if (this.#request.mayGrow === true) this.#reserveText(explored)
    }
    for (const explored of this.#shape.explored) {
      const { complevel } = this.#request.storage
      yield* newRange(
        this.#pathOf(explored.fullName),
        explored.range(),
        complevel,
        this.#textBytesOf(explored),
      )
    }
    if (this.#request.nodes !== undefined) yield this.#nodes(this.#request.nodes)
    if (this.#isInColumns) yield this.#columns?.open() ?? []
  }

  /** Results are in columns where they fit. */
  get #isInColumns(): boolean {
    return this.#request.storage.layout === 'columns'
  }

  /** Lists and arrays of the ranges that were not part of the request. */
  *values(name: string, part: PoolPart): Generator<Hdf5Operation[]> {
    const preset = this.#plan.explored.find((explored) => explored.name === name)?.parameter.stored
    // Single values are in the rows.
    if (preset === undefined || preset.form === 'scalar') return
    yield* rangeValues(this.#pathOf(parameterLocation(name)), preset, part, this.#request.storage.complevel)
  }

  /**
   * Completes the opening: config and overviews. They may follow the first runs, because writing them takes longer than
   * a short run and must not delay the first result.
   */
  *settle(): Generator<Hdf5Operation[]> {
    if (this.#memory.value(MEMORY.isSettled) === true) return
    this.#memory.set(MEMORY.isSettled, true)
    for (const parameter of this.#request.config) yield this.#parameter(`config.${parameter.name}`, parameter)
    yield overviewTables(this.#shape, this.#request.storage.overviews)
    yield [...this.#overviews.open(), ...(this.#columns?.open() ?? [])]
  }

  /**
   * The groups and leaves of a finished run. Its row in `runs` follows with the commit. If this throws, the run leaves
   * no trace.
   *
   * @param whole reads a leaf that the run stored early
   * @param later takes the functions that write such a leaf, and everything after it. Call them in this order when the
   *   returned operations have been applied. Each leaf is laid out once here, to check that it can be, and once more in
   *   its turn, so that no two are in memory.
   */
  storeRun(record: RawRunRecord, { whole, later }: PartsOfRun = NO_PARTS): Hdf5Operation[] {
    const { run } = record
    const first: Hdf5Operation[] = []
    let operations = first
    const newGroups = new Set<string>()
    this.#overviews.beginRun()
    this.#columns?.beginRun()
    // A link needs its target in the file.
    const isInColumns = this.#isInColumns && (record.links?.length ?? 0) === 0
    try {
      const group = `${this.#root}/results/runs/${runName(run)}`
      if (!isInColumns) this.#ensureGroup(group, newGroups, operations)
      if (this.#request.storage.exploredParameterOverviewInRuns) {
        this.#ensureGroup(group, newGroups, operations)
        operations.push(...exploredInRun(group, this.#shape, run))
      }
      for (const described of record.groups ?? []) this.#group(described, newGroups, operations)
      for (const leaf of record.leaves) {
        // What was stored early is read from the worker's file.
        const read = leaf.parts === undefined ? leaf : whole(leaf)
        const isInColumn = this.#columns?.add(run, read) === true
        if (isInColumns && isInColumn) this.#overviews.add(read)
        else if (leaf.parts === undefined) this.#leaf(leaf, newGroups, operations)
        else {
          const write = this.#partedLeaf(leaf, read, whole, newGroups, operations)
          const behind: Hdf5Operation[] = []
          later(write, () => behind)
          operations = behind
        }
      }
      for (const link of record.links ?? []) this.#link(link, newGroups, operations)
      this.#setRow(run, record, true)
    } catch (error) {
      this.#overviews.undoRun()
      this.#columns?.undoRun()
      throw error
    }
    this.#endColumns(RUN_STATUS.stored, record)
    for (const path of newGroups) if (!path.includes(runName(run))) this.#share(path)
    return first
  }

  /**
   * Packed runs whose leaves are whole in columns and change no overview.
   *
   * @returns false if they are others: then nothing was done, and `storeRun` takes each
   */
  storeRows(rows: RunRows): boolean {
    if (!this.#isInColumns || this.#columns === undefined) return false
    if (this.#request.storage.exploredParameterOverviewInRuns) return false
    if (!rows.leaves.every((leaf) => this.#overviews.isKnown(rows.leaf(leaf, 0)))) return false
    if (!this.#columns.addRows(rows)) return false
    const { first, count, attempts = 1 } = rows
    for (let row = 0; row < count; row += 1) {
      const run = first + row
      const times = { startTimestamp: rows.startTimestamp(row), finishTimestamp: rows.finishTimestamp(row) }
      this.#setRow(run, times, true)
      this.#endColumns(RUN_STATUS.stored, { run, attempts, ...times })
    }
    return true
  }

  /**
   * Adds runs, none of them completed, and leaves that belong to no run. Apply the batches in order.
   *
   * @param plan of all runs, including the existing ones
   * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_NAME_TAKEN`, `PYPET_RUN_ENDED`, before the first batch
   */
  *extend(plan: ExplorationPlan, extension: Extension): Generator<Hdf5Operation[]> {
    const before = this.#plan
    for (const { location } of [...extension.groups, ...extension.leaves, ...extension.links]) {
      this.#assertFree(location)
      assertOutsideRuns(location)
    }
    if (plan.runCount > before.runCount) {
      for (const explored of plan.explored) this.#assertFits(explored, before)
      const stored = this.#storedTables(before)
      if (!stored.hasExplorations) for (const explored of plan.explored) this.#reserveText(explored)
      this.#plan = plan
      this.#shape = planShape(this.#request, plan)
      yield* grownTrajectory(this.#shape, stored, {
        complevel: this.#request.storage.complevel,
        hasExploredOverview: stored.hasExploredOverview,
        textBytesOf: (explored) => this.#textBytesOf(explored),
      })
      yield this.#columns?.grow(plan.runCount) ?? []
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

  #assertFree(fullName: string): void {
    assertNoColumns(fullName, this.#request.storage.layout)
  }

  #group(group: RawGroup, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    this.#assertFree(group.location)
    const path = this.#pathOf(group.location)
    this.#ensureGroup(path, newGroups, operations)
    operations.push(...nodeAttributes(path, group))
  }

  #leaf(leaf: RawLeaf, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    const comment = this.#place(leaf, newGroups, operations)
    for (const operation of this.#leafOperations(leaf, comment)) operations.push(operation)
  }

  /** Returns a function that writes it. */
  #partedLeaf(
    leaf: RawLeaf,
    checked: RawLeaf,
    whole: PartsOfRun['whole'],
    newGroups: Set<string>,
    operations: Hdf5Operation[],
  ): () => Hdf5Operation[] {
    const comment = this.#place(checked, newGroups, operations)
    this.#leafOperations(checked, comment)
    return () => this.#leafOperations(whole(leaf), comment)
  }

  /** Prepares the place of a leaf, and returns the comment to write with it. */
  #place(leaf: RawLeaf, newGroups: Set<string>, operations: Hdf5Operation[]): string {
    this.#assertFree(leaf.location)
    const path = this.#pathOf(leaf.location)
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), newGroups, operations)
    return this.#overviews.add(leaf)
  }

  #leafOperations(leaf: RawLeaf, comment: string): Hdf5Operation[] {
    const isPlain = leaf.location.startsWith('config.')
    return leafOperations(this.#pathOf(leaf.location), leaf, {
      comment,
      complevel: this.#request.storage.complevel,
      isPlain,
    })
  }

  #pathOf(fullName: string): string {
    return pathIn(this.#request.trajectory.name, fullName)
  }

  #link(link: LinkRecord, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    this.#assertFree(link.location)
    const path = this.#pathOf(link.location)
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), newGroups, operations)
    operations.push({ type: 'create-soft-link', path, target: this.#pathOf(link.target) })
  }

  /** Records a failed run. Its rows follow with the commit. */
  failRun(failure: RunFailure): void {
    this.#setRow(failure.run, failure, false)
    this.#pendingFailures.push(failure)
    this.#endColumns(RUN_STATUS.failed, failure)
  }

  #endColumns(
    status: number,
    {
      run,
      attempts = 1,
      startTimestamp,
      finishTimestamp,
    }: RunTimes & { readonly run: RunIndex; readonly attempts?: number },
  ): void {
    const runtime = Math.max(0, finishTimestamp - startTimestamp)
    this.#columns?.end(run, { status, attempts, start: startTimestamp, runtime })
  }

  /**
   * Rows that need not wait for the commit: many of them, or large arrays. They would take memory, and hold up the runs
   * that arrive while a commit writes all of them.
   */
  spill(): Hdf5Operation[] {
    if (this.#pendingRows.size >= PENDING_RUNS_MAX)
      return [...this.#runRows(), ...(this.#columns?.commit() ?? [])]
    return this.#columns?.spill() ?? []
  }

  #runRows(): Hdf5Operation[] {
    const operations = runRows(this.#root, this.#pendingRows)
    this.#pendingRows.clear()
    return operations
  }

  #setRow(run: RunIndex, times: RunTimes, completed: boolean): void {
    this.#pendingRows.set(run, this.#facts(run, times, completed))
    this.#reopened.delete(run)
  }

  /**
   * What belongs to the runs since the last commit but is in shared tables.
   *
   * @param isLast the storage ends
   */
  commit({ isLast = false }: { readonly isLast?: boolean } = {}): Hdf5Operation[] {
    if (isLast) for (const run of this.#reopened) this.#pendingRows.set(run, this.#facts(run))
    const operations = this.#runRows()
    operations.push(...this.#failedRuns.append(this.#pendingFailures.map(failedRunRow)))
    operations.push(...this.#overviews.commit())
    for (const operation of this.#columns?.commit() ?? []) operations.push(operation)
    this.#pendingFailures.length = 0
    return operations
  }

  /**
   * Failed runs will be retried: removes all trace of their failures. Their rows of `runs` follow when they end: each is
   * in a chunk of its own that must be unpacked and packed.
   */
  reopen(failed: readonly RunIndex[]): Hdf5Operation[] {
    for (const run of failed) {
      this.#reopened.add(run)
      this.#columns?.end(run, { status: RUN_STATUS.missing, attempts: 0, start: 0, runtime: 0 })
    }
    // What post-processing has seen changes.
    this.#memory.set(MEMORY.postprocessed, -1)
    return this.#failedRuns.clear()
  }

  /** Continues in another environment, which ends separately. The end of the previous one stays as it is. */
  beginEnvironment(config: readonly Parameter[]): Hdf5Operation[] {
    this.#memory.set(MEMORY.hasLastConfig, false)
    return this.addConfig(config)
  }

  /** More leaves of `config`, for example of a continued experiment. */
  addConfig(config: readonly Parameter[]): Hdf5Operation[] {
    return config.flatMap((parameter) => this.#parameter(`config.${parameter.name}`, parameter))
  }

  /** The last leaves, known only at the end, such as the run time. Replaces those of an earlier end. */
  close(config: readonly Parameter[]): Hdf5Operation[] {
    const hasLastConfig = this.#memory.value(MEMORY.hasLastConfig) === true
    this.#memory.set(MEMORY.hasLastConfig, true)
    if (!hasLastConfig) return this.addConfig(config)
    return config.flatMap(({ name, stored }) =>
      replaceScalar(this.#pathOf(`config.${name}`), rawValue(stored)),
    )
  }

  #share(path: string): void {
    this.#sharedGroups.add(path)
    this.#memory.add(MEMORY.groups, path.slice(this.#root.length))
  }

  /** The width of a text column, as the layout remembers it: it cannot change. */
  #textBytesOf({ fullName }: { readonly fullName: string }): number | undefined {
    const bytes = this.#memory.value(MEMORY.textBytesOf(parameterName(fullName)))
    return bytes === undefined ? undefined : Number(bytes)
  }

  #reserveText({ name, dtype, textBytesMax }: ExploredParameter): void {
    if (dtype === 'str')
      this.#memory.set(MEMORY.textBytesOf(name), Math.max(GROWING_TEXT_BYTES, textBytesMax))
  }

  /** What the file has of a plan. */
  #storedTables({ runCount, explored }: ExplorationPlan): StoredTables {
    const ranges = explored.map(({ name, pool, textBytesMax }): [string, StoredRange] => [
      parameterLocation(name),
      {
        length: runCount,
        isReference: true,
        objectCount: pool.length,
        textBytes: this.#textBytesOf({ fullName: name }) ?? textBytesMax,
        numberBytes: this.#memory.value(MEMORY.numberBytesOf(name)) === 4 ? 4 : 8,
        hasTexts: true,
      },
    ])
    return {
      runCount,
      firstNewRun: runCount,
      hasExplorations: explored.length > 0,
      hasExploredOverview: this.#request.storage.overviews.exploredParameters,
      ranges: new Map(ranges),
    }
  }

  #assertFits({ name, dtype, textBytesMax }: ExploredParameter, before: ExplorationPlan): void {
    const known = before.explored.find((candidate) => candidate.name === name)
    if (dtype !== 'str' || known === undefined) return
    const bytes = this.#textBytesOf({ fullName: name }) ?? known.textBytesMax
    if (textBytesMax <= bytes) return
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `cannot add a text of ${textBytesMax} bytes to ${name}: its range in the file holds at most ${bytes} bytes`,
      {
        where: name,
        hint: 'Add shorter texts, or include the longest one in the first points of the experiment.',
      },
    )
  }

  #parameter(location: string, parameter: Parameter): Hdf5Operation[] {
    return this.#nodes({ groups: [], leaves: [rawParameter(location, parameter)], links: [] })
  }

  /** Creates a group and its missing parents. Adds them to `newGroups`. */
  #ensureGroup(path: string, newGroups: Set<string>, operations: Hdf5Operation[]): void {
    if (path === this.#root || this.#sharedGroups.has(path) || newGroups.has(path)) return
    this.#ensureGroup(path.slice(0, path.lastIndexOf('/')), newGroups, operations)
    operations.push({ type: 'create-group', path })
    newGroups.add(path)
  }

  #facts(
    run: RunIndex,
    { startTimestamp, finishTimestamp }: RunTimes = NOT_RUN,
    completed = false,
  ): RunRowFacts {
    const { environmentHexsha } = this.#shape.facts(run)
    const parameterSummary = this.#shape.summary(run)
    return { environmentHexsha, startTimestamp, finishTimestamp, completed, parameterSummary }
  }
}

/** What a run has in the file is not known here, so nothing can be added to it while the experiment runs. */
function assertOutsideRuns(fullName: string): void {
  if (!fullName.split('.').some(isRunName)) return
  throw new PypetError('PYPET_RUN_ENDED', `${fullName} cannot be added: it belongs to a run`, {
    where: fullName,
    hint: 'Add it in the job, or after the experiment, or under a name outside the runs.',
  })
}

const NOT_RUN: RunTimes = { startTimestamp: 0, finishTimestamp: 0 }
