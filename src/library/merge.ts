/** Merges stored trajectories (pypet `f_merge`, `f_merge_many`, `merge_all_in_folder`). */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import { takeTurn } from '../journal/file-turn.ts'
import { realFileOf } from '../journal/real-file.ts'
import { takeSnapshotCalmly } from '../journal/snapshot.ts'
import { assertFinished } from '../journal/unfinished.ts'
import { deletedNodes } from '../layout/deleted-nodes.ts'
import { openHdf5Reader } from '../reading/reader.ts'
import { compactFile, copyTrajectory } from '../storage/edit/compact-file.ts'
import { prepareEdits, warn } from '../storage/edit/edit-file.ts'
import { removeTemporary, temporaryBeside, undoAtExit } from '../temporary-names.ts'
import type { LeftOut } from '../tree/merge-content.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { assertMergeOptions, type MergedInput, type MergeOptions, Merging } from './merge-others.ts'
import type { Trajectory } from './trajectory.ts'
import { trajectoryNames } from './trajectory-info.ts'
import { checkNewFile, writeBeside } from './write-beside.ts'
import { type MergedOther, writeMerged } from './write-merged.ts'

export type { MergeConflict, MergeProgress } from './merge-others.ts'
export type { LeftOut, MergedInput, MergeOptions }

/** A trajectory in a file. By default, the only one in the file. */
export interface MergeInput {
  readonly file: string
  readonly name?: string
}

/** The new file and the name of its trajectory, which is the name of the first one by default. */
export interface MergeTarget extends MergeInput {
  readonly overwrite?: boolean
}

const INPUT_OPTIONS = ['file', 'name'] satisfies (keyof MergeInput)[]

export interface MergeReport {
  readonly file: string
  readonly trajectory: string
  /** Number of runs of the merged trajectory. */
  readonly runCount: number
  readonly failedCount: number
  /** The trajectory that the others were merged into. */
  readonly first: {
    readonly file: string
    readonly trajectory: string
    readonly runs: number
    readonly failed: number
  }
  /** The others, in order. */
  readonly merged: readonly MergedInput[]
}

/**
 * Merges trajectories from any number of files into a new file: the runs of each follow those of the one before. The time
 * is linear in the number of runs. Each trajectory is read as of its last commit, even while it is being written. The
 * inputs do not change. A merge that fails leaves nothing behind.
 *
 * Content outside runs is copied too: results, derived parameters, links, config of environments, of git and of
 * earlier merges. Content that differs from existing content is left out and named in the report. Failed runs are failed
 * runs of the new trajectory.
 *
 * @param into the new file
 * @throws PypetError `PYPET_MERGE_IMPOSSIBLE` if parameters differ or points conflict;
 *   `PYPET_FILE_NOT_WRITABLE` if the new file exists (unless `overwrite` is set), is one of the others, or belongs to
 *   an unfinished experiment; `PYPET_TRAJECTORY_NOT_FOUND` if a file has several trajectories and no name is given;
 *   `PYPET_FILE_LOCKED` while another process writes it; `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`
 */
export async function mergeFiles(
  inputs: readonly MergeInput[],
  into: MergeTarget,
  options: MergeOptions = {},
): Promise<MergeReport> {
  assertMergeOptions(options)
  assertKnownOptions(into, [...INPUT_OPTIONS, 'overwrite'], 'the merged file')
  const [first, ...others] = inputs
  if (first === undefined || others.length === 0) {
    const found = first === undefined ? 'none' : `only ${first.file}`
    throw tooFew(`a merge needs at least two files, found ${found}`, 'merge')
  }
  const target = realFileOf(into.file)
  // Check all names first, since copying a large file takes time.
  const names = await chosenNames(inputs)
  checkTarget(target, inputs, into.overwrite === true)
  return await writeBeside(into.file, target, 'merge', async (temporary) => {
    checkTarget(target, inputs, into.overwrite === true)
    options.onProgress?.({ phase: 'reading', file: first.file, done: 0, total: 0 })
    await copyFirst({ file: first.file, name: names[0] as string }, temporary, into.name)
    return await mergeInPlace(
      { file: temporary, name: into.name ?? (names[0] as string), shown: into.file, first: first.file },
      others,
      options,
    )
  })
}

/**
 * Appends the runs of other trajectories to a stored one, in its own file: like `mergeFiles`, without rewriting the file.
 * It is one transaction: everything is durable when the promise resolves, or nothing has changed. If appending is not
 * possible, because a parameter becomes explored or a text outgrows its column, the file is copied and the copy replaces
 * it by a rename.
 *
 * @throws PypetError like `mergeFiles`; `PYPET_CNT_EXISTS` while an experiment of the target is unfinished
 */
