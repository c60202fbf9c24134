/** A job that a script gives as a function: it runs in the main thread, where the function is. */
import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { JobIdentity, JobLocation } from '../protocol.ts'
import type { JobFunction } from './load-job.ts'

const SCHEME = 'pypet-ts-function:'
const functions = new Map<string, JobFunction>()

export interface FunctionJob extends Disposable {
  readonly location: JobLocation
  /** What tells it from another function, as `ModuleBundle.identity`. */
  identity(folder: string): JobIdentity
}

/** Gives the function an address that `importJob` of this thread knows, until it is disposed of. */
export function functionJob(job: JobFunction): FunctionJob {
  const file = process.argv[1] ?? '[eval]'
  const url = `${SCHEME}${functions.size}-${Date.now()}`
  functions.set(url, job)
  return {
    location: { url, file },
    identity(folder) {
      const digest = createHash('sha256').update(String(job)).digest('hex')
      const sources = { [`${job.name || 'function'}()`]: digest }
      return { file, relativeFile: relative(folder, file), sha256: digest, sources, isFunction: true }
    },
    [Symbol.dispose]() {
      functions.delete(url)
    },
  }
}

/** The function of an address; undefined when it is that of a module. */
export function functionAt(url: string): JobFunction | undefined {
  return functions.get(url)
}
