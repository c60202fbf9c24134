import { isRunName, runlessName, runName, runOfName, runSetName } from '../names.ts'
import { type Leaf, previewItems, previewParameter, readLeaf } from '../reading/leaf-reader.ts'
import { walkLeaves } from '../reading/leaf-walk.ts'
import { type Preview, unreadPreview } from '../reading/preview.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import type { RunIndex } from '../values/path.ts'
import type { AxisRange, Listing, SurveyedLeaf } from './trajectory-overview.ts'

/** Different items to describe; further ones are only counted. */
const ENTRIES_MAX = 1000

/**
 * Finds what a branch holds without visiting every run: what belongs to the whole trajectory, what the sampled runs
 * have, and what only other runs have, if the summary of the branch names it. Runs are recognised by the names of their
 * groups, below `runs` and wherever the wildcards `$` and `$set` put them.
 *
 * @param branch path of `results` or `derived_parameters`
 * @param options.summary of the branch: of leaves with equal comments, only the first stored one has the comment, and
 *   it need not be among the sampled runs
 * @param options.explored full names of parameters that are described elsewhere
 * @throws PypetError `PYPET_STORAGE_FAILED` if a group cannot be listed; a leaf that cannot be read is listed with the
 *   reason
 */
export function surveyLeaves(
  reader: Hdf5Reader,
  branch: string,
  {
    sampledRuns,
    summary,
    explored,
  }: {
    readonly sampledRuns: readonly RunIndex[]
    readonly summary: readonly SummaryRow[]
    readonly explored: readonly string[]
  },
): Listing<SurveyedLeaf> {
  const named = summary.map((row) => ({ ...row, name: wildcardFullName(row.fullName) }))
  // The first of several comments is that of the first run.
  const comments = new Map(named.toReversed().map(({ name, comment }) => [name, comment]))
  const root = branch.slice(0, branch.lastIndexOf('/'))
  const pathOf = (fullName: string) => `${root}/${fullName.replaceAll('.', '/')}`
  const survey = new Survey(reader, comments, new Set(explored.map(pathOf)))
  // Below `runs` the paths are known, so a group of a million runs is never listed.
  for (const run of sampledRuns) {
    const nameChild = (child: string) => wildcardName(child, run)
    survey.walk(`${branch}/runs/${runName(run)}`, nameChild, () => run)
  }
  const runsByName = new Map(sampledRuns.map((run) => [runName(run), run]))
  const setNames = new Set(sampledRuns.map(runSetName))
  survey.walk(
    branch,
    (child, group) => {
      if (group === branch && child === 'runs') return undefined
      if (isRunName(child)) return runsByName.has(child) ? '$' : undefined
      if (RUN_SET_NAME.test(child)) return setNames.has(child) ? '$set' : undefined
      return child
    },
    (path) => runsByName.get(path.split('/').find((part) => runsByName.has(part)) ?? ''),
  )
  for (const { fullName, name } of named) survey.visit(pathOf(fullName), name)
  return survey.listing()
}

/** A row of `results_summary` or `derived_parameters_summary`. */
export interface SummaryRow {
  /** `results.runs.run_00000017.z` */
  readonly fullName: string
  readonly comment: string
}

/** The name as used in the survey. */
function wildcardFullName(fullName: string): string {
  const [, ...parts] = runlessName(fullName).split('.')
  return (parts[0] === 'runs' ? parts.slice(2) : parts).join('.')
}

const RUN_SET_NAME = /^run_set_\d{5}$/
function wildcardName(child: string, run: RunIndex): string {
  if (child === runName(run)) return '$'
  return child === runSetName(run) ? '$set' : child
}

interface Finding {
  readonly name: string
  readonly run: RunIndex | undefined
  readonly comment: string
  readonly preview: Preview
}

