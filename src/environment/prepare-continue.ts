/** Prepares the experiment of a `.cnt` file so that it can be resumed. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import { unknownVariables } from '../experiment/environment-variables.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import { type FlagValues, optionWords, type ResolvedSettings, resolveSettings } from '../experiment/layers.ts'
import {
  CHANGEABLE_OPTIONS,
  environmentName,
  type OptionName,
  type OptionValues,
} from '../experiment/options.ts'
import { describePlace } from '../experiment/origin.ts'
import { lacksValues, planRuns } from '../exploration/plan.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import { damaged } from '../journal/cnt-records.ts'
import { type CntState, readCnt } from '../journal/cnt-state.ts'
import { findCnt } from '../journal/find-cnt.ts'
import { RunSet } from '../journal/run-set.ts'
import type { RunEnvironment } from '../protocol.ts'
import { logFolderOf } from '../reporting/log-folder.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'
import type { OwnClass } from '../values/own-class.ts'
import { changedJob, jobChanges } from './changed-job.ts'
import { type ArgumentsOfRuns, continuedArguments } from './continued-arguments.ts'
import { type EnvironmentIdentity, identifyEnvironment } from './experiment-config.ts'
import { assertReached } from './job-arguments.ts'
import { type PreparedJob, prepareJob } from './prepare-job.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { isAtHome, leadsAway, type RecordedPlace, refuseElsewhere } from './recorded-places.ts'
import { readSettings } from './recorded-settings.ts'
import { seenBefore } from './seen-nodes.ts'

/** What `continue` requests. */
export interface ContinueCall {
  /** A `.cnt` file, or the HDF5 file next to it. */
  readonly path: string
  readonly flags?: FlagValues
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly retryFailed?: boolean
  readonly only?: 'failed' | 'missing' | undefined
  readonly allowChangedJob?: boolean
  /** Classes given by a script, or their modules. */
  readonly dynamicImports?: readonly (OwnClass | string)[] | undefined
  /** The arguments of these runs, from a script whose arguments the `.cnt` file could not keep. */
  readonly argsOf?: ArgumentsOfRuns | undefined
  /** The function, if the job is not a module; or the module, wherever it is. */
  readonly job?: JobFunction | string | undefined
  /** Called with the job module before any of it is executed. */
  readonly onJob?: (file: string) => void
  /** A script passes its own storage service. */
  readonly hasStorageService?: boolean
  /** The flags are options of a script; messages name them as the script does. */
  readonly isCall?: boolean
  /** The process belongs to the command and ends with it. */
  readonly isProcessOurs?: boolean
}

/**
 * Reads a `.cnt` file. Changes nothing.
 *
 * @throws PypetError as `findCnt` and `readCnt`
 */
export function readUnfinished(path: string): CntState {
  return readCnt(findCnt(path))
}

/** What is done of an experiment, and what would run. */
export interface ContinuePlan {
  readonly runCount: number
  readonly storedCount: number
  readonly failedCount: number
  readonly missingCount: number
  /** The runs that would be computed. */
  readonly runs: RunSet
  /** Every run has ended, and the last commit has closed the trajectory. */
  readonly hasEnded: boolean
}

