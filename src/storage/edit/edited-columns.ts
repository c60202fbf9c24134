/** Keeps the columns of a stored trajectory true while a script changes it. */
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { RunSet } from '../../journal/run-set.ts'
import { LayoutMemory } from '../../layout/layout-memory.ts'
import { RunColumns } from '../../layout/run-columns.ts'
import { type Layout, RUN_BRANCHES, RUN_STATUS, type RunBranch, runOfName } from '../../names.ts'
import type { ColumnSet } from '../../reading/column-set.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import type { RawLeaf } from '../../run/run-frame.ts'
import type { RunTimes } from '../../tree/run-information.ts'
import type { RunIndex } from '../../values/path.ts'

/** A leaf of a run. */
interface LeafOfRun {
  readonly branch: RunBranch
  readonly run: RunIndex
  /** In its run. Empty for the run itself. */
  readonly name: string
}

export class EditedColumns {
  readonly layout: Layout
  readonly #columns: RunColumns
  /** New leaves of runs that this edit completes. */
  readonly #completed = new Map<RunIndex, RawLeaf[]>()

  private constructor(columns: RunColumns, layout: Layout) {
    this.#columns = columns
    this.layout = layout
  }

  /** Undefined if the trajectory has no columns. */
  static of(reader: Hdf5Reader, trajectory: string): EditedColumns | undefined {
    const set = reader.columns(trajectory)
    if (set === undefined) return undefined
    const { layout, runCount } = set
    const memory = new LayoutMemory({ added: set.memory(), values: {} })
    return new EditedColumns(
      new RunColumns({ root: `/${trajectory}`, layout, runCount, memory, ended: endedIn(set) }),
      layout,
    )
  }

  /** The trajectory has more runs now. */
  grow(runCount: number): Hdf5Operation[] {
    return this.#columns.grow(runCount)
  }

  /** From now on, leaves of these runs are those of new runs. */
  completes(runs: Iterable<RunIndex>): void {
    for (const run of runs) this.#completed.set(run, [])
  }

  /** A leaf was written, whole. */
  note(leaf: RawLeaf): void {
    const place = placeOf(leaf.location)
    if (place === undefined) return
    const ofNew = this.#completed.get(place.run)
    if (ofNew !== undefined) ofNew.push(leaf)
    else this.#columns.amend(place.run, place.branch, place.name, leaf)
  }

  /** A stored leaf has gained these items. */
  noteItems(leaf: RawLeaf): void {
    const place = placeOf(leaf.location)
    if (place !== undefined)
      this.#columns.amend(place.run, place.branch, place.name, leaf, { isWhole: false })
  }

  /** A stored leaf was given this unit, or none. */
  noteUnit(fullName: string, unit: string): void {
    const place = placeOf(fullName)
    if (place !== undefined) this.#columns.amendUnit(place.run, place.branch, place.name, unit)
  }

  /** All leaves of a run that this edit completes. @returns those that the columns hold whole, by full name */
  add(
    run: RunIndex,
    leaves: readonly RawLeaf[],
    times: RunTimes,
    { status, attempts = 1 }: { readonly status: number; readonly attempts?: number },
  ): ReadonlySet<string> {
    this.#columns.beginRun()
    const whole = leaves.filter((leaf) => this.#columns.add(run, leaf)).map(({ location }) => location)
    const { startTimestamp: start, finishTimestamp } = times
    const runtime = Math.max(0, finishTimestamp - start)
    this.#columns.end(run, { status, attempts, start, runtime })
    return new Set(this.layout === 'columns' ? whole : [])
  }

  /** If rows of large arrays wait: writes them, which `operations` would do later. */
  spill(): Hdf5Operation[] {
    return this.#columns.spill()
  }

  /** What was noted. @param times of the runs that this edit completes */
  operations(times: ReadonlyMap<RunIndex, RunTimes> = new Map()): Hdf5Operation[] {
    for (const [run, leaves] of this.#completed) {
      this.add(run, leaves, times.get(run) ?? NO_TIMES, { status: RUN_STATUS.stored })
    }
    this.#completed.clear()
    return [...this.#columns.commit(), ...this.#columns.amendments()]
  }

  /** Nodes were deleted, with all below them. @param set the columns before */
  noteDeleted(names: readonly string[], set: ColumnSet): void {
    const leaves = new Map(set.columns.map((column) => [`${column.branch} ${column.leaf}`, column]))
    for (const { branch, leaf } of leaves.values()) {
      if (leaf.startsWith('_')) continue
      for (const name of names) {
        for (const run of runsBelow(name, branch, leaf, set))
          this.#columns.amend(run, branch, leaf, undefined)
      }
    }
  }
}

const NO_TIMES: RunTimes = { startTimestamp: 0, finishTimestamp: 0 }

function endedIn(set: ColumnSet): { readonly stored: RunSet; readonly failed: readonly RunIndex[] } {
  const stored = new RunSet()
  const failed: RunIndex[] = []
  for (const [run, status] of set.statuses().entries()) {
    if (status === RUN_STATUS.stored) stored.add(run)
    else if (status === RUN_STATUS.failed) failed.push(run)
  }
  return { stored, failed }
}

/** The runs whose leaf is at or below a deleted node. */
function* runsBelow(deleted: string, branch: RunBranch, leaf: string, set: ColumnSet): Generator<RunIndex> {
  const everyRun = function* (): Generator<RunIndex> {
    for (const [run, status] of set.statuses().entries()) if (status === RUN_STATUS.stored) yield run
  }
  if (deleted === branch || deleted === `${branch}.runs`) return yield* everyRun()
  const place = placeOf(deleted)
  if (place?.branch !== branch) return
  if (place.name === '' || `${leaf}.`.startsWith(`${place.name}.`)) yield place.run
}

/** Undefined for what is not below a run in the usual place. */
function placeOf(fullName: string): LeafOfRun | undefined {
  for (const branch of RUN_BRANCHES) {
    const prefix = `${branch}.runs.`
    if (!fullName.startsWith(prefix)) continue
    const dot = fullName.indexOf('.', prefix.length)
    const run = runOfName(fullName.slice(prefix.length, dot < 0 ? undefined : dot))
    return run === undefined ? undefined : { branch, run, name: dot < 0 ? '' : fullName.slice(dot + 1) }
  }
  return undefined
}