export async function mergeInto(
  target: MergeInput,
  others: readonly MergeInput[],
  options: MergeOptions = {},
): Promise<MergeReport> {
  assertMergeOptions(options)
  if (others.length === 0) throw tooFew(`nothing to merge into ${target.file}`, 'merge')
  const [name] = (await chosenNames([target, ...others])) as [string]
  const real = realFileOf(target.file)
  // Comparing, planning and writing happen under one lock.
  const request = { trajectory: name, waitMs: 0, onNotice: warn }
  return await takeTurn(
    target.file,
    request,
    async () => await mergeUnderLock({ ...target, name, real }, others, options),
  )
}

async function mergeUnderLock(
  { name, real, ...target }: MergeInput & { readonly name: string; readonly real: string },
  others: readonly MergeInput[],
  options: MergeOptions,
): Promise<MergeReport> {
  await prepareEdits(real, { trajectory: name })
  if (await holdsDeleted(real, name)) await compactFile(real)
  // HDF5 cannot read from a file that it writes, so other trajectories in the same file are read from a copy.
  const isOfTarget = others.map(({ file }) => realFileOf(file) === real)
  if (others.some((other, number) => isOfTarget[number] && (other.name ?? name) === name)) {
    throw new PypetError('PYPET_MERGE_IMPOSSIBLE', `cannot merge ${name} of ${target.file} into itself`, {
      where: target.file,
      hint: 'Name another trajectory, or another file.',
    })
  }
  const copy = temporaryBeside(real, 'read')
  const removed = undoAtExit(() => removeTemporary(copy))
  try {
    if (isOfTarget.includes(true)) await takeSnapshotCalmly(real, copy, { overwrite: true })
    const readFrom = others.map(({ file }, number) => (isOfTarget[number] ? copy : file))
    const merging = { file: real, name, shown: target.file, first: target.file, readFrom }
    const report = await mergeInPlaceIfPossible(merging, others, options, false)
    if (report !== undefined) return report
    return await writeBeside(target.file, real, 'merge', async (temporary) => {
      // The whole file is replaced, and other trajectories in it may be unfinished too.
      assertFinished(real, undefined)
      await takeSnapshotCalmly(real, temporary, { overwrite: true })
      return await mergeInPlace({ ...merging, file: temporary }, others, options)
    })
  } finally {
    removed()
  }
}

interface LoadedInput {
  /** As the user wrote it. */
  readonly file: string
  readonly trajectory: Trajectory
}

/**
 * Takes the runs of others into memory and into the file of `traj`: all of them, or none.
 *
 * @param mayRewrite false: if the file had to be rewritten, nothing is done and the result is undefined. The trajectory in
 *   memory is then useless
 */
async function mergeOthers(
  traj: Trajectory,
  inputs: readonly LoadedInput[],
  options: MergeOptions,
  mayRewrite: boolean,
): Promise<MergedInput[] | undefined> {
  const before = await traj.file.readExploration()
  const merging = new Merging(traj, options)
  const others: MergedOther[] = []
  for (const { file, trajectory } of inputs) {
    const planned = await merging.plan(file, trajectory)
    others.push({ ...planned, trajectory })
  }
  const onRuns = (number: number, done: number) => {
    const { file } = inputs[number] as LoadedInput
    const total = others[number]?.plan.runs.length ?? 0
    options.onProgress?.({ phase: 'copying', file, done, total })
  }
  const onCommitted = () => {
    // A rewritten file does not count until it is renamed.
    if (!mayRewrite)
      options.onProgress?.({ phase: 'stored', file: traj.filename, done: traj.length, total: traj.length })
  }
  const leftOut = await writeMerged(traj.file, before, others, { mayRewrite, onRuns, onCommitted })
  if (leftOut === undefined) return undefined
  return merging.merged.map((merged, number) => ({
    ...merged,
    leftOut: [...merged.leftOut, ...(leftOut[number] ?? [])],
  }))
}

/** The file to write to, the trajectory, and the files that the report names. */
interface FileMerge {
  readonly file: string
  readonly name: string
  readonly shown: string
  readonly first: string
  /** Where to read the others from, if not from the named files. */
  readonly readFrom?: readonly string[]
}

async function mergeInPlace(
  merging: FileMerge,
  others: readonly MergeInput[],
  options: MergeOptions,
): Promise<MergeReport> {
  return (await mergeInPlaceIfPossible(merging, others, options, true)) as MergeReport
}

async function mergeInPlaceIfPossible(
  { file, name, shown, first, readFrom }: FileMerge,
  others: readonly MergeInput[],
  options: MergeOptions,
  mayRewrite: boolean,
): Promise<MergeReport | undefined> {
  const opened: Trajectory[] = []
  try {
    const traj = await loadTrajectory(file, { name })
    opened.push(traj)
    const [runs, failed] = [traj.length, failedCount(traj)]
    const loaded: LoadedInput[] = []
    for (const [number, input] of others.entries()) {
      options.onProgress?.({ phase: 'reading', file: input.file, done: 0, total: 0 })
      const choice = input.name === undefined ? {} : { name: input.name }
      const trajectory = await loadTrajectory(readFrom?.[number] ?? input.file, choice)
      opened.push(trajectory)
      loaded.push({ file: input.file, trajectory })
    }
    const merged = await mergeOthers(traj, loaded, options, mayRewrite)
    if (merged === undefined) return undefined
    return {
      file: shown,
      trajectory: name,
      runCount: traj.length,
      failedCount: failed + merged.reduce((sum, each) => sum + each.failed, 0),
      first: { file: first, trajectory: name, runs, failed },
      merged,
    }
  } finally {
    for (const trajectory of opened) trajectory.close()
  }
}

