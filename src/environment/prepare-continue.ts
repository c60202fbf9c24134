/** From a `.cnt` file to an experiment that can go on. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type CntState, readCnt } from '../continue/cnt-state.ts'
import { findCnt } from '../continue/find-cnt.ts'
import { RunSet } from '../continue/run-set.ts'
import { PypetError } from '../errors.ts'
import { UserCode } from '../executors/user-code.ts'
import { bundleJob, type JobBundle } from '../experiment/bundle-job.ts'
import { functionJob } from '../experiment/function-job.ts'
import { type FlagValues, resolveSettings } from '../experiment/layers.ts'
import { importJob, type JobFunction } from '../experiment/load-job.ts'
import {
  CHANGEABLE_OPTIONS,
  environmentName,
  type OptionName,
  type OptionValues,
} from '../experiment/options.ts'
import { expand } from '../exploration/expand.ts'
import type { JobIdentity } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import { toStoredValue } from '../trajectory/value.ts'
import { momentName } from './experiment-config.ts'
import { readArguments } from './job-arguments.ts'
import type { PreparedExperiment } from './prepare-experiment.ts'
import { readSettings } from './recorded-settings.ts'

/** What `continue` asks for. */
export interface ContinueCall {
  /** A `.cnt` file, or the HDF5 file that it lies beside. */
  readonly path: string
  readonly flags?: FlagValues
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly retryFailed?: boolean
  readonly only?: 'failed' | 'missing' | undefined
  readonly allowChangedJob?: boolean
  /** The function, where the job is none of a module. */
  readonly job?: JobFunction | undefined
  /** A script gives a storage service of its own. */
  readonly hasStorageService?: boolean
  /** The process is the command's and ends with it. */
  readonly isProcessOurs?: boolean
}

/**
 * Reads what a `.cnt` file says, and changes nothing.
 *
 * @throws PypetError as `findCnt` and `readCnt`
 */
export function readUnfinished(path: string): CntState {
  return readCnt(findCnt(path))
}

/** What of an experiment is done, and what would be performed. */
export interface ContinuePlan {
  readonly runCount: number
  readonly storedCount: number
  readonly failedCount: number
  readonly missingCount: number
  /** The runs that would be performed. */
  readonly runs: RunSet
  /** Every run has ended, and the last commit has closed the trajectory. */
  readonly hasEnded: boolean
}

/** What `continue` would do with an unfinished experiment. */
export function planContinue(
  state: CntState,
  call: Pick<ContinueCall, 'retryFailed' | 'only'>,
): ContinuePlan {
  const { parameters, exploration } = state.experiment.request
  const { runCount } = expand({ parameters, exploration })
  const { stored, failed } = state
  const missing = new RunSet()
  missing.addRange(0, runCount)
  missing.removeRanges(stored.toRanges())
  missing.removeRanges(RunSet.of(failed.keys()).toRanges())
  const missingCount = missing.count
  const runs = call.only === 'failed' ? new RunSet() : missing
  if (retriesFailed(call)) for (const run of failed.keys()) runs.add(run)
  return {
    runCount,
    storedCount: stored.count,
    failedCount: failed.size,
    missingCount,
    runs,
    hasEnded: missingCount === 0 && state.hasEnded,
  }
}

/**
 * Loads the job of an unfinished experiment and checks that it is the same. Dispose of the result after the
 * experiment, as of that of `prepareExperiment`.
 *
 * @throws PypetError `PYPET_JOB_NOT_FOUND`, `PYPET_JOB_CHANGED`, and as `prepareExperiment`
 */
export async function prepareContinue(state: CntState, call: ContinueCall): Promise<PreparedExperiment> {
  const { isEdit, continuable } = state.experiment.request
  if (isEdit === true || continuable === false) {
    const found =
      isEdit === true ? 'a change to the file, not of an experiment' : 'an experiment that is not continuable'
    throw new PypetError('PYPET_CNT_NOT_CNT', `${state.path} is of ${found}`, {
      where: state.path,
      hint: `Recover the file with: pypet-ts continue ${state.path}`,
    })
  }
  const jobFile = call.job === undefined ? findJob(state) : state.experiment.request.continuation.job.file
  const userCode = new UserCode(resolve(jobFile), { isProcessOurs: call.isProcessOurs === true })
  try {
    return await prepare(state, call, jobFile, userCode)
  } catch (error) {
    userCode.flush()
    userCode[Symbol.dispose]()
    if (userCode.printed.length > 0) process.stderr.write(`${userCode.printed.join('\n')}\n`)
    throw error
  }
}