/** What `continue` would do with an unfinished experiment. */
export function planContinue(
  state: CntState,
  call: Pick<ContinueCall, 'retryFailed' | 'only'>,
): ContinuePlan {
  const { runCount } = recordedPlan(state)
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

/** Even if each field of a record is valid, it may explore parameters that it does not declare. */
function recordedPlan({ path, experiment }: CntState): ExplorationPlan {
  const { parameters, exploration } = experiment.request
  try {
    return planRuns({ parameters, exploration, where: 'exploration' })
  } catch (error) {
    if (isPypetError(error)) throw damaged(path, error.message)
    throw error
  }
}

/**
 * Loads the job of an unfinished experiment and checks that it is unchanged. Dispose of the result after the
 * experiment, as for `prepareExperiment`.
 *
 * @throws PypetError `PYPET_JOB_NOT_FOUND`, `PYPET_JOB_CHANGED`, `PYPET_USAGE` for a job, a log folder or a module
 *   elsewhere that the call does not name, and as `prepareExperiment`
 */
export async function prepareContinue(state: CntState, call: ContinueCall): Promise<PreparedExperiment> {
  const { request } = state.experiment
  const { isEdit, continuable } = request
  if (isEdit === true || continuable === false) {
    const found =
      isEdit === true ? 'a change to the file, not of an experiment' : 'an experiment that is not continuable'
    throw new PypetError('PYPET_CNT_NOT_CNT', `${state.path} belongs to ${found}`, {
      where: state.path,
      hint: `Recover the file with: pypet-ts continue ${state.path}`,
    })
  }
  const { file, isElsewhere } = jobOf(state, call)
  const resolved = resolveRecorded(state, call, file)
  refuseElsewhere(
    state.path,
    [
      ...(isElsewhere ? [{ noun: 'job', flag: '--job', path: file }] : []),
      ...recordedPlaces(state, resolved, call.hasStorageService === true),
    ],
    wordsOf(call),
  )
  const recorded = recordedPlan(state)
  const plan = lacksValues(recorded)
    ? await (await import('./explored-values.ts')).planWithValues(recorded, request)
    : recorded
  const { settings, origins } = resolved
  const args = continuedArguments(state, call.argsOf, plan.runCount)
  assertReached(args, settings.executor, describePlace('executor', origins.executor))
  const given = typeof call.job === 'function' ? call.job : file
  return await prepareJob(given, { isProcessOurs: call.isProcessOurs === true }, async (job) => {
    const environment = nextEnvironment(state, job, call.allowChangedJob === true)
    call.onJob?.(job.file)
    const loaded = await job.load()
    return {
      // The file is next to the `.cnt` file, whatever its name was.
      settings: { ...settings, filename: request.file, overwrite: false },
      origins,
      job: await job.locate(loaded, call.dynamicImports),
      classes: loaded.classes,
      identifyJob: job.identity,
      opening: {
        kind: 'continue',
        cntFile: state.path,
        // What an expansion found in the file was stored by another experiment.
        ownStored: request.isExpansion === true ? new RunSet() : state.stored,
        retryFailed: retriesFailed(call),
        only: call.only === 'failed' ? RunSet.of(state.failed.keys()) : undefined,
        identity: identityOf(state, environment),
        environment,
      },
      parameters: request.parameters,
      plan,
      userCode: job.userCode,
      args,
      warnings: unknownVariables(call.env ?? {}),
      postprocess: loaded.postprocess,
      seen: await seenBefore(request, settings.useHdf5),
      tree: request.continuation.tree,
      [Symbol.asyncDispose]: job.dispose,
    }
  })
}

function retriesFailed({ retryFailed, only }: Pick<ContinueCall, 'retryFailed' | 'only'>): boolean {
  return retryFailed === true || only === 'failed'
}

/** The job of a call, and whether the call must name it because it is elsewhere. */
function jobOf(
  state: CntState,
  { job }: ContinueCall,
): { readonly file: string; readonly isElsewhere: boolean } {
  if (typeof job === 'function')
    return { file: state.experiment.request.continuation.job.file, isElsewhere: false }
  if (job !== undefined) return { file: resolve(job), isElsewhere: false }
  const file = findJob(state)
  return { file, isElsewhere: !isAtHome(file, state.path) }
}

/**
 * Where the job is, relative to the `.cnt` file; otherwise its recorded absolute path.
 *
 * @throws PypetError `PYPET_JOB_NOT_FOUND`
 */
export function findJob({ path, experiment }: CntState): string {
  const { file, relativeFile, isFunction } = experiment.request.continuation.job
  if (isFunction === true) {
    throw new PypetError('PYPET_JOB_NOT_FOUND', `the job of ${path} is a function of the script ${file}`, {
      where: path,
      hint: 'Continue it there: await env.continueRun(cnt, { job: theFunction }).',
    })
  }
  const places = [...new Set([resolve(dirname(path), relativeFile), file])]
  const found = places.filter((place) => existsSync(place))
  const known = found.find((place) => isAtHome(place, path)) ?? found[0]
  if (known !== undefined) return known
  throw new PypetError(
    'PYPET_JOB_NOT_FOUND',
    `cannot find the job of ${path}: looked for ${places.join(' and ')}`,
    {
      where: path,
      hint: 'Put the job module back, or name it with --job.',
    },
  )
}

/** @throws PypetError as `resolveSettings`; `PYPET_USAGE` for a storage service in an experiment without one */
function resolveRecorded(state: CntState, call: ContinueCall, jobFile: string): ResolvedSettings {
  const options = recordedOptions(state, call)
  if (call.flags?.storageService !== undefined && options.storageService === undefined) {
    throw new PypetError('PYPET_USAGE', `the experiment of ${state.path} has no storage service`, {
      where: '--storage-service',
      hint: 'Leave it out: the remaining runs go into the same file as the others.',
    })
  }
  return resolveSettings({
    jobFile,
    flags: call.flags ?? {},
    env: changeable(call.env ?? {}),
    config: { file: state.path, options },
    hasStorageService: call.hasStorageService === true,
    isCall: call.isCall === true,
  })
}

/** What would be loaded or written only because the `.cnt` file says so. */
function recordedPlaces(
  { path, experiment }: CntState,
  { settings, origins }: ResolvedSettings,
  hasStorageService: boolean,
): readonly RecordedPlace[] {
  const isRecorded = (name: OptionName) => origins[name].kind === 'config'
  const { logging, logFolder, logTransports, storageService, name } = settings
  const places: RecordedPlace[] = []
  if (logging && isRecorded('logFolder')) {
    const folder = logFolderOf(logFolder, name, experiment.request.continuation.environmentName)
    places.push({
      noun: 'log folder',
      flag: '--log-folder',
      path: logFolder,
      leadsTo: leadsAway(folder, path),
    })
  }
  if (logging && logTransports !== undefined && isRecorded('logTransports'))
    places.push({ noun: 'log transports', flag: '--log-transports', path: logTransports })
  if (storageService !== undefined && !hasStorageService && isRecorded('storageService'))
    places.push({ noun: 'storage service', flag: '--storage-service', path: storageService })
  return places
}

/** The call's own flags, as words of a command. */
function wordsOf({ flags = {}, job, retryFailed, only, allowChangedJob }: ContinueCall): string[] {
  const words = optionWords(flags)
  if (typeof job === 'string') words.unshift('--job', shellWord(job))
  if (retryFailed === true) words.push('--retry-failed')
  if (only !== undefined) words.push('--only', only)
  if (allowChangedJob === true) words.push('--allow-changed-job')
  return words
}

/** If the call changes where runs are computed, dependent options follow from that, not from the record. */
function recordedOptions(
  { path, experiment }: CntState,
  { flags = {}, env = {} }: ContinueCall,
): OptionValues {
  const recorded = readSettings(experiment.request.continuation.settings, dirname(path))
  // These two follow from the executor, and would contradict another one.
  const { executor, multiproc: _multiproc, isolate: _isolate, ...options } = recorded
  const isGiven = (name: OptionName) => flags[name] !== undefined || (env[environmentName(name)] ?? '') !== ''
  const isNamed = isGiven('executor') || isGiven('multiproc')
  // More cores or memory do not affect the wish for one process per run.
  const isMoved =
    (executor !== 'process' && (isGiven('ncores') || isGiven('memoryLimit'))) ||
    (executor === 'inline' && (isGiven('timeout') || isGiven('niceness')))
  const isFree = isNamed || isGiven('isolate') || isMoved
  const { memoryLimit, ...others } = options
  return {
    ...others,
    // The name already has its time.
    addTime: false,
    // The limit was meant for processes, and would contradict another executor that the call names.
    ...(!isNamed && memoryLimit !== undefined && { memoryLimit }),
    ...(!isFree && executor !== undefined && { executor }),
  }
}

/** Environment variables for fixed options are meant for other experiments. */
function changeable(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const names = new Set<string>(CHANGEABLE_OPTIONS.map(environmentName))
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.has(name)))
}

/**
 * Undefined if the job is the one that ran last; otherwise the environment of the runs to come, if the change is
 * allowed.
 *
 * @throws PypetError `PYPET_JOB_CHANGED`
 */
function nextEnvironment(
  { path, experiment }: CntState,
  job: Pick<PreparedJob, 'file' | 'identity'>,
  isAllowed: boolean,
): RunEnvironment | undefined {
  const { continuation, file, trajectory } = experiment.request
  const now = job.identity(dirname(path))
  const changes = jobChanges(continuation.job, now)
  if (changes === '') return undefined
  if (!isAllowed) throw changedJob(job.file, shownPath(file), changes)
  return { ...identifyEnvironment(trajectory.name, Date.now() / 1000), job: now }
}

/** The environment that continues under its name, or a new one. */
function identityOf({ experiment }: CntState, environment: RunEnvironment | undefined): EnvironmentIdentity {
  if (environment !== undefined) return environment
  const { continuation, trajectory } = experiment.request
  const { hexsha, timestamp } = continuation.environment ?? {
    hexsha: trajectory.environmentHexsha,
    timestamp: trajectory.timestamp,
  }
  return { name: continuation.environmentName, hexsha, timestamp }
}
