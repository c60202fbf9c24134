/**
 * Whether a job is the one that made the stored results. `continue`, `expand`, `verify` and scripts that run a stored
 * trajectory all check it here.
 */
import { PypetError } from '../errors.ts'
import type { JobIdentity } from '../protocol.ts'

/** What is known about a job that has run. */
export type KnownJob = Pick<JobIdentity, 'sha256' | 'sources'>

/** `job.ts changed, model.ts added`; empty when it is the same. */
export function jobChanges(before: KnownJob, now: KnownJob): string {
  if (before.sha256 === now.sha256) return ''
  const names = [...new Set([...Object.keys(before.sources), ...Object.keys(now.sources)])].sort()
  const changes = names
    .filter((name) => before.sources[name] !== now.sources[name])
    .map((name) => {
      if (before.sources[name] === undefined) return `${name} added`
      return now.sources[name] === undefined ? `${name} removed` : `${name} changed`
    })
  return changes.join(', ') || 'its bundle changed'
}

/**
 * @param made what the recorded job has made: `hdf5/job.h5`, or some runs of it
 * @param hint how to get that job back, if known
 */
export function changedJob(job: string, made: string, changes: string, hint?: string): PypetError {
  const back = hint ?? 'Restore the original job'
  return new PypetError('PYPET_JOB_CHANGED', `${job} is not the job that made ${made}: ${changes}`, {
    where: job,
    hint: `${back}. Or run the changed job: --allow-changed-job (allowChangedJob: true in a script).`,
  })
}
