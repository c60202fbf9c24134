/**
 * The overview and summary tables that grow with the runs. Also purges duplicate comments: among leaves with the same
 * name and comment, only the first keeps it (docs/format.md, section 2). pypet 0.7 only compares the comment. The
 * summary has one row per name and comment, so it lists everything that any run has stored.
 */
import { createHash } from 'node:crypto'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import type { Row, TableDescription } from '../hdf5/table.ts'
import { MEMORY, type OverviewTable, overviewPath, type RunBranch, runlessName } from '../names.ts'
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

/** If every run has a different comment, remembering all of them only wastes memory. */
const COMMENTS_MAX = 10_000
/** Longer arrays are described, not shown, so that a summary never reads a large result. */
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

  /** The enabled tables, empty. */
  open(): Hdf5Operation[] {
    return [...this.#kinds.result.open(), ...this.#kinds.parameter.open()]
  }

  /** Leaves added from now on belong to one run. `undoRun` removes all of them. */
  beginRun(): void {
    this.#kinds.result.beginRun()
    this.#kinds.parameter.beginRun()
  }

  undoRun(): void {
    this.#kinds.result.undoRun()
    this.#kinds.parameter.undoRun()
  }

  /** Adds a leaf to the overviews, and returns the comment to write with it. */
  add(leaf: RawLeaf): string {
    // Declared parameters and config have separate overviews.
    if (leaf.kind === 'parameter' && !leaf.location.startsWith('derived_parameters.')) return leaf.comment
    const isFirst = this.#kinds[leaf.kind].add(leaf)
    return isFirst || !this.#settings.purgeDuplicateComments ? leaf.comment : ''
  }

  /** Whether another leaf with this name and comment changes nothing. */
  isKnown(leaf: RawLeaf): boolean {
    return this.#kinds[leaf.kind].isKnown(leaf)
  }

  /** The rows of the leaves added since the last commit. */
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
      readonly branch: RunBranch
      readonly hasOverview: boolean
      readonly hasSummary: boolean
      /** Of the overview. 0 if unknown. */
      readonly expectedRows: number
    },
  ) {
    const table = (name: OverviewTable, columns: TableDescription, rows = 0) =>
      new CappedTable(new GrowingTable(overviewPath(root, name), columns, name, memory, rows))
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

  /** True if no leaf with this name has had this comment. */
  add(leaf: RawLeaf): boolean {
    this.#overview?.add(() => overviewRow(leaf.location, valueText(leaf), leaf.comment))
    if (!this.#comments.add(knownComment(leaf))) return false
    this.#summary?.add(() => summaryRow(leaf.location, valueText(leaf), leaf.comment))
    return true
  }

  isKnown(leaf: RawLeaf): boolean {
    return this.#overview?.isFull !== false && this.#comments.has(knownComment(leaf))
  }

  commit(): Hdf5Operation[] {
    this.#comments.beginRun()
    return [...(this.#overview?.commit() ?? []), ...(this.#summary?.commit() ?? [])]
  }
}

/** Known comments by name. The memory keeps a digest of each, because a comment may be a page long. */
class KnownComments {
  readonly #memory: LayoutMemory
  readonly #set: string
  readonly #seen = new Set<string>()
  /** Digests known before this process started. */
  readonly #recorded: ReadonlySet<string>
  #count: number
  /** Comments that the current run is the first to have. */
  #fresh: string[] = []

  constructor(memory: LayoutMemory, set: string) {
    this.#memory = memory
    this.#set = set
    this.#recorded = new Set(memory.recordedTexts(set))
    this.#count = this.#recorded.size
  }

  /** The previous run is written, so its comments stay. */
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

  /** False also if only an earlier process knew it. */
  has(comment: string): boolean {
    return this.#seen.has(comment)
  }

  /** True if it is new. With too many comments, always true. */
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

function knownComment({ location, comment }: RawLeaf): string {
  return `${runlessName(location)}\0${comment}`
}

/** @param known a name, a NUL, a comment */
function digestOf(known: string): string {
  const end = known.indexOf('\0')
  return commentDigest(known.slice(0, end), commentHexdigest(known.slice(end + 1)))
}

/** The digest in the memory, from a leaf's run-independent name and the `hexdigest` of its comment. */
export function commentDigest(runless: string, hexdigest: string): string {
  return createHash('sha1').update(`${runless}\0${hexdigest}`).digest('base64').slice(0, 16)
}

/** A table that takes rows until it is full, and the rows waiting for the next commit. */
class CappedTable {
  readonly #table: GrowingTable
  readonly #rows: Row[] = []
  /** Number of waiting rows when the current run began. */
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

  get isFull(): boolean {
    return this.#table.rowCount + this.#rows.length >= OVERVIEW_ROWS_MAX
  }

  /** For most leaves, the row is not even created. */
  add(makeRow: () => Row): void {
    if (!this.isFull) this.#rows.push(makeRow())
  }

  commit(): Hdf5Operation[] {
    const operations = this.#table.append(this.#rows)
    this.#rows.length = 0
    return operations
  }
}

/** `z=6.0, w=[1, 2]` for a result, the value alone for a derived parameter. Cut to the column. */
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
