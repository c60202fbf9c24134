/** Restores the job's source as it was when the trajectory, or one of its runs, was made. */
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
  /** The target folder. It is made if it does not exist. */
  readonly to: string
  /** The trajectory, if the file has several. */
  readonly trajectory?: string
  /** Restore the sources of this run. Default: those of the latest environment with stored sources. */
  readonly run?: RunIndex
  /** Instead of a run: the environment, by its name below `config.environment` or its digest in `overview.runs`. */
  readonly environment?: string
  /** Also write into a folder that is not empty. Files of the same name are replaced. */
  readonly force?: boolean
}

export interface Restored {
  /** The absolute path of the folder. */
  readonly folder: string
  /** The environment whose sources were restored. */
  readonly environment: string
  /** All environments with stored sources, in order of time. */
  readonly environments: readonly string[]
  /** The written files, relative to the folder. */
  readonly files: readonly string[]
  /** The job, relative to the folder; undefined if its source was not stored. */
  readonly job: string | undefined
  /** The commit that was checked out, if known. */
  readonly commit: string | undefined
  readonly hasDiff: boolean
  /** The changes of tracked files, relative to the folder. `provenance.diff` unless a stored file has that name. */
  readonly diff: string | undefined
  /** Files that the provenance does not contain. */
  readonly leftOut: readonly string[]
}

const RESTORE_OPTIONS = ['to', 'trajectory', 'run', 'environment', 'force'] satisfies (keyof RestoreOptions)[]

/**
 * Restores the bundled sources, the config file, untracked files, and the diff as `provenance.diff`: all of them, or none.
 *
 * @throws PypetError `PYPET_PROVENANCE_NONE`; `PYPET_RUN_UNKNOWN` for a run that does not exist or is not stored;
 *   `PYPET_USAGE` for an unknown environment, or for both a run and an environment; `PYPET_RESTORE_REFUSED`, before
 *   anything is written, for a folder that is not empty or cannot be one, and for paths that leave it, clash with each
 *   other or belong to git; `PYPET_FILE_NOT_WRITABLE`; like `loadTrajectory`
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
    throw cannotWrite(folder, `${systemRefusal(cause).found}; nothing was restored`, {
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

/** A restored job that runs again may itself have stored an earlier diff. */
function freeName(taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'provenance.diff' : `provenance.${number}.diff`
    if (!taken.includes(name)) return name
  }
}

/** The list of files is text from a file that may come from anyone. */
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
      throw damaged(`entry ${index} does not name bytes within the data`)
    return { path: Buffer.from(path, 'base64'), content: contents.subarray(offset as number, end) }
  })
}

function bytesOf(value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array()
  const data = (value as { data?: unknown }).data ?? value
  return data instanceof Uint8Array ? data : Uint8Array.from(data as Iterable<number>)
}
