/**
 * The overview and summary tables that grow with the runs, and the purging of duplicate comments: of leaves of one name
 * with an equal comment only the first keeps it (docs/format.md, section 2). pypet 0.7 looks at the comment alone. The summary
 * has a row for each name with each of its comments, so that it names everything that any run has stored.
 */
import { createHash } from 'node:crypto'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import type { Row, TableDescription } from '../hdf5/table.ts'
import { MEMORY, runlessName } from '../names.ts'
import type { StorageSettings } from '../protocol.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import { pythonRepr } from '../values/python-repr.ts'
import { storedOfRaw } from '../values/raw-value.ts'
import { cutToUtf8Bytes } from '../values/utf8.ts'
import { GrowingTable } from './growing-table.ts'
import type { LayoutMemory } from './layout-memory.ts'
import {
  BRANCH_OVERVIEW,
  commentHexdigest,
  OVERVIEW_ROWS_MAX,
  overviewRow,
  SUMMARY,
  summaryRow,
  VALUE_BYTES_MAX,
} from './overview-tables.ts'

/** Where every run has a comment of its own, remembering them all would only cost memory. */
const COMMENTS_MAX = 10_000
/** Longer arrays are described, not shown, so a summary never looks at a large result. */
const SHOWN_BYTES_MAX = 1024

export class RunOverviews {
  readonly #settings: StorageSettings
  readonly #kinds: Readonly<Record<RawLeaf['kind'], KindOverviews>>

