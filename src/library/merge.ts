/** Merging stored trajectories (pypet `f_merge`, `f_merge_many`, `merge_all_in_folder`). */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import { backupFile } from '../storage/compact-file.ts'
import { userValue } from '../trajectory/user-value.ts'
import type { ParameterValue } from '../trajectory/value.ts'
import { type MergeOptions as PlanOptions, planMerge } from '../tree/merge-plan.ts'
import { ParameterNode } from '../tree/parameter-node.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { loadTrajectory } from './load-trajectory.ts'
import type { Trajectory } from './trajectory.ts'

export interface MergeOptions extends PlanOptions {
  /** What to do with points that both have, with different results: refuse, or keep those of the first. */
  readonly conflicts?: 'error' | 'keep-first'
}

/** Which trajectory of which file; the only one in it unless named. */
export interface MergeInput {
  readonly file: string
  readonly trajectory?: string
}

export interface MergeReport {
  readonly file: string
  readonly trajectory: string
  readonly runCount: number
  readonly merged: readonly {
    readonly file: string
    readonly trajectory: string
    readonly runs: number
    /** Points that were there already: left out with `removeDuplicates`, else there twice. */
    readonly duplicates: number
    /** Runs of equal points and different results: the one that is there, and the other's. */
    readonly conflicts: readonly {
      readonly known: string
      readonly run: string
      readonly names: readonly string[]
    }[]
  }[]
}

/**
 * Merges trajectories of any number of files into a new one: the runs of each behind those before. In time linear in the
 * runs. The inputs are not changed; a merge that fails leaves nothing behind.
 *
 * @param into the new file; `trajectory` is its name there
 * @throws PypetError `PYPET_MERGE_IMPOSSIBLE` where parameters differ, points conflict, or nothing is new;
 *   `PYPET_FILE_NOT_WRITABLE` when the new file exists, unless `overwrite`
 */
export async function mergeFiles(
  inputs: readonly MergeInput[],
  into: { readonly file: string; readonly overwrite?: boolean },
  options: MergeOptions = {},
): Promise<MergeReport> {
  const [first, ...others] = inputs
  if (first === undefined || others.length === 0) {
    throw new PypetError('PYPET_USAGE', 'a merge needs two files at least', {
      where: 'merge',
      hint: 'pypet-ts merge a.h5 b.h5 --into c.h5',
    })
  }
  const target = resolve(into.file)
  if (existsSync(target) && into.overwrite !== true) {
    throw new PypetError('PYPET_FILE_NOT_WRITABLE', `${into.file} exists`, {
      where: into.file,
      hint: 'Give another name, or replace it with --overwrite.',
    })
  }
  const temporary = `${target}.merge.tmp`
  try {
    await backupFile(first.file, temporary)
    const traj = await loadTrajectory(temporary, named(first))
    const merged: MergeReport['merged'][number][] = []
    try {
      for (const input of others) merged.push(await mergeStored(traj, input, options))
    } finally {
      traj.close()
    }
    renameSync(temporary, target)
    return { file: into.file, trajectory: traj.name, runCount: traj.length, merged }
  } finally {
    for (const name of [temporary, `${temporary}.edit.cnt`]) rmSync(name, { force: true })
  }
}

/** Merges all HDF5 files of a folder, in alphabetical order. As `mergeFiles`. */
export async function mergeFolder(
  folder: string,
  into: { readonly file: string; readonly overwrite?: boolean },
  options: MergeOptions = {},
): Promise<MergeReport> {
  const files = readdirSync(folder)
    .filter((name) => /\.(h5|hdf5)$/.test(name))
    .sort()
    .map((name) => ({ file: join(folder, name) }))
    .filter(({ file }) => resolve(file) !== resolve(into.file))
  return await mergeFiles(files, into, options)
}

/** Adds the runs of a stored trajectory to one that is stored in another file. */
async function mergeStored(
  traj: Trajectory,
  input: MergeInput,
  options: MergeOptions,
): Promise<MergeReport['merged'][number]> {
  const other = await loadTrajectory(input.file, named(input))
  try {
    const plan = planMerge(traj as unknown as TrajectoryTree, other as unknown as TrajectoryTree, options)
    const conflicts = plan.duplicates.flatMap(({ run, known }) => {
      const names = differingResults(traj, other, known, run)
      return names.length === 0 ? [] : [{ known: traj.idxToRun(known), run: other.idxToRun(run), names }]
    })
    if (conflicts.length > 0 && options.conflicts !== 'keep-first') throw conflicting(other, conflicts)
    await traj.takeRuns(other, plan)
    addEnvironments(traj, other)
    await traj.store()
    return {
      file: input.file,
      trajectory: other.name,
      runs: plan.runs.length,
      duplicates: plan.duplicates.length,
      conflicts,
    }
  } finally {
    other.close()
  }
}

/** What made the runs that were taken, their seed among it. Each environment has a name of its own. */
function addEnvironments(traj: Trajectory, other: Trajectory): void {
  for (const node of other.getGroup('config').iterLeaves()) {
    if (!(node instanceof ParameterNode) || !node.fullName.startsWith('config.environment.')) continue
    const { stored } = node
    if (stored === undefined || traj.at(node.fullName) !== undefined) continue
    const name = node.fullName.slice('config.'.length)
    const added = traj.addConfig(name, userValue(stored) as ParameterValue, { comment: node.comment })
    // A number does not tell whether it was stored as an integer.
    added.restoreValue(stored, undefined)
  }
}

function named({ trajectory }: MergeInput) {
  return trajectory === undefined ? {} : { name: trajectory }
}

/** Names of results of two runs that are not the same in both. */
function differingResults(traj: Trajectory, other: Trajectory, known: number, run: number): string[] {
  const own = resultsOf(traj, known)
  const theirs = resultsOf(other, run)
  const names = new Set([...own.keys(), ...theirs.keys()])
  return [...names].filter((name) => own.get(name) !== theirs.get(name))
}

function resultsOf(traj: Trajectory, run: number): Map<string, string> {
  const found = new Map<string, string>()
  const group = traj.at(`results.runs.${traj.idxToRun(run)}`)
  if (group === undefined || group.isLeaf) return found
  const prefix = `${group.fullName}.`
  for (const leaf of traj.getGroup(group.fullName).iterLeaves()) {
    if (!('itemNames' in leaf)) continue
    for (const { name, value } of leaf.loadAll()) {
      found.set(`${leaf.fullName.slice(prefix.length)}.${name}`, JSON.stringify(userValue(value), spell))
    }
  }
  return found
}

function spell(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
    return String(value)
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as Iterable<unknown>) : value
}

function conflicting(
  other: Trajectory,
  conflicts: readonly { readonly known: string; readonly run: string; readonly names: readonly string[] }[],
): PypetError {
  const shown = conflicts
    .slice(0, 5)
    .map(({ known, run, names }) => `${run} and ${known} (${names.join(', ')})`)
  return new PypetError(
    'PYPET_MERGE_IMPOSSIBLE',
    `cannot merge ${other.name}: ${conflicts.length} points have different results in both: ${shown.join('; ')}`,
    {
      where: other.filename,
      hint: 'Find out which are right; --conflicts keep-first keeps those of the first file.',
    },
  )
}
