/**
 * Comments of runs from another file, as if all runs had been performed in one experiment: each comment is with the
 * first leaf that has it, and the summaries list what the other runs have stored.
 */
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { appendRows, type Row } from '../../hdf5/table.ts'
import { OVERVIEW_ROWS_MAX, SUMMARY, summaryRow } from '../../layout/overview-tables.ts'
import { overviewPath, RUN_BRANCHES, type RunBranch, runlessName, SRVC } from '../../names.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import { readSetting } from './grown-trajectory.ts'

interface SummaryLeaf {
  readonly runless: string
  readonly value: string
  readonly comment: string
}

export class MergedComments {
  readonly #root: string
  readonly #isPurged: boolean
  /** A run-independent name, a NUL, a comment. */
  readonly #known = new Set<string>()
  /** Number of rows of each existing summary. */
  readonly #rowCounts = new Map<RunBranch, number>()
  readonly #rows = new Map<RunBranch, Row[]>()
  /** What the other file's summaries say about a name. */
  #theirs = new Map<string, SummaryLeaf[]>()

  /** @param reader of the target file of the merge */
  constructor(reader: Hdf5Reader, trajectory: string) {
    this.#root = `/${trajectory}`
    this.#isPurged = readSetting(reader, this.#root, 'purge_duplicate_comments') === true
    for (const branch of RUN_BRANCHES) {
      const leaves = readSummary(reader, this.#root, branch)
      if (leaves === undefined) continue
      this.#rowCounts.set(branch, leaves.length)
      for (const { runless, comment } of leaves) this.#known.add(`${runless}\0${comment}`)
    }
  }

  /** From now on, leaves come from this trajectory. */
  begin(reader: Hdf5Reader, trajectory: string): void {
    this.#theirs = new Map()
    for (const branch of RUN_BRANCHES) {
      for (const leaf of readSummary(reader, `/${trajectory}`, branch) ?? []) {
        const known = this.#theirs.get(leaf.runless)
        if (known === undefined) this.#theirs.set(leaf.runless, [leaf])
        else known.push(leaf)
      }
    }
  }

  /** The operations of a leaf, with its comment in the merged file. */
  leaf(fullName: string, operations: readonly Hdf5Operation[]): Hdf5Operation[] {
    const index = operations.findIndex((operation) => nameOf(operation) === SRVC.comment)
    const written = operations[index]
    // Anything other than a text of pypet-ts stays unchanged.
    if (written !== undefined && !(written.type === 'create-attribute' && typeof written.value === 'string'))
      return [...operations]
    const runless = runlessName(fullName)
    const comment = written === undefined ? this.#purgedOf(runless) : String(written.value)
    const isNew = this.#add(fullName, runless, comment)
    const others = operations.filter((operation) => operation !== written)
    const keeps = comment !== '' && (isNew || (written !== undefined && !this.#isPurged))
    const [group] = operations
    if (!keeps || group === undefined) return others
    return [...others, { type: 'create-attribute', path: group.path, name: SRVC.comment, value: comment }]
  }

  /** The comment of a leaf of the other file that has none itself. */
  commentOf(fullName: string): string {
    return this.#purgedOf(runlessName(fullName))
  }

  /** A leaf that columns hold, with its comment. */
  noteLeaf(fullName: string, comment: string): void {
    this.#add(fullName, runlessName(fullName), comment)
  }

  /** The new rows of the summaries. */
  operations(): Hdf5Operation[] {
    return [...this.#rows].flatMap(([branch, rows]) => {
      const rowCount = this.#rowCounts.get(branch) ?? 0
      const path = overviewPath(this.#root, `${branch}_summary`)
      return appendRows(path, SUMMARY, rowCount, rows.slice(0, Math.max(0, OVERVIEW_ROWS_MAX - rowCount)))
    })
  }

  /** The comment of a leaf whose own was purged: another run has it, which may not be merged. */
  #purgedOf(runless: string): string {
    const comments = (this.#theirs.get(runless) ?? []).filter(({ comment }) => comment !== '')
    return comments.length === 1 ? (comments[0]?.comment ?? '') : ''
  }

  /** True if no leaf with this name has had the comment. */
  #add(fullName: string, runless: string, comment: string): boolean {
    const key = `${runless}\0${comment}`
    if (this.#known.has(key)) return false
    this.#known.add(key)
    const branch = RUN_BRANCHES.find((each) => fullName.startsWith(`${each}.`))
    if (branch !== undefined && this.#rowCounts.has(branch)) {
      const value = this.#theirs.get(runless)?.[0]?.value ?? ''
      const rows = this.#rows.get(branch)
      const row = summaryRow(fullName, value, comment)
      if (rows === undefined) this.#rows.set(branch, [row])
      else rows.push(row)
    }
    return true
  }
}

export function nameOf(operation: Hdf5Operation): string | undefined {
  return 'name' in operation ? operation.name : undefined
}

function readSummary(reader: Hdf5Reader, root: string, branch: RunBranch): SummaryLeaf[] | undefined {
  const table = overviewPath(root, `${branch}_summary`)
  if (reader.kind(table) !== 'dataset') return undefined
  const leaves: SummaryLeaf[] = []
  reader.scanRows(table, ['location', 'name', 'value', 'comment'], (_, [location, name, value, comment]) => {
    const runless = runlessName(`${location}.${name}`)
    leaves.push({ runless, value: String(value), comment: String(comment) })
  })
  return leaves
}
