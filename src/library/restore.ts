/** Writes back the job of a trajectory as it was when the trajectory, or one of its runs, was made. */
import { resolve } from 'node:path'
import type { KeptFile } from '../environment/provenance.ts'
import { cannotWrite, systemRefusal } from '../errors.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import { chosenProvenance } from './kept-provenance.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { type NewFile, writeNewFiles } from './new-files.ts'
import { checkFolder, checkPaths, refused } from './restore-paths.ts'

export interface RestoreOptions {
  /** The folder; it is made where there is none. */
  readonly to: string
  /** Which trajectory, where the file holds several. */
  readonly trajectory?: string
  /** The sources that this run was made with; else those of the latest environment that has kept its sources. */
  readonly run?: RunIndex
  /** Instead of a run: the environment, by its name below `config.environment` or by what `overview.runs` has of its digest. */
  readonly environment?: string
  /** Also into a folder that is not empty; files of the same name are replaced. */
  readonly force?: boolean
}

export interface Restored {
  /** The folder, absolute. */
  readonly folder: string
  /** The environment that had these sources. */
  readonly environment: string
  /** All that have kept theirs, in the order of time. */
  readonly environments: readonly string[]
  /** What was written, from the folder. */
  readonly files: readonly string[]
  /** The job, from the folder; undefined when its source was left out. */
  readonly job: string | undefined
  /** The commit that was checked out, where it is known. */
  readonly commit: string | undefined
  readonly hasDiff: boolean
  /** The file with the changes of tracked files, from the folder; `provenance.diff` unless a kept file has that name. */
  readonly diff: string | undefined
  /** What the trajectory's provenance does not hold. */
  readonly leftOut: readonly string[]
}

const RESTORE_OPTIONS = ['to', 'trajectory', 'run', 'environment', 'force'] satisfies (keyof RestoreOptions)[]

/**
 * Restores the bundled sources, the config file, untracked files, and the diff as `provenance.diff`: all of them, or none.
 *
 * @throws PypetError `PYPET_PROVENANCE_NONE`; `PYPET_RUN_UNKNOWN` for a run that is not there, or not performed; `PYPET_USAGE` for an
 *   environment that is not there, or for both; `PYPET_RESTORE_REFUSED` for a folder that is not empty or cannot be one, and
 *   for paths that leave it, exclude each other or are git's, before anything is written; `PYPET_FILE_NOT_WRITABLE`; as
 *   `loadTrajectory`
 */
export async function restore(file: string, options: RestoreOptions): Promise<Restored> {
  assertKnownOptions(options, RESTORE_OPTIONS, 'restore')
  const { trajectory } = options
  using traj = await loadTrajectory(file, {
    other: 'data',
    results: 'nothing',
    derivedParameters: 'nothing',
    ...(trajectory !== undefined && { name: trajectory }),
  })
  const { environment, environments, values } = chosenProvenance(traj, file, options)
  const list = values.get('files') as string
  const contents = bytesOf(values.get('contents'))
  const kept = keptFiles(file, list, contents)
  const diff = values.has('git.diff') ? bytesOf(values.get('git.diff')) : undefined
  const diffName = freeName(kept.map(({ path }) => path.toString('latin1')))
  if (diff !== undefined) kept.push({ path: Buffer.from(diffName), content: diff })
  const folder = resolve(options.to)
  const realFolder = checkFolder(options.to, { isUsed: options.force === true })
  checkPaths(
    realFolder,
    kept.map(({ path }) => path),
  )
  try {
    writeNewFiles(realFolder, kept)
  } catch (cause) {
    throw cannotWrite(folder, `${systemRefusal(cause).found}; nothing is restored`, {
      hint: 'Check the free space and the permissions, or name another folder.',
      cause,
    })
  }
  const files = kept.map(({ path }) => path.toString())
  const job = String(values.get('job'))
  const leftOut = values.get('left_out')
  return {
    folder,
    environment,
    environments,
    files,
    job: files.includes(job) ? job : undefined,
    commit: values.get('git.hexsha') as string | undefined,
    hasDiff: diff !== undefined,
    diff: diff === undefined ? undefined : diffName,
    leftOut: typeof leftOut === 'string' ? leftOut.split('\n') : [],
  }
}

/** As a job may be restored, changed and run again, what it kept may hold the diff of an earlier time. */
function freeName(taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'provenance.diff' : `provenance.${number}.diff`
    if (!taken.includes(name)) return name
  }
}

/** The list of files is text from a file that may come from anybody. */
function keptFiles(file: string, list: string, contents: Uint8Array): NewFile[] {
  const damaged = (found: string, cause?: unknown) =>
    refused(file, `the list of files in ${file} is damaged: ${found}`, 'Copy the file again.', cause)
  let entries: unknown
  try {
    entries = JSON.parse(list)
  } catch (cause) {
    throw damaged('it is not JSON', cause)
  }
  if (!Array.isArray(entries)) throw damaged('it is not a list')
  return entries.map((entry: Partial<Readonly<Record<keyof KeptFile, unknown>>> | null, index) => {
    const { path, offset, bytes } = entry ?? {}
    const isWhole = [offset, bytes].every((value) => Number.isSafeInteger(value) && (value as number) >= 0)
    const end = (offset as number) + (bytes as number)
    if (typeof path !== 'string' || !isWhole || end > contents.length)
      throw damaged(`entry ${index} names no bytes that are there`)
    return { path: Buffer.from(path, 'base64'), content: contents.subarray(offset as number, end) }
  })
}

function bytesOf(value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array()
  const data = (value as { data?: unknown }).data ?? value
  return data instanceof Uint8Array ? data : Uint8Array.from(data as Iterable<number>)
}
