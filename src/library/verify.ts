/** Computing stored runs again, and comparing them with the file bit by bit: `pypet-ts verify`. */
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
  /** What of the job is not as it was, as `job.ts changed`; empty when nothing is. Undefined where the file does not say which job it was. */
  readonly jobChanges: string | undefined
  /** Those that the runs were performed with, ascending, as recorded: several where experiments were merged. */
  readonly seeds: readonly number[]
  /** How many runs the file holds. */
  readonly storedCount: number
  /** Undefined when nothing was drawn. */
  readonly sampleSeed: number | undefined
  /**
   * Runs that were not compared, because another job than this one has made them: with `runs: 'all'` some that were asked
   * for, with a sample those that it was not drawn from.
   */
  readonly skipped: readonly OtherSource[]
  /** By run. */
  readonly verdicts: readonly RunVerdict[]
  readonly identicalCount: number
  readonly differentCount: number
  readonly failedCount: number
}

/**
 * Performs stored runs again, with the parameters, the seed and the arguments that the file has, and compares what they
 * add with what it holds. Nothing is written. Runs that another job has made, as after `expand` with a changed one, are not
 * compared: `skipped` names them.
 *
 * @throws PypetError as `loadTrajectory`; `PYPET_JOB_NOT_FOUND`; `PYPET_JOB_CHANGED` where another job has made all runs, or
 *   one that is named; `PYPET_RUN_UNKNOWN` for a run that is not there or not stored, or where none is, `PYPET_USAGE` for a sample that is no number of runs
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
  return new PypetError('PYPET_RUN_UNKNOWN', `cannot verify ${file}: it holds no run that is completed`, {
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
    const found = isThere ? 'it is not stored' : `there are runs 0 to ${runCount - 1}`
    throw new PypetError('PYPET_RUN_UNKNOWN', `cannot verify run ${run} of ${file}: ${found}`, {
      where: file,
      hint: `See: pypet-ts overview ${file} --runs`,
    })
  }
  return [...new Set(runs)].sort((a, b) => a - b)
}

/** In a function of its own: TypeScript 6 leaves the endings of dynamic imports as they are beside `await using`. */
async function loadParts() {
  return await import('./verify-runs.ts')
}
