/**
 * The overview and summary tables that grow with the runs, and the purging of duplicate comments:
 * of leaves with an equal comment only the first keeps it, and stands in the summary (FORMAT, section 2).
 */
import type { StorageSettings } from '../protocol.ts'
import { pythonRepr } from '../trajectory/python-repr.ts'
import { type RawLeaf, toStoredValue } from '../trajectory/run-frame.ts'
import { GrowingTable } from './growing-table.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import { cutText, type Row } from './hdf5-table.ts'
import { BRANCH_OVERVIEW, OVERVIEW_ROWS_MAX, overviewRow, SUMMARY, summaryRow } from './overview-tables.ts'

/** The size of the value column; pypet shows as much of a result as fits. */
const VALUE_BYTES_MAX = 64
/** Where every run has a comment of its own, remembering them all would only cost memory. */
const COMMENTS_MAX = 10_000
/** Longer arrays are described, not shown, so a summary never looks at a large result. */
const SHOWN_BYTES_MAX = 1024

export class RunOverviews {
  readonly #settings: StorageSettings
  readonly #kinds: Readonly<Record<RawLeaf['kind'], KindOverviews>>

  constructor(root: string, settings: StorageSettings) {
    this.#settings = settings
    const { overviews } = settings
    this.#kinds = {
      result: new KindOverviews(root, 'results', overviews.results, overviews.resultsSummary),
      parameter: new KindOverviews(
        root,
        'derived_parameters',
        overviews.derivedParameters,
        overviews.derivedParametersSummary,
      ),
    }
  }

  /** The tables that are switched on, empty. */
  open(): Hdf5Operation[] {
    return [...this.#kinds.result.open(), ...this.#kinds.parameter.open()]
  }

  /** Takes a leaf into the overviews, and returns the comment to write with it. */
  add(leaf: RawLeaf): string {
    const isFirst = this.#kinds[leaf.kind].add(leaf)
    return isFirst || !this.#settings.purgeDuplicateComments ? leaf.comment : ''
  }

  /** The rows of the leaves since the last commit. */
  commit(): Hdf5Operation[] {
    return [...this.#kinds.result.commit(), ...this.#kinds.parameter.commit()]
  }
}

class KindOverviews {
  readonly #overview: GrowingTable | undefined
  readonly #summary: GrowingTable | undefined
  readonly #comments = new Set<string>()
  readonly #overviewRows: Row[] = []
  readonly #summaryRows: Row[] = []
  #overviewRowCount = 0
  #summaryRowCount = 0

  constructor(root: string, branch: string, hasOverview: boolean, hasSummary: boolean) {
    const table = (name: string, columns: typeof SUMMARY) =>
      new GrowingTable(`${root}/overview/${name}`, columns, name)
    this.#overview = hasOverview ? table(`${branch}_overview`, BRANCH_OVERVIEW) : undefined
    this.#summary = hasSummary ? table(`${branch}_summary`, SUMMARY) : undefined
  }

  open(): Hdf5Operation[] {
    return [...(this.#overview?.create() ?? []), ...(this.#summary?.create() ?? [])]
  }

  /** True when no leaf had this comment before. */
  add(leaf: RawLeaf): boolean {
    if (this.#overview !== undefined && this.#overviewRowCount < OVERVIEW_ROWS_MAX) {
      this.#overviewRowCount += 1
      this.#overviewRows.push(overviewRow(leaf.location, valueText(leaf), leaf.comment))
    }
    if (leaf.comment === '' || this.#comments.has(leaf.comment)) return false
    if (this.#comments.size < COMMENTS_MAX) this.#comments.add(leaf.comment)
    if (this.#summary !== undefined && this.#summaryRowCount < OVERVIEW_ROWS_MAX) {
      this.#summaryRowCount += 1
      this.#summaryRows.push(summaryRow(leaf.location, valueText(leaf), leaf.comment))
    }
    return true
  }

  commit(): Hdf5Operation[] {
    const operations = [
      ...(this.#overview?.append(this.#overviewRows) ?? []),
      ...(this.#summary?.append(this.#summaryRows) ?? []),
    ]
    this.#overviewRows.length = 0
    this.#summaryRows.length = 0
    return operations
  }
}

/** `z=6.0, w=[1, 2]` for a result, the bare value for a derived parameter. */
function valueText(leaf: RawLeaf): string {
  const texts = leaf.items.map(({ name, value }) => {
    const isLarge = value.dtype !== 'str' && value.bytes.byteLength > SHOWN_BYTES_MAX
    const text = isLarge
      ? `${value.dtype} array [${value.shape.join(', ')}]`
      : pythonRepr(toStoredValue(value), VALUE_BYTES_MAX)
    return leaf.kind === 'parameter' ? text : `${name}=${text}`
  })
  return cutText(texts.join(', '), VALUE_BYTES_MAX)
}