function failedCount(traj: Trajectory): number {
  let count = 0
  for (let run = 0; run < traj.length; run += 1) count += Number(traj.runInformation(run).failed)
  return count
}

/** The names of the trajectories. Without a name, the only one in the file. */
async function chosenNames(inputs: readonly MergeInput[]): Promise<string[]> {
  for (const input of inputs) assertKnownOptions(input, [...INPUT_OPTIONS, 'overwrite'], 'a file of a merge')
  const chosen: string[] = []
  for (const { file, name } of inputs) {
    using reader = await openHdf5Reader(resolve(file))
    const names = trajectoryNames(reader)
    const [only] = names
    if (name !== undefined && names.includes(name)) chosen.push(name)
    else if (name === undefined && only !== undefined && names.length === 1) chosen.push(only)
    else throw notChosen(file, name, names)
  }
  return chosen
}

function notChosen(file: string, name: string | undefined, names: readonly string[]): PypetError {
  if (names.length === 0) {
    return new PypetError('PYPET_FILE_NO_TRAJECTORY', `cannot merge ${file}: it holds no trajectory`, {
      where: file,
      hint: 'It is an HDF5 file from another program.',
    })
  }
  const found =
    name === undefined ? `it holds ${names.length} trajectories` : `it holds no trajectory ${name}`
  return new PypetError('PYPET_TRAJECTORY_NOT_FOUND', `cannot merge ${file}: ${found}`, {
    where: file,
    hint: `Name one, as ${file}:${names[0]} (in scripts { file, name }). There are ${names.slice(0, 8).join(', ')}.`,
  })
}

/** Copies only the trajectory, under its new name, or the whole file if it holds nothing else. */
async function copyFirst(
  { file, name }: { readonly file: string; readonly name: string },
  temporary: string,
  newName = name,
): Promise<void> {
  if (newName !== name) {
    await copyTrajectory({ file, trajectory: name }, { file: temporary, trajectory: newName })
    return
  }
  await takeSnapshotCalmly(file, temporary, { overwrite: true })
  const others = await otherNames(temporary, name)
  if (others.length === 0 && !(await holdsDeleted(temporary, name))) return
  await compactFile(temporary, { drop: new Set(others.map((other) => `/${other}`)) })
}

async function otherNames(file: string, name: string): Promise<string[]> {
  using reader = await openHdf5Reader(file)
  return reader.children('/').filter((child) => child !== name)
}

/** Deleted nodes would block new ones with the same names. */
async function holdsDeleted(file: string, name: string): Promise<boolean> {
  using reader = await openHdf5Reader(file)
  return deletedNodes(reader, `/${name}`).length > 0
}

function tooFew(message: string, where: string): PypetError {
  return new PypetError('PYPET_USAGE', message, { where, hint: 'pypet-ts merge a.h5 b.h5 --into c.h5' })
}

/** @throws PypetError `PYPET_FILE_NOT_WRITABLE` */
function checkTarget(target: string, inputs: readonly MergeInput[], overwrite: boolean): void {
  checkNewFile(
    target,
    inputs.map(({ file }) => file),
    {
      overwrite,
      isInput: 'is one of the files to merge',
      hint: 'Give another name, replace it with --overwrite, or append to it with --append (mergeInto in scripts).',
    },
  )
}

/**
 * Merges all HDF5 files of a folder in alphabetical order, like `mergeFiles`, or with `append` like `mergeInto`.
 */
export async function mergeFolder(
  folder: string,
  into: MergeTarget,
  options: MergeOptions = {},
  { append = false }: { readonly append?: boolean } = {},
): Promise<MergeReport> {
  const names = namesIn(folder).filter((name) => /\.(h5|hdf5)$/.test(name))
  const files = names
    .sort()
    .map((name) => ({ file: join(folder, name) }))
    .filter(({ file }) => resolve(file) !== resolve(into.file))
  if (append && files.length > 0) return await mergeInto(into, files, options)
  if (files.length < 2) {
    const found = files[0] === undefined ? 'none' : `only ${files[0].file}`
    const apart = files.length < names.length ? `, apart from ${into.file}, the new file` : ''
    throw tooFew(
      `cannot merge the folder ${folder}: a merge needs at least two files (.h5 or .hdf5), found ${found}${apart}`,
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
    const found = { ENOENT: 'there is no such folder', ENOTDIR: 'it is not a folder' }[code ?? ''] ?? code
    throw new PypetError('PYPET_FILE_NOT_FOUND', `cannot merge the folder ${folder}: ${found}`, {
      where: folder,
      hint: 'Name a folder that holds HDF5 files.',
      cause,
    })
  }
}
