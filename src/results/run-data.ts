/**
 * The columns of a trajectory: facts of runs, parameters and results, read from either layout and from any state of a
 * file. Tables, exports, figures and the page stand on it.
 */
import { PypetError } from '../errors.ts'
import type { RunSet } from '../journal/run-set.ts'
import type { Hdf5Reader, RowRange } from '../reading/reader.ts'
import { nearestHint } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import type { ColumnType } from './block.ts'
import type { Column, ColumnBlock } from './column.ts'
import type { ColumnSource } from './column-source.ts'
import { parameterColumns } from './parameter-columns.ts'
import { ResultColumns, type ResultSurvey } from './result-columns.ts'
import { RunFacts, type RunStatus } from './run-facts.ts'

/** Names that a hint lists. */
const NAMES_SHOWN = 12

export interface RunDataOptions {
  /** Of the same reader, if they are read already. */
  readonly facts?: RunFacts
  /**
   * Runs that were stored since nobody but their writer could change the file. In the layout `tree`, their results are
   * read from `overview/columns`: leaf by leaf, it takes a hundred times as long.
   */
  readonly fresh?: RunSet | undefined
  /** Of an earlier commit of the same trajectory: results are not looked for again. */
  readonly survey?: ResultSurvey | undefined
}

export class RunData {
  /** The HDF5 file. */
  readonly file: string
  readonly trajectory: string
  /** Number of runs, whatever their status. */
  readonly runCount: number
  readonly counts: { readonly stored: number; readonly failed: number; readonly missing: number }
  readonly #facts: RunFacts
  readonly #parameters: readonly ColumnSource[]
  readonly #results: ResultColumns
  readonly #sources = new Map<Column, ColumnSource>()
  readonly #types = new Map<Column, ColumnType>()
  #hasAll = false

  private constructor(reader: Hdf5Reader, trajectory: string, { facts, fresh, survey }: RunDataOptions) {
    const root = `/${trajectory}`
    this.file = reader.file
    this.trajectory = trajectory
    this.#facts = facts ?? new RunFacts(reader, root)
    const { total } = this.#facts.states
    this.runCount = total
    this.counts = this.#facts.counts
    this.#parameters = parameterColumns(reader, root, total)
    this.#results = new ResultColumns(reader, root, this.#facts.states, { fresh, survey })
    this.#name()
  }

  /**
   * The columns of a trajectory. Reads which there are; values are read when they are asked for.
   *
   * @param reader stays open as long as values are read
   * @throws PypetError `PYPET_STORAGE_FAILED` if the tables of the trajectory are damaged
   */
  static open(reader: Hdf5Reader, trajectory: string, options: RunDataOptions = {}): RunData {
    return new RunData(reader, trajectory, options)
  }

