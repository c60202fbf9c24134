/** The job as one file that every thread can import, made once by the main process. */
import { findJobFile } from './job-file.ts'
import { bundleModule, type ModuleBundle } from './module-bundle.ts'

/** A job on disk, ready to be imported; see `ModuleBundle`. */
export type JobBundle = ModuleBundle

/**
 * Bundles a job module: TypeScript, `tsconfig` paths, decorators and CommonJS become one ES module in a
 * private temporary folder. Packages stay outside, addressed where the job would find them.
 *
 * The bundle lives until `dispose()`, so dispose of it after the last thread has imported it. A thread
 * is sent `{ url, file }`, which is what structured cloning makes of the bundle, and calls `importJob`.
 *
 * @throws PypetError `PYPET_JOB_NOT_FOUND`, or `PYPET_JOB_NOT_LOADABLE` with file, line and column
 */
export async function bundleJob(file: string): Promise<JobBundle> {
  return bundleModule(findJobFile(file), { noun: 'job', code: 'PYPET_JOB_NOT_LOADABLE' })
}