  constructor(root: string, settings: StorageSettings, runCount: number, memory: LayoutMemory) {
    this.#settings = settings
    const { overviews, resultsPerRun, derivedParametersPerRun } = settings
    this.#kinds = {
      result: new KindOverviews(root, memory, {
        branch: 'results',
        hasOverview: overviews.results,
        hasSummary: overviews.resultsSummary,
        expectedRows: resultsPerRun * runCount,
      }),
      parameter: new KindOverviews(root, memory, {
        branch: 'derived_parameters',
        hasOverview: overviews.derivedParameters,
        hasSummary: overviews.derivedParametersSummary,
        expectedRows: derivedParametersPerRun * runCount,
      }),
    }
  }

  /** The tables that are switched on, empty. */
  open(): Hdf5Operation[] {
    return [...this.#kinds.result.open(), ...this.#kinds.parameter.open()]
  }

  /** The leaves added from now on are those of one run, and `undoRun` takes back them all. */
  beginRun(): void {
    this.#kinds.result.beginRun()
    this.#kinds.parameter.beginRun()
  }

  undoRun(): void {
    this.#kinds.result.undoRun()
    this.#kinds.parameter.undoRun()
  }

  /** Takes a leaf into the overviews, and returns the comment to write with it. */
  add(leaf: RawLeaf): string {
    // The branches of declared parameters and config have overviews of their own.
    if (leaf.kind === 'parameter' && !leaf.location.startsWith('derived_parameters.')) return leaf.comment
    const isFirst = this.#kinds[leaf.kind].add(leaf)
    return isFirst || !this.#settings.purgeDuplicateComments ? leaf.comment : ''
  }

  /** The rows of the leaves since the last commit. */
  commit(): Hdf5Operation[] {
    return [...this.#kinds.result.commit(), ...this.#kinds.parameter.commit()]
  }
}

class KindOverviews {
  readonly #overview: CappedTable | undefined
  readonly #summary: CappedTable | undefined
  readonly #comments: KnownComments

  constructor(
    root: string,
    memory: LayoutMemory,
    {
      branch,
      hasOverview,
      hasSummary,
      expectedRows,
    }: {
      readonly branch: string
      readonly hasOverview: boolean
      readonly hasSummary: boolean
      /** Of the overview; 0 if not known. */
      readonly expectedRows: number
    },
  ) {
    const table = (name: string, columns: TableDescription, rows = 0) =>
      new CappedTable(new GrowingTable(`${root}/overview/${name}`, columns, name, memory, rows))
    const rows = Math.min(OVERVIEW_ROWS_MAX, expectedRows)
    this.#overview = hasOverview ? table(`${branch}_overview`, BRANCH_OVERVIEW, rows) : undefined
    this.#summary = hasSummary ? table(`${branch}_summary`, SUMMARY) : undefined
    this.#comments = new KnownComments(memory, MEMORY.commentsOf(branch))
  }

  open(): Hdf5Operation[] {
    return [...(this.#overview?.create() ?? []), ...(this.#summary?.create() ?? [])]
  }

  beginRun(): void {
    this.#overview?.beginRun()
    this.#summary?.beginRun()
    this.#comments.beginRun()
  }

  undoRun(): void {
    this.#overview?.undoRun()
    this.#summary?.undoRun()
    this.#comments.undoRun()
  }

  /** True when no leaf of this name had this comment before. */
  add(leaf: RawLeaf): boolean {
    this.#overview?.add(() => overviewRow(leaf.location, valueText(leaf), leaf.comment))
    if (!this.#comments.add(`${runlessName(leaf.location)}\0${leaf.comment}`)) return false
    this.#summary?.add(() => summaryRow(leaf.location, valueText(leaf), leaf.comment))
    return true
  }

  commit(): Hdf5Operation[] {
    this.#comments.beginRun()
    return [...(this.#overview?.commit() ?? []), ...(this.#summary?.commit() ?? [])]
  }
}

/** Which names were seen with which comments. The memory keeps a digest of each, because a comment may be a page long. */
class KnownComments {
  readonly #memory: LayoutMemory
  readonly #set: string
  readonly #seen = new Set<string>()
  /** Digests of those that were seen before this process began. */
  readonly #recorded: ReadonlySet<string>
  #count: number
  /** Those that the run at hand is the first to have. */
  #fresh: string[] = []

  constructor(memory: LayoutMemory, set: string) {
    this.#memory = memory
    this.#set = set
    this.#recorded = new Set(memory.recordedTexts(set))
    this.#count = this.#recorded.size
  }

  /** The run before is written: its comments stay. */
  beginRun(): void {
    if (this.#fresh.length === 0) return
    for (const comment of this.#fresh) this.#memory.add(this.#set, digestOf(comment))
    this.#fresh = []
  }

  undoRun(): void {
    for (const comment of this.#fresh) this.#seen.delete(comment)
    this.#count -= this.#fresh.length
    this.#fresh = []
  }

  /** True when it is new. Of too many it is said every time. */
  add(comment: string): boolean {
    if (this.#seen.has(comment)) return false
    if (this.#recorded.size > 0 && this.#recorded.has(digestOf(comment))) {
      this.#seen.add(comment)
      return false
    }
    if (this.#count < COMMENTS_MAX) {
      this.#count += 1
      this.#seen.add(comment)
      this.#fresh.push(comment)
    }
    return true
  }
}

/** @param known a name, a NUL, a comment */
function digestOf(known: string): string {
  const end = known.indexOf('\0')
  return commentDigest(known.slice(0, end), commentHexdigest(known.slice(end + 1)))
}

/** As the memory has it, of a leaf's name in all runs and the `hexdigest` of its comment. */
export function commentDigest(runless: string, hexdigest: string): string {
  return createHash('sha1').update(`${runless}\0${hexdigest}`).digest('base64').slice(0, 16)
}

/** A table that takes rows until it is full, with those that wait for the next commit. */
class CappedTable {
  readonly #table: GrowingTable
  readonly #rows: Row[] = []
  /** How many rows waited when the run at hand began. */
  #countBeforeRun = 0

  constructor(table: GrowingTable) {
    this.#table = table
  }

  create(): Hdf5Operation[] {
    return this.#table.create()
  }

  beginRun(): void {
    this.#countBeforeRun = this.#rows.length
  }

  undoRun(): void {
    this.#rows.length = this.#countBeforeRun
  }

  /** Of most leaves the row is not even made. */
  add(makeRow: () => Row): void {
    if (this.#table.rowCount + this.#rows.length < OVERVIEW_ROWS_MAX) this.#rows.push(makeRow())
  }

  commit(): Hdf5Operation[] {
    const operations = this.#table.append(this.#rows)
    this.#rows.length = 0
    return operations
  }
}

/** `z=6.0, w=[1, 2]` for a result, the bare value for a derived parameter; as much as the column holds. */
function valueText(leaf: RawLeaf): string {
  let all = ''
  for (const { name, value } of leaf.items) {
    const isLarge = 'bytes' in value && value.bytes.byteLength > SHOWN_BYTES_MAX
    const text = isLarge
      ? `${value.dtype} array [${value.shape.join(', ')}]`
      : pythonRepr(storedOfRaw(value), VALUE_BYTES_MAX)
    const shown = leaf.kind === 'parameter' ? text : `${name}=${text}`
    all += all === '' ? shown : `, ${shown}`
    if (all.length > VALUE_BYTES_MAX) break
  }
  return cutToUtf8Bytes(all, VALUE_BYTES_MAX)
}