  /** Facts, explored parameters, derived parameters, results, and parameters that are not explored. */
  get columns(): readonly Column[] {
    return [...this.#sources.keys()]
  }

  /** Which results were found, for a later commit. */
  get survey(): ResultSurvey {
    return this.#results.survey
  }

  /** The state of a run in the file. */
  statusOf(run: number): RunStatus {
    return this.#facts.statusOf(run)
  }

  /**
   * The column with a name: the short one, `z`, or the full one, `results.z`. Results below other runs than the first,
   * the middle and the last are looked for only if nothing else has the name.
   *
   * @throws PypetError `PYPET_COLUMN_UNKNOWN`
   */
  find(name: string): Column {
    const found = this.findAny(name)
    if (found !== undefined) return found
    const names = this.columns.map((column) => column.name)
    const shown = names.slice(0, NAMES_SHOWN).join(', ')
    const more = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : ''
    throw new PypetError('PYPET_COLUMN_UNKNOWN', `${this.trajectory} has no column ${JSON.stringify(name)}`, {
      where: name,
      hint: nearestHint(name, names, `Available: ${shown}${more}.`),
    })
  }

  /** As `find`, but undefined if there is none. */
  findAny(name: string): Column | undefined {
    return this.findKnown(name) ?? (this.#lookEverywhere() ? this.findKnown(name) : undefined)
  }

  /** As `findAny`, among the columns that were found so far. Visits no runs. */
  findKnown(name: string): Column | undefined {
    const columns = this.columns
    return (
      columns.find((column) => column.name === name) ?? columns.find((column) => column.fullName === name)
    )
  }

  /** Also those columns that this run has, and perhaps no other. */
  lookIn(run: RunIndex): readonly Column[] {
    this.#results.findIn(run)
    this.#name()
    return this.columns
  }

  /** Also those columns that only few runs have. Takes a visit to every run where results are below their runs. */
  lookEverywhere(): readonly Column[] {
    this.#lookEverywhere()
    return this.columns
  }

  /**
   * The values of a column in consecutive runs, all by default. Rows of arrays are large: read some at a time. If runs
   * differ in type, blocks may differ in form; `typeOf` has the common type.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`
   */
  read(column: Column, { start, end }: RowRange = { start: 0, end: this.runCount }): ColumnBlock {
    return this.#sourceOf(column).read(start, end)
  }

  /** Whether it is known that each run has a value, without reading them. */
  isComplete(column: Column): boolean {
    return this.#sourceOf(column).isComplete?.() ?? false
  }

  /** The type that all runs have in common. Where results are below their runs, this visits all of them, once. */
  typeOf(column: Column): ColumnType {
    let type = this.#types.get(column)
    if (type === undefined) {
      // A copy: a column finds its type when it is asked, and the file may be closed then.
      const found: ColumnType = this.#sourceOf(column).findType?.() ?? column
      type = { dtype: found.dtype, shape: found.shape, rank: found.rank, isLong: column.isLong }
      this.#types.set(column, type)
    }
    return type
  }

  #sourceOf(column: Column): ColumnSource {
    const source = this.#sources.get(column)
    if (source === undefined) throw new Error(`${column.name} is not a column of this trajectory`)
    return source
  }

  #lookEverywhere(): boolean {
    if (this.#hasAll) return false
    this.#hasAll = true
    this.#results.findAll()
    this.#name()
    return true
  }

  /** A short name names the first column that has it: facts before parameters before results. */
  #name(): void {
    const isConstant = (source: ColumnSource) => !source.isExplored
    const explored = this.#parameters.filter((source) => !isConstant(source))
    const constant = this.#parameters.filter(isConstant)
    const results = this.#results.sources()
    const ofKind = (kind: Column['kind']) => results.filter((source) => source.kind === kind)
    const sources = [
      ...this.#facts.sources(),
      ...explored,
      ...constant,
      ...ofKind('derived parameter'),
      ...ofKind('result'),
    ]
    // Columns that are known already keep their identity, and their name.
    const known = new Map(this.columns.map((column) => [keyOf(column), column]))
    const taken = new Set(this.columns.map(({ name }) => name))
    const named = sources.map((source): [Column, ColumnSource] => {
      const before = known.get(keyOf(source))
      if (before !== undefined) return [before, source]
      const name = [source.shortName, source.fullName].find((each) => !taken.has(each)) ?? source.fullName
      taken.add(name)
      return [columnOf(source, name), source]
    })
    this.#sources.clear()
    const order = (source: ColumnSource) => (constant.includes(source) ? 1 : 0)
    for (const [column, source] of named.sort(([, one], [, other]) => order(one) - order(other)))
      this.#sources.set(column, source)
  }
}

function keyOf({ kind, fullName }: Pick<Column, 'kind' | 'fullName'>): string {
  return `${kind} ${fullName}`
}

function columnOf(source: ColumnSource, name: string): Column {
  return {
    name,
    fullName: source.fullName,
    kind: source.kind,
    get dtype() {
      return source.dtype
    },
    get shape() {
      return source.shape
    },
    get unit() {
      return source.unit
    },
    comment: source.comment,
    isExplored: source.isExplored,
    isLong: source.isLong === true,
  }
}
