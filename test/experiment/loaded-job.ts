import { join } from 'node:path'
import { bundleJob } from '../../src/experiment/job-source.ts'
import { importJob, type LoadedJob } from '../../src/experiment/load-job.ts'
import type { Run } from '../../src/tree/run.ts'
import { fileTree } from './file-tree.ts'

/** These jobs do not look at their run. */
export const TRAJ = {} as Run

/** Bundles and imports a job file, and removes the bundle. */
export async function load(file: string): Promise<LoadedJob> {
  await using bundle = await bundleJob(file)
  return await importJob(bundle)
}

/** Writes the files, loads the named one and returns what its job returns. */
export async function resultOf(files: Readonly<Record<string, string>>, job: string): Promise<unknown> {
  const { run } = await load(join(fileTree(files), job))
  return await run(TRAJ)
}