class Survey {
  readonly #reader: Hdf5Reader
  readonly #comments: ReadonlyMap<string, string>
  readonly #skipped: ReadonlySet<string>
  readonly #findings = new Map<string, Finding[]>()
  /** Names of the leaves found so far. */
  readonly #visited = new Set<string>()
  #isComplete = true

  /** @param skipped paths of leaves */
  constructor(reader: Hdf5Reader, comments: ReadonlyMap<string, string>, skipped: ReadonlySet<string>) {
    this.#reader = reader
    this.#comments = comments
    this.#skipped = skipped
  }

  walk(
    group: string,
    nameChild: (child: string, group: string) => string | undefined,
    runOf: (path: string) => RunIndex | undefined,
  ): void {
    const visit = (leaf: Leaf, name: string) => {
      if (!this.#skipped.has(leaf.path)) this.#addItems(leaf, name, runOf(leaf.path))
    }
    if (!walkLeaves(this.#reader, group, visit, { nameChild })) this.#isComplete = false
  }

  /** Adds a leaf of a run, unless one with its name was found. */
  visit(path: string, name: string): void {
    const run = path
      .split('/')
      .map(runOfName)
      .find((found) => found !== undefined)
    if (run === undefined || this.#visited.has(name) || this.#reader.kind(path) !== 'group') return
    const leaf = readLeaf(this.#reader, path)
    if (leaf !== undefined) this.#addItems(leaf, name, run)
  }

  #addItems(leaf: Leaf, name: string, run: RunIndex | undefined): void {
    this.#visited.add(name)
    const comment = leaf.comment === '' ? (this.#comments.get(name) ?? '') : leaf.comment
    for (const [item, preview] of this.#items(leaf, name)) this.#add({ name: item, run, comment, preview })
  }

  listing(): Listing<SurveyedLeaf> {
    const entries = [...this.#findings.values()].slice(0, ENTRIES_MAX).map(merge)
    return { entries, count: this.#findings.size, isCountExact: this.#isComplete }
  }

  #items(leaf: Leaf, name: string): (readonly [string, Preview])[] {
    try {
      if (leaf.className.endsWith('Parameter')) return [[name, previewParameter(this.#reader, leaf)]]
      const lastPart = name.slice(name.lastIndexOf('.') + 1)
      const items = previewItems(this.#reader, leaf)
      if (items.length === 0) return [[name, { type: 'empty result', shape: [], cells: [] }]]
      // `addResult('z', 6)` stores the item `z` in the result `z`: show the name once.
      return items.map(([key, preview]) => [key === lastPart ? name : `${name}.${key}`, preview] as const)
    } catch (error) {
      return [[name, unreadPreview('unreadable', (error as Error).message)]]
    }
  }

  #add(finding: Finding): void {
    const key = `${finding.run === undefined ? 'trajectory' : 'run'} ${finding.name}`
    const findings = this.#findings.get(key)
    if (findings) findings.push(finding)
    else this.#findings.set(key, [finding])
  }
}

function merge(findings: readonly Finding[]): SurveyedLeaf {
  const [first] = findings as readonly [Finding, ...Finding[]]
  return {
    name: first.name,
    // pypet keeps the comment only with the first of many equal ones.
    comment: findings.find(({ comment }) => comment !== '')?.comment ?? '',
    isPerRun: first.run !== undefined,
    types: [...new Set(findings.map(({ preview }) => preview.type))],
    shape: mergeShapes(findings.map(({ preview }) => preview.shape)),
    example: first.preview,
    foundInRuns: findings.flatMap(({ run }) => (run === undefined ? [] : [run])),
  }
}

function mergeShapes(shapes: readonly (readonly number[])[]): readonly AxisRange[] | undefined {
  const [first] = shapes
  if (first === undefined || shapes.some((shape) => shape.length !== first.length)) return undefined
  return first.map((_, axis) => {
    const sizes = shapes.map((shape) => shape[axis] ?? 0)
    return { minimum: Math.min(...sizes), maximum: Math.max(...sizes) }
  })
}