async function prepare(
  state: CntState,
  call: ContinueCall,
  jobFile: string,
  userCode: UserCode,
): Promise<PreparedExperiment> {
  const { request } = state.experiment
  const { continuation, parameters, exploration, trajectory } = request
  const bundle = call.job === undefined ? await bundleJob(jobFile) : functionBundle(call.job)
  try {
    const config = changedJobConfig(state, bundle, call.allowChangedJob === true)
    const { postprocess } = await userCode.call(() => importJob(bundle, userCode.failed))
    const { settings, origins } = resolveSettings({
      jobFile: bundle.file,
      flags: call.flags ?? {},
      env: changeable(call.env ?? {}),
      config: { file: state.path, options: recordedOptions(state, call) },
      hasStorageService: call.hasStorageService === true,
    })
    return {
      // The file is where the `.cnt` file is, whatever it was called by.
      settings: { ...settings, filename: request.file, overwrite: false },
      origins,
      job: { url: bundle.url, file: bundle.file },
      identifyJob: (folder) => bundle.identity(folder),
      opening: {
        kind: 'continue',
        cntFile: state.path,
        // What an expansion found in the file was stored by another experiment.
        ownStored: request.isExpansion === true ? new RunSet() : state.stored,
        retryFailed: retriesFailed(call),
        only: call.only === 'failed' ? RunSet.of(state.failed.keys()) : undefined,
        identity: {
          name: continuation.environmentName,
          hexsha: trajectory.environmentHexsha,
          timestamp: trajectory.timestamp,
        },
        config,
      },
      parameters,
      plan: expand({ parameters, exploration }),
      userCode,
      args: readArguments(continuation),
      postprocess,
      async [Symbol.asyncDispose]() {
        userCode[Symbol.dispose]()
        await bundle.dispose()
      },
    }
  } catch (error) {
    await bundle.dispose()
    throw error
  }
}

function functionBundle(job: JobFunction): Pick<JobBundle, 'file' | 'url' | 'identity' | 'dispose'> {
  const { location, identity, [Symbol.dispose]: dispose } = functionJob(job)
  return { ...location, identity, dispose: async () => dispose() }
}

function retriesFailed({ retryFailed, only }: Pick<ContinueCall, 'retryFailed' | 'only'>): boolean {
  return retryFailed === true || only === 'failed'
}

/** Where the job was, seen from the `.cnt` file; else where it was at all. */
function findJob({ path, experiment }: CntState): string {
  const { file, relativeFile, isFunction } = experiment.request.continuation.job
  if (isFunction === true) {
    throw new PypetError('PYPET_JOB_NOT_FOUND', `the job of ${path} is a function of the script ${file}`, {
      where: path,
      hint: 'Go on there: await env.continueRun(cnt, { job: theFunction }).',
    })
  }
  const places = [resolve(dirname(path), relativeFile), file]
  const found = places.find((place) => existsSync(place))
  if (found !== undefined) return found
  throw new PypetError(
    'PYPET_JOB_NOT_FOUND',
    `the job of ${path} is not found: looked for ${places.join(' and ')}`,
    {
      where: path,
      hint: 'Put the job module back where it was.',
    },
  )
}

/** With other demands on the place where runs are computed, it follows from them, not from what it was. */
function recordedOptions(
  { path, experiment }: CntState,
  { flags = {}, env = {} }: ContinueCall,
): OptionValues {
  const recorded = readSettings(experiment.request.continuation.settings, dirname(path))
  // Two follow from the executor, and would contradict another one.
  const { executor, multiproc: _multiproc, isolate: _isolate, ...options } = recorded
  const isGiven = (name: OptionName) => flags[name] !== undefined || (env[environmentName(name)] ?? '') !== ''
  const isNamed = isGiven('executor') || isGiven('multiproc')
  // More cores or memory change nothing of the wish for a process a run.
  const isMoved =
    (executor !== 'process' && (isGiven('ncores') || isGiven('memoryLimit'))) ||
    (executor === 'inline' && (isGiven('timeout') || isGiven('niceness')))
  const isFree = isNamed || isGiven('isolate') || isMoved
  const { memoryLimit, ...others } = options
  return {
    ...others,
    // The name has its time already.
    addTime: false,
    // The limit was meant for processes, and would contradict another executor that is named now.
    ...(!isNamed && memoryLimit !== undefined && { memoryLimit }),
    ...(!isFree && executor !== undefined && { executor }),
  }
}

/** Variables for what may not change are meant for other experiments. */
function changeable(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const names = new Set<string>(CHANGEABLE_OPTIONS.map(environmentName))
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.has(name)))
}

/** Nothing when the job is the one that began; else what is recorded of the change, where it is allowed. */
function changedJobConfig(
  { path, experiment }: CntState,
  bundle: Pick<JobBundle, 'file' | 'identity'>,
  isAllowed: boolean,
): readonly Parameter[] {
  const { job: before, environmentName: environment } = experiment.request.continuation
  const now = bundle.identity(dirname(path))
  if (before.sha256 === now.sha256) return []
  if (!isAllowed) {
    throw new PypetError(
      'PYPET_JOB_CHANGED',
      `${bundle.file} is not the job that began: ${jobChanges(before, now)}`,
      {
        where: bundle.file,
        hint: 'Put back what it was, or go on with the changed job (--allow-changed-job); the file then holds results of both.',
      },
    )
  }
  const group = `environment.${environment}.changed_job.changed_${momentName()}`
  return [
    configParameter(
      `${group}.sha256`,
      now.sha256,
      'SHA-256 of the job that the experiment was continued with',
    ),
    configParameter(`${group}.changes`, jobChanges(before, now), 'What had changed in the job'),
  ]
}

function configParameter(name: string, value: string, comment: string): Parameter {
  return { name, value, comment, stored: toStoredValue(value, `config.${name}`) }
}

/** `job.ts changed, model.ts added`. */
export function jobChanges(before: Pick<JobIdentity, 'sources'>, now: Pick<JobIdentity, 'sources'>): string {
  const names = [...new Set([...Object.keys(before.sources), ...Object.keys(now.sources)])].sort()
  return names
    .filter((name) => before.sources[name] !== now.sources[name])
    .map((name) => {
      if (before.sources[name] === undefined) return `${name} added`
      return now.sources[name] === undefined ? `${name} removed` : `${name} changed`
    })
    .join(', ')
}
