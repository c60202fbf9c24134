/** Where the logs of a trajectory are, and whether they can be written there. */
import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { cannotWrite, type PypetError } from '../errors.ts'
import { FOLDER_WILDCARDS, fillLogName, wildcardsOf } from '../run/log-name.ts'

/** Everything at the log level. */
export const MAIN_LOG = 'main.txt'
/** What needs attention. */
export const WARNINGS_LOG = 'warnings_and_errors.txt'

/** `process_0003`: the prefix of worker 3's files. */
export function workerName(worker: number): string {
  return `process_${String(worker).padStart(4, '0')}`
}

/** `process_0003.txt`: the log of worker 3. */
export function workerLog(worker: number): string {
  return `${workerName(worker)}.txt`
}

/**
 * The folder of one trajectory's log files: a subfolder of the log folder, or the log folder with its wildcards
 * replaced.
 *
 * @param environment the name of the environment; until it is known, its wildcard stays
 */
export function logFolderOf(folder: string, trajectory: string, environment?: string): string {
  const known: readonly string[] = FOLDER_WILDCARDS
  if (!wildcardsOf(folder).some((wildcard) => known.includes(wildcard))) return join(folder, trajectory)
  const names = { $traj: trajectory, $host: hostname() }
  return fillLogName(folder, { ...names, ...(environment !== undefined && { $env: environment }) })
}

/**
 * Checks that the logs of a trajectory can be written. Creates nothing, so that a refused experiment leaves no trace.
 * Logs of an earlier run may exist; they are appended to.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
 */
export function checkLogFolder(folder: string, trajectory: string): void {
  const target = resolve(logFolderOf(folder, trajectory))
  for (const name of [MAIN_LOG, WARNINGS_LOG]) {
    const file = join(target, name)
    const found = statOf(file)
    if (found === undefined) continue
    if (!found.isFile()) throw logsNotWritable(target, `${file} is not a file`)
    assertAccess(file, constants.W_OK, target)
  }
  let existing = target
  while (statOf(existing) === undefined && dirname(existing) !== existing) existing = dirname(existing)
  if (!statOf(existing)?.isDirectory()) throw logsNotWritable(target, `${existing} is not a folder`)
  assertAccess(existing, constants.W_OK | constants.X_OK, target)
}

/** The error for a log folder that cannot be used, including errors that occur only on writing. */
export function logsNotWritable(target: string, found: string, cause?: unknown): PypetError {
  const hint = 'Choose another folder with --log-folder, or make this one writable.'
  return cannotWrite(target, found, { hint, cause })
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOOP')
      throw logsNotWritable(path, 'its symbolic links form a loop', cause)
    // Missing, or below something that is not a folder; the walk upwards finds out which.
    return undefined
  }
}

function assertAccess(path: string, mode: number, target: string): void {
  try {
    accessSync(path, mode)
  } catch (cause) {
    throw logsNotWritable(target, `${path} is not writable (${(cause as NodeJS.ErrnoException).code})`, cause)
  }
}
