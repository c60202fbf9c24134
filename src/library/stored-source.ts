/** Compares the source of a job with the file's record of the jobs that made it. */
import { dirname } from 'node:path'
import { changedJob, jobChanges } from '../environment/changed-job.ts'
import { realFileOf } from '../journal/real-file.ts'
import { RunSet } from '../journal/run-set.ts'
import type { JobIdentity } from '../protocol.ts'
import { formatRanges } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'
import type { RunIndex } from '../values/path.ts'
import type { RecordedJob } from './recorded-job.ts'

export interface GivenSource {
  /** The job's file, for messages. */
  readonly file: string
  identity(folder: string): JobIdentity
}

/** Runs of one environment that had another job. */
export interface OtherSource {
  readonly environment: string
  /** How the source has changed since then: `job.ts changed`. */
  readonly jobChanges: string
  readonly runs: readonly RunIndex[]
}

/**
 * Refuses to add runs to a trajectory with a job other than the last one, if the file records which that was.
 *
 * @throws PypetError `PYPET_JOB_CHANGED`
 */
export function assertLastJob(
  recorded: readonly RecordedJob[],
  job: GivenSource,
  { file, isAllowed }: { readonly file: string; readonly isAllowed: boolean },
): void {
  const last = recorded.at(-1)
  if (last === undefined || isAllowed) return
  const changes = jobChanges(last, identityBeside(job, file))
  if (changes !== '') throw changedJob(job.file, shownPath(file), changes)
}

/** The job's identity as the file would store it. */
export function identityBeside(job: GivenSource, file: string): JobIdentity {
  return job.identity(dirname(realFileOf(file)))
}

/** The runs that another job has made, by environment. */
export function runsOfOthers(
  runs: readonly RunIndex[],
  jobOf: (run: RunIndex) => RecordedJob | undefined,
  now: JobIdentity,
): OtherSource[] {
  const found = new Map<string, { jobChanges: string; runs: RunIndex[] }>()
  for (const run of runs) {
    const before = jobOf(run)
    if (before === undefined || before.sha256 === now.sha256) continue
    const known = found.get(before.environment)
    if (known === undefined)
      found.set(before.environment, { jobChanges: jobChanges(before, now), runs: [run] })
    else known.runs.push(run)
  }
  return [...found].map(([environment, other]) => ({ environment, ...other }))
}

/** Like `formatRanges`. */
export function runsText(runs: Iterable<RunIndex>): string {
  return formatRanges(RunSet.of(runs).toRanges())
}

/** How to restore the sources of these runs, and verify the runs with them. */
export function restoreHint(file: string, { runs }: OtherSource): string {
  const shown = shellWord(shownPath(file))
  const restore = `pypet-ts restore ${shown} --run ${runs[0]} --to before`
  return `Undo the change. Or restore the old source with ${restore} and name it with --job before/…`
}
