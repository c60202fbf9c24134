/** A job that a script gives as a function: it runs in the main thread, where the function is. */
import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { JobIdentity, JobLocation } from '../protocol.ts'
import { forgetFunction, type JobFunction, keepFunction } from './job-functions.ts'

/** A job that `importJob` of this thread can import, until it is disposed of. */
export interface JobSource extends JobLocation, AsyncDisposable {
  /** As `ModuleBundle.identity`. */
  identity(folder: string): JobIdentity
}

/** The script that the process runs. */
export function scriptFile(): string {
  return process.argv[1] ?? '[eval]'
}

/** Gives the function an address. */
export async function functionJob(job: JobFunction): Promise<JobSource> {
  const file = scriptFile()
  const url = keepFunction(job)
  return {
    url,
    file,
    identity(folder) {
      const digest = createHash('sha256').update(String(job)).digest('hex')
      const sources = { [`${job.name || 'function'}()`]: digest }
      return { file, relativeFile: relative(folder, file), sha256: digest, sources, isFunction: true }
    },
    async [Symbol.asyncDispose]() {
      forgetFunction(url)
    },
  }
}
