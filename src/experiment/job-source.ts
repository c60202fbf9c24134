/** The source of a job: a module, bundled into one file that every thread can import, or a function of a script. */
import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { JobIdentity, JobLocation } from '../protocol.ts'
import { findJobFile } from './job-file.ts'
import { type JobFunction, keptJobs } from './job-functions.ts'
import { bundleModule, type ModuleBundle } from './module-bundle.ts'

/** A job that `importJob` can import in this thread, until it is disposed of. */
export interface JobSource extends JobLocation, AsyncDisposable {
  /** See `ModuleBundle.identity`. */
  identity(folder: string): JobIdentity
}

/** The script that the process runs. */
export function scriptFile(): string {
  return process.argv[1] ?? '[eval]'
}

/** Gives the function an address. It runs in the main thread. */
export async function functionJob(job: JobFunction): Promise<JobSource> {
  const file = scriptFile()
  const url = keptJobs.keep(job)
  return {
    url,
    file,
    identity(folder) {
      const digest = createHash('sha256').update(String(job)).digest('hex')
      const sources = { [`${job.name || 'function'}()`]: digest }
      return { file, relativeFile: relative(folder, file), sha256: digest, sources, isFunction: true }
    },
    async [Symbol.asyncDispose]() {
      keptJobs.forget(url)
    },
  }
}

/**
 * Bundles a job module: TypeScript, `tsconfig` paths, decorators and CommonJS become one ES module in a private
 * temporary folder. Packages stay outside and resolve as the job would find them.
 *
 * The bundle exists until `dispose()`, so dispose of it after the last thread has imported it. Threads are sent `{ url,
 * file }`, which is what structured cloning makes of the bundle, and call `importJob`.
 *
 * @throws PypetError `PYPET_JOB_NOT_FOUND`, or `PYPET_JOB_NOT_LOADABLE` with file, line and column
 */
export async function bundleJob(file: string): Promise<ModuleBundle> {
  return bundleModule(findJobFile(file), { noun: 'job', code: 'PYPET_JOB_NOT_LOADABLE' })
}
