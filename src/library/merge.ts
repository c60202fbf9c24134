/** Merging stored trajectories (pypet `f_merge`, `f_merge_many`, `merge_all_in_folder`). */
import { existsSync, readdirSync, realpathSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { breathe } from '../breath.ts'
import { acquireLock, type FileLock } from '../continue/file-lock.ts'
import { findCntFiles } from '../continue/find-cnt.ts'
import { realFileOf } from '../continue/real-file.ts'
import { takeSnapshotCalmly } from '../continue/snapshot.ts'
import { PypetError } from '../errors.ts'
import { openHdf5Reader } from '../storage/hdf5-reader.ts'
import { makeFolderOf } from '../storage/result-folder.ts'
import { removeTemporary, temporaryBeside, undoAtExit } from '../temporary-names.ts'
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
 * runs. Each is read as of its last commit, also while it is being written. The inputs are not changed; a merge that
 * fails leaves nothing behind.
 *
 * @param into the new file
 * @throws PypetError `PYPET_MERGE_IMPOSSIBLE` where parameters differ, points conflict, or nothing is new;
 *   `PYPET_FILE_NOT_WRITABLE` when the new file exists, unless `overwrite`, and when it is one of the others or belongs to
 *   an unfinished experiment; `PYPET_FILE_LOCKED` while another process writes it; `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`
 */
export async function mergeFiles(
  inputs: readonly MergeInput[],
  into: { readonly file: string; readonly overwrite?: boolean },
  options: MergeOptions = {},
): Promise<MergeReport> {
  const [first, ...others] = inputs
  if (first === undefined || others.length === 0) {
    const found = first === undefined ? 'none' : `only ${first.file}`
    throw tooFew(`a merge needs two files at least, found ${found}`, 'merge')
  }
  const target = realFileOf(into.file)
  // All of them first: the copy of a large file takes its time.
  for (const { file } of inputs) (await openHdf5Reader(resolve(file)))[Symbol.dispose]()
  checkTarget(target, inputs, into.overwrite === true)
  const temporary = temporaryBeside(target, 'merge')
  const missing = missingFolders(target)
  let lock: FileLock | undefined
  let isMerged = false
  // Also where the process ends in between, as by Ctrl-C.
  const cleared = undoAtExit(() => {
    removeTemporary(temporary)
    lock?.release()
    if (!isMerged) removeEmpty(missing)
  })
  try {
    makeFolderOf(target)
    // Nothing else begins under that name meanwhile, and what a killed merge has left is swept.
    lock = acquireLock(into.file, { trajectory: 'merge', breakLock: false })
    checkTarget(target, inputs, into.overwrite === true)
    await takeSnapshotCalmly(first.file, temporary, { overwrite: true })
    const traj = await loadTrajectory(temporary, named(first))
    const merged: MergeReport['merged'][number][] = []
    try {
      for (const input of others) merged.push(await mergeStored(traj, input, options))
    } finally {
      traj.close()
    }
    renameSync(temporary, target)
    isMerged = true
    return { file: into.file, trajectory: traj.name, runCount: traj.length, merged }
  } finally {
    cleared()
  }
}

function tooFew(message: string, where: string): PypetError {
  return new PypetError('PYPET_USAGE', message, { where, hint: 'pypet-ts merge a.h5 b.h5 --into c.h5' })
}

function checkTarget(target: string, inputs: readonly MergeInput[], overwrite: boolean): void {
  const refuse = (found: string, hint = 'Give another name.') =>
    new PypetError('PYPET_FILE_NOT_WRITABLE', `cannot merge into ${target}: it ${found}`, {
      where: target,
      hint,
    })
  if (existsSync(target)) {
    if (!statSync(target).isFile()) throw refuse('is no file')
    if (inputs.some(({ file }) => realpathSync(file) === realpathSync(target)))
      throw refuse('is one of the files that are merged')
    if (!overwrite) throw refuse('exists', 'Give another name, or replace it with --overwrite.')
  }
  // Also of a file that is gone: what its .cnt file says would be said of this one.
  const unfinished = existsSync(dirname(target)) ? findCntFiles(target)[0] : undefined
  if (unfinished !== undefined) throw refuse(`belongs to an unfinished experiment, ${unfinished}`)
}

/** Folders that a file needs and that are not there, the innermost first. */
function missingFolders(path: string): string[] {
  const missing: string[] = []
  for (let folder = dirname(path); !existsSync(folder); folder = dirname(folder)) missing.push(folder)
  return missing
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder)
    } catch {
      // It is used by somebody else by now, and so are those around it.
      return
    }
  }
}

/** Merges all HDF5 files of a folder, in alphabetical order. As `mergeFiles`. */
export async function mergeFolder(
  folder: string,
  into: { readonly file: string; readonly overwrite?: boolean },
  options: MergeOptions = {},
): Promise<MergeReport> {
  const names = namesIn(folder).filter((name) => /\.(h5|hdf5)$/.test(name))
  const files = names
    .sort()
    .map((name) => ({ file: join(folder, name) }))
    .filter(({ file }) => resolve(file) !== resolve(into.file))
  if (files.length < 2) {
    const found = files[0] === undefined ? 'none' : `only ${files[0].file}`
    const apart = files.length < names.length ? `, apart from ${into.file}, the new file` : ''
    throw tooFew(
      `cannot merge the folder ${folder}: a merge needs two files (.h5 or .hdf5) at least, found ${found}${apart}`,
      folder,
    )
  }
  return await mergeFiles(files, into, options)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const found = { ENOENT: 'there is no such folder', ENOTDIR: 'it is no folder' }[code ?? ''] ?? code
    throw new PypetError('PYPET_FILE_NOT_FOUND', `cannot merge the folder ${folder}: ${found}`, {
      where: folder,
      hint: 'Name a folder that holds HDF5 files.',
      cause,
    })
  }
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
    const conflicts: { readonly known: string; readonly run: string; readonly names: readonly string[] }[] =
      []
    for (const { run, known } of plan.duplicates) {
      await breathe()
      const names = differingResults(traj, other, known, run)
      if (names.length > 0) conflicts.push({ known: traj.idxToRun(known), run: other.idxToRun(run), names })
    }
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
