/** Finds the file that the user named as the job, and checks it before anything reads it. */
import { accessSync, constants, readdirSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { PypetError, systemRefusal } from '../errors.ts'
import { nearestName } from '../values/nearest-name.ts'

/** Extensions of job files. */
const JOB_EXTENSIONS: readonly string[] = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/**
 * The absolute path of a job file that exists and has a supported extension.
 *
 * @throws PypetError `PYPET_JOB_NOT_FOUND`, with the file that was probably meant
 */
export function findJobFile(file: string): string {
  const path = resolve(file)
  const found = statOf(path)
  if (found === undefined) throw notFound(path, 'the file does not exist', nearFile(path))
  if (found.isDirectory()) throw notFound(path, 'it is a folder', jobFilesIn(path)[0])
  if (!JOB_EXTENSIONS.includes(extname(path))) {
    const extension = extname(path) === '' ? 'no extension' : `the extension ${extname(path)}`
    throw notFound(path, `it has ${extension}`, undefined)
  }
  ofTheJob(path, () => accessSync(path, constants.R_OK))
  return path
}

function statOf(path: string): Stats | undefined {
  return ofTheJob(path, () => statSync(path, { throwIfNoEntry: false }))
}

/** Reports errors of the system about a path as errors about the job. */
function ofTheJob<Value>(path: string, look: () => Value): Value {
  try {
    return look()
  } catch (cause) {
    const { found, hint } = systemRefusal(cause)
    throw new PypetError('PYPET_JOB_NOT_FOUND', `cannot load the job ${path}: ${found}`, {
      where: path,
      hint: hint ?? 'Check the path.',
      cause,
    })
  }
}

/** The name of a trajectory from its job file: `my job.v2.ts` → `my_job_v2`. */
export function nameFromJobFile(file: string): string {
  const stem = basename(file, extname(file)).replace(/[^A-Za-z0-9_-]/g, '_')
  return stem.replace(/^_+/, '') || 'job'
}

function notFound(path: string, found: string, meant: string | undefined): PypetError {
  const hint =
    meant === undefined
      ? `A job is a file that ends in ${JOB_EXTENSIONS.join(', ')}.`
      : `Did you mean ${meant}?`
  return new PypetError('PYPET_JOB_NOT_FOUND', `cannot load the job ${path}: ${found}`, { where: path, hint })
}

function nearFile(path: string): string | undefined {
  const candidates = jobFilesIn(dirname(path))
  const name = basename(path)
  const sameStem = candidates.find((candidate) => basename(candidate, extname(candidate)) === name)
  if (sameStem !== undefined) return sameStem
  const near = nearestName(
    name,
    candidates.map((candidate) => basename(candidate)),
  )
  return near === undefined ? undefined : join(dirname(path), near)
}

/** `job.*` first, because that is the usual name. */
function jobFilesIn(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  const names = readdirSync(folder).filter((name) => JOB_EXTENSIONS.includes(extname(name)))
  names.sort((a, b) => Number(b.startsWith('job.')) - Number(a.startsWith('job.')) || (a < b ? -1 : 1))
  return names.map((name) => join(folder, name))
}
