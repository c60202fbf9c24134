/** A job that a script gives as a function: it runs in the main thread, where the function is. */
import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { JobIdentity, JobLocation } from '../protocol.ts'
import { forgetFunction, type JobFunction, keepFunction } from './job-functions.ts'

export interface FunctionJob extends Disposable {
  readonly location: JobLocation
  /** What tells it from another function, as `ModuleBundle.identity`. */
  identity(folder: string): JobIdentity
}

/** Gives the function an address that `importJob` of this thread knows, until it is disposed of. */
export function functionJob(job: JobFunction): FunctionJob {
  const file = process.argv[1] ?? '[eval]'
  const url = keepFunction(job)
  return {
    location: { url, file },
    identity(folder) {
      const digest = createHash('sha256').update(String(job)).digest('hex')
      const sources = { [`${job.name || 'function'}()`]: digest }
      return { file, relativeFile: relative(folder, file), sha256: digest, sources, isFunction: true }
    },
    [Symbol.dispose]() {
      forgetFunction(url)
    },
  }
}
