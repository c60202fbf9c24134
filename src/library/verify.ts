/** Repeats stored runs and compares them with the file bit by bit: `pypet-ts verify`. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PypetError } from '../errors.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import type { OtherSource } from './stored-source.ts'
import type { RunVerdict, VerifyOptions } from './verify-runs.ts'

export interface VerifyReport {
  readonly file: string
  readonly trajectory: string
  readonly job: string
  /** How the job has changed, like `job.ts changed`; empty if it has not. Undefined if the file does not record the job. */
  readonly jobChanges: string | undefined
  /** The recorded seeds of the runs, ascending. There are several if experiments were merged. */
  readonly seeds: readonly number[]
  /** Number of runs in the file. */
  readonly storedCount: number
  /** Undefined if nothing was drawn. */
  readonly sampleSeed: number | undefined
  /**
   * Runs that were not compared, because another job has made them. With `runs: 'all'` they are some of the requested
   * runs; with a sample, they were excluded from it.
   */
  readonly skipped: readonly OtherSource[]
  /** By run. */
  readonly verdicts: readonly RunVerdict[]
  readonly identicalCount: number
  readonly differentCount: number
  readonly failedCount: number
}

/**
 * Repeats stored runs with the parameters, the seed and the arguments from the file, and compares the results with the
 * file. Nothing is written. Runs that another job has made, for example after `expand` with a changed job, are not
 * compared: `skipped` names them.
 *
 * @throws PypetError like `loadTrajectory`; `PYPET_JOB_NOT_FOUND`; `PYPET_JOB_CHANGED` if another job has made all runs,
 *   or one that is named; `PYPET_RUN_UNKNOWN` for a run that does not exist or is not stored, or if none is stored;
 *   `PYPET_USAGE` for an invalid sample size
 * @example
 * const { differentCount } = await verify('hdf5/multiply.h5', { runs: 'all' })
 */
export async function verify(filename: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  assertKnownOptions(options, VERIFY_OPTIONS, 'verify')
  assertOptions(options)
  const { readStoredExperiment, performAgain, drawRuns, freshSeed } = await loadParts()
  const { job } = options
  const file = resolve(filename)
  const stored = await readStoredExperiment(file, {
    ...options,
    job: job instanceof URL ? fileURLToPath(job) : job,
  })
  await using experiment = stored
  const sampleSeed = options.runs === undefined ? (options.sampleSeed ?? freshSeed()) : undefined
  const { completed, runCount, others: skipped } = experiment
  if (completed.length === 0) throw nothingStored(file)
  const ofOthers = new Set(skipped.flatMap(({ runs }) => runs))
  const comparable = completed.filter((run) => !ofOthers.has(run))
  const runs =
    sampleSeed === undefined
      ? chosenRuns(comparable, runCount, file, options.runs ?? 'all')
      : drawRuns(comparable, options.sample ?? 20, sampleSeed)
  const verdicts = await performAgain(experiment, runs, options.onVerdict ?? (() => undefined))
  verdicts.sort((a, b) => a.run - b.run)
  const count = (state: RunVerdict['state']) => verdicts.filter((verdict) => verdict.state === state).length
  return {
    file,
    trajectory: experiment.trajectory,
    job: experiment.jobFile,
    jobChanges: experiment.jobChangesOf(runs),
    seeds: [...new Set(runs.map(experiment.seedOf))].sort((a, b) => a - b),
    storedCount: completed.length,
    sampleSeed,
    skipped: Array.isArray(options.runs) ? [] : skipped,
    verdicts,
    identicalCount: count('identical'),
    differentCount: count('different'),
    failedCount: count('failed'),
  }
}

const VERIFY_OPTIONS = [
  'trajectory',
  'dynamicImports',
  'job',
  'sample',
  'sampleSeed',
  'runs',
  'allowChangedJob',
  'args',
  'options',
  'onVerdict',
  'isProcessOurs',
] satisfies (keyof VerifyOptions)[]

function assertOptions({ sample, sampleSeed }: VerifyOptions): void {
  for (const [name, value, minimum] of [
    ['sample', sample, 1],
    ['sample-seed', sampleSeed, 0],
  ] as const) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= minimum)) continue
    throw new PypetError('PYPET_USAGE', `--${name}: expected a whole number >= ${minimum}, found ${value}`, {
      where: `--${name}`,
      hint:
        name === 'sample'
          ? 'Give a number, or verify all stored runs with --all.'
          : 'Give the number that a report names.',
    })
  }
}

function nothingStored(file: string): PypetError {
  return new PypetError('PYPET_RUN_UNKNOWN', `cannot verify ${file}: it has no completed run`, {
    where: file,
    hint: `See: pypet-ts overview ${file} --runs`,
  })
}

function chosenRuns(
  completed: readonly RunIndex[],
  runCount: number,
  file: string,
  runs: readonly RunIndex[] | 'all',
): RunIndex[] {
  if (runs === 'all') return [...completed]
  const stored = new Set(completed)
  for (const run of runs) {
    if (stored.has(run)) continue
    const isThere = Number.isSafeInteger(run) && run >= 0 && run < runCount
    const found = isThere ? 'it is not stored' : `it has runs 0 to ${runCount - 1}`
    throw new PypetError('PYPET_RUN_UNKNOWN', `cannot verify run ${run} of ${file}: ${found}`, {
      where: file,
      hint: `See: pypet-ts overview ${file} --runs`,
    })
  }
  return [...new Set(runs)].sort((a, b) => a - b)
}

/** A separate function, because TypeScript 6 does not rewrite the endings of dynamic imports next to `await using`. */
async function loadParts() {
  return await import('./verify-runs.ts')
}
