/** Takes the runs of other trajectories into one in memory. `merge` writes the result to the files. */
import { createHash } from 'node:crypto'
import { breathe } from '../breath.ts'
import { PypetError } from '../errors.ts'
import { runName, timeText } from '../names.ts'
import { formatCount } from '../reporting/quantity.ts'
import { runPlaces } from '../storage/edit/merged-runs.ts'
import {
  type Claims,
  itemKeys,
  type LeftOut,
  type MergeContent,
  mergeContent,
} from '../tree/merge-content.ts'
import {
  type MergePlan,
  type MergePlanOptions,
  planMerge,
  renamedInMerge,
  runIn,
} from '../tree/merge-plan.ts'
import { GroupNode, ResultNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import type { ParameterValue } from '../values/value.ts'
import { integer } from '../values/value-forms.ts'
import { LIBRARY_VERSIONS } from './trajectory-info.ts'

export interface MergeOptions extends MergePlanOptions {
  /** For points in both with different results: refuse, or keep the results of the first. */
  readonly conflicts?: 'error' | 'keep-first'
  /** Called often, with the progress. */
  readonly onProgress?: (progress: MergeProgress) => void
}

const MERGE_OPTIONS = [
  'removeDuplicates',
  'trialParameter',
  'conflicts',
  'onProgress',
] satisfies (keyof MergeOptions)[]

/** Progress of a merge with one of the files. */
export interface MergeProgress {
  /** Opening the file, comparing equal points, copying runs. In `mergeInto` also: all runs are durably stored. */
  readonly phase: 'reading' | 'comparing' | 'copying' | 'stored'
  readonly file: string
  /** Number of finished runs of this file. */
  readonly done: number
  readonly total: number
}

/** Two runs of the same point with different results. */
export interface MergeConflict {
  /** The existing run. */
  readonly known: string
  /** The other's run. */
  readonly run: string
  /** Names of the results that differ. */
  readonly names: readonly string[]
}

/** The outcome for one trajectory that was merged into another. */
export interface MergedInput {
  readonly file: string
  readonly trajectory: string
  /** Number of runs taken. */
  readonly runs: number
  /** How many of them failed. They are failed runs of the merged trajectory too, with their errors. */
  readonly failed: number
  /** Points that already existed. With `removeDuplicates` they are left out, otherwise they occur twice. */
  readonly duplicates: number
  /** Runs with equal points and different results. */
  readonly conflicts: readonly MergeConflict[]
  /** Content outside runs that was not copied, with the reason for each. */
  readonly leftOut: readonly LeftOut[]
}

/** A trajectory that is merged into another, and where its content goes. */
export interface PlannedMerge {
  readonly plan: MergePlan
  readonly content: MergeContent
  /** Like `runPlaces`. */
  readonly places: readonly string[]
  /** The new index of its first run. */
  readonly first: RunIndex
  /** The new run for a run of the other, or the run that already has its point. */
  readonly runOf: (run: RunIndex) => RunIndex | undefined
  /**
   * The target of a link of the other in the merged trajectory; undefined if it is not there.
   *
   * @param within the run of the merged trajectory that contains the link
   */
  readonly leadsTo: (fullName: string, within?: RunIndex) => string | undefined
}

/** Where a run is until it is in the merged file. */
interface RunOrigin {
  readonly tree: TrajectoryTree
  readonly run: RunIndex
}

/** @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY` */
export function assertMergeOptions(options: MergeOptions): void {
  assertKnownOptions(options, MERGE_OPTIONS, 'a merge')
}

/** Merges others into a tree in memory, one after the other: points, runs, and the record of the merge, but no nodes. */
export class Merging {
  readonly others: PlannedMerge[] = []
  readonly merged: MergedInput[] = []
  readonly #tree: TrajectoryTree
  readonly #options: MergeOptions
  readonly #claims: Claims = new Map()
  readonly #origins = new Map<RunIndex, RunOrigin>()

  constructor(tree: TrajectoryTree, options: MergeOptions) {
    this.#tree = tree
    this.#options = options
  }

  /** @throws PypetError `PYPET_MERGE_IMPOSSIBLE`; then nothing changes */
  async plan(file: string, other: TrajectoryTree): Promise<PlannedMerge> {
    const tree = this.#tree
    const plan = planMerge(tree, other, { ...this.#options, file })
    const conflicts = await this.#conflicts(file, other, plan)
    if (conflicts.length > 0 && this.#options.conflicts !== 'keep-first')
      throw conflicting(other.name, file, conflicts)
    const first = tree.length
    const taken = new Map<RunIndex, RunIndex>(plan.duplicates.map(({ run, known }) => [run, known]))
    for (const [index, run] of plan.runs.entries()) taken.set(run, first + index)
    const runOf = (run: RunIndex) => taken.get(run)
    const leadsTo = (fullName: string, within?: RunIndex) => {
      const name = renamedInMerge(fullName, runOf, within)
      return name !== undefined && this.#isThere(name, first) ? name : undefined
    }
    const names = { renamed: (fullName: string) => renamedInMerge(fullName, runOf), leadsTo }
    const content = mergeContent(tree, other, names, this.#claims)
    adoptRuns(tree, other, plan)
    for (const [index, run] of plan.runs.entries()) this.#origins.set(first + index, { tree: other, run })
    recordMerge(tree, other, plan, first, this.#options)
    const planned = { plan, content, places: runPlaces(other), first, runOf, leadsTo }
    this.others.push(planned)
    this.merged.push({
      file,
      trajectory: other.name,
      runs: plan.runs.length,
      failed: plan.runs.filter((run) => other.runInformation(run).failed).length,
      duplicates: plan.duplicates.length,
      conflicts,
      leftOut: content.leftOut,
    })
    return planned
  }

  /** A run from `first` on comes with everything it has. An earlier run has only what it had. */
  #isThere(fullName: string, first: RunIndex): boolean {
    const run = runIn(fullName)
    if (run !== undefined && run >= first) return true
    const origin = run === undefined ? undefined : this.#origins.get(run)
    if (origin === undefined) return this.#claims.has(fullName) || this.#tree.at(fullName) !== undefined
    const name = renamedInMerge(fullName, () => origin.run)
    return name !== undefined && origin.tree.at(name) !== undefined
  }

  async #conflicts(file: string, other: TrajectoryTree, { duplicates }: MergePlan): Promise<MergeConflict[]> {
    const conflicts: MergeConflict[] = []
    for (const [index, { run, known }] of duplicates.entries()) {
      this.#options.onProgress?.({ phase: 'comparing', file, done: index, total: duplicates.length })
      await breathe()
      const own = this.#origins.get(known) ?? { tree: this.#tree, run: known }
      const names = differingResults(own, { tree: other, run })
      if (names.length > 0) conflicts.push({ known: runName(known), run: runName(run), names })
    }
    return conflicts
  }
}

/** Names of results that differ between two runs. A run that was never executed has none, and differs in none. */
function differingResults(own: RunOrigin, other: RunOrigin): string[] {
  const isDone = ({ tree, run }: RunOrigin) => tree.runInformation(run).completed
  if (isDone(own) && !isDone(other)) return []
  const [known, theirs] = [resultsOf(own), resultsOf(other)]
  const names = new Set([...known.keys(), ...theirs.keys()])
  return [...names].filter((name) => known.get(name) !== theirs.get(name))
}

function resultsOf({ tree, run }: RunOrigin): Map<string, string> {
  const found = new Map<string, string>()
  const group = tree.at(`results.runs.${runName(run)}`)
  if (!(group instanceof GroupNode)) return found
  const prefix = `${group.fullName}.`
  for (const leaf of group.iterLeaves()) {
    if (!(leaf instanceof ResultNode)) continue
    for (const [name, key] of itemKeys(leaf)) found.set(`${leaf.fullName.slice(prefix.length)}.${name}`, key)
  }
  return found
}

/** Takes the points of a merge into memory, with the information about the runs. */
function adoptRuns(tree: TrajectoryTree, other: TrajectoryTree, { explored, runs }: MergePlan): void {
  const first = tree.length
  for (const { fullName, values } of explored) {
    const parameter = tree.getParameter(fullName)
    parameter.appendStored(values, first)
    parameter.lock()
  }
  const names = new Set([
    ...Object.keys(tree.exploredParameters),
    ...explored.map(({ fullName }) => fullName),
  ])
  tree.restoreExploration([...names], first + runs.length)
  for (const [index, run] of runs.entries()) {
    const idx = first + index
    const information = { ...other.runInformation(run), idx, name: runName(idx), parameterSummary: '' }
    tree.noteMergedRun(idx, { information, failure: information.failed ? other.failureOf(run) : undefined })
  }
}

/** Records a merge below `config.merge`, like pypet. */
function recordMerge(
  traj: TrajectoryTree,
  other: TrajectoryTree,
  plan: MergePlan,
  lengthBefore: number,
  { removeDuplicates = false, trialParameter }: MergeOptions,
): void {
  const timestamp = Date.now() / 1000
  const { version } = LIBRARY_VERSIONS
  const identity = [traj.name, traj.timestamp, other.name, other.timestamp, lengthBefore, version].join('')
  const hexsha = createHash('sha1').update(identity).digest('hex')
  const name = `merge.merge_${hexsha.slice(0, 7)}_${timeText(timestamp)}`
  const add = (entry: string, value: ParameterValue, comment: string) =>
    traj.addConfig(`${name}.${entry}`, value, { comment })
  add('merged_runs', integer(plan.runs.length), 'Number of merged runs')
  add('timestamp', timestamp, 'Timestamp of merge')
  add('hexsha', hexsha, 'SHA-1 identifier of the merge')
  add('remove_duplicates', removeDuplicates, 'Option to remove duplicate entries')
  add('length_before_merge', integer(lengthBefore), 'Length of trajectory before merge')
  if (trialParameter !== undefined) add('trial_parameter', trialParameter, 'Name of trial parameter')
  const theirs = (entry: string, value: ParameterValue, comment: string) =>
    add(`other_trajectory.${entry}`, value, comment)
  theirs('name', other.name, 'Name of other trajectory merged into the current one')
  theirs(
    'timestamp',
    other.timestamp,
    'Timestamp of creation of other trajectory merged into the current one',
  )
  theirs('length', integer(other.length), 'Length of other trajectory')
  if (other.comment !== '') theirs('comment', other.comment, 'Comment of other trajectory')
  const [known, written] = [traj, other].map((tree) => ('version' in tree ? tree.version : undefined))
  if (typeof written === 'string' && written !== known)
    theirs('version', written, 'What the other trajectory was written with')
}

function conflicting(name: string, where: string, conflicts: readonly MergeConflict[]): PypetError {
  const shown = conflicts
    .slice(0, 5)
    .map(({ known, run, names }) => `${run} and ${known} (${names.join(', ')})`)
  const points = conflicts.length === 1 ? '1 point has' : `${formatCount(conflicts.length)} points have`
  return new PypetError(
    'PYPET_MERGE_IMPOSSIBLE',
    `cannot merge ${name}: ${points} different results in both: ${shown.join('; ')}`,
    {
      where,
      hint: 'Find out which are right. --conflicts keep-first keeps those of the first file.',
    },
  )
}
