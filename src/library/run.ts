/** The library's way to run an experiment, and to go on with one: what the commands do, as functions. */
import { fileURLToPath } from 'node:url'
import { type Postprocessing, ReturnedBytes } from '../environment/postprocessing.ts'
import { prepareContinue, readUnfinished } from '../environment/prepare-continue.ts'
import { prepareExperiment } from '../environment/prepare-experiment.ts'
import { prepareLogs } from '../environment/prepare-logs.ts'
import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { runExperiment } from '../environment/run-experiment.ts'
import { RunStores } from '../environment/run-stores.ts'
import { PypetError } from '../errors.ts'
import type { ExperimentSummary, Reporter } from '../events.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import type { FlagValues } from '../experiment/layers.ts'
import { OPTION_NAMES } from '../experiment/options.ts'
import { releaseWhileWritten } from '../journal/open-readers.ts'
import { printedLines } from '../reporting/plain-lines.ts'
import { teeReporters } from '../reporting/tee-reporter.ts'
import type { StorageService } from '../storage/service/storage-service.ts'
import { assertKnownOptions, nearestHint } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import { type ArgumentsAgain, argumentsAgain } from './given-arguments.ts'
import { jobPostprocessing } from './postprocessing.ts'

interface CallOptions {
  /** Options by their names in config files; stronger than environment and config file. */
  readonly options?: FlagValues
  /** A storage of your own, in the place of an HDF5 file. */
  readonly storageService?: StorageService
  /** Told everything that happens; nothing is printed. */
  readonly reporter?: Reporter
  /** Aborted, it lets active runs finish and starts no others. */
  readonly signal?: AbortSignal
  /** Aborted, it gives active runs up, and closes the file in order. */
  readonly giveUp?: AbortSignal
  /** Gives what the jobs returned with the summary. */
  readonly collect?: boolean
}

export interface RunCallOptions extends CallOptions {
  /** Presets by name, as text: `{ 'neuron.tau': '10' }`. */
  readonly set?: Readonly<Record<string, string>>
  /** Explorations as of `--explore`: `['x=1,2,3']`; they replace those of the job and the config file. */
  readonly explore?: readonly string[]
  /** As of `--sample`: `sobol:100`, with bounds in `explore`. */
  readonly sample?: string
  /** As of `--only-if`, `--derive` and `--where`: `['tau: mode == "slow"']`, `['z = x * 2']`, `['x < y']`. */
  readonly onlyIf?: readonly string[]
  readonly derive?: readonly string[]
  readonly where?: readonly string[]
  /** A config file; else it is searched from the job's folder upwards. */
  readonly config?: string
  /**
   * What the job is called with behind `traj`; kept for `continueRun`, unless it is what no file can keep: functions, where
   * the runs are performed inline, and `SharedArrayBuffer`s, which threads share.
   */
  readonly args?: readonly unknown[]
}

export interface ContinueCallOptions extends CallOptions, ArgumentsAgain {
  /** Perform failed runs again, too. */
  readonly retryFailed?: boolean
  /** Perform only runs that failed, or only those that are missing. */
  readonly only?: 'failed' | 'missing'
  /** Go on although the job is not the one that ran last; its runs get an environment of their own. */
  readonly allowChangedJob?: boolean
  /**
   * The job module, by path or `file:` URL, wherever it is; without it, the one that the `.cnt` file names counts only
   * where it lies with the experiment. Or the function, where the experiment was begun with one.
   */
  readonly job?: string | URL | JobFunction
}

export interface RunResult extends ExperimentSummary {
  /** What the jobs of all stored runs returned, by run, those of earlier executions too; with `collect` only. */
  readonly returned?: readonly { readonly run: RunIndex; readonly value: unknown }[]
}

/**
 * Runs the experiment of a job module and resolves when every run is stored or failed, and the file
 * closed. Log files are written as by the command line.
 *
 * @param job path or `file:` URL of the job module
 * @throws PypetError with the codes and meanings of the command line
 * @example
 * const { storedCount } = await run(new URL('./job.ts', import.meta.url), { options: { ncores: 4 } })
 */
export async function run(job: string | URL, call: RunCallOptions = {}): Promise<RunResult> {
  if (typeof job !== 'string' && !(job instanceof URL)) throw noJobModule(job)
  assertKnownOptions(call, RUN_CALL, 'run')
  assertOptionNames(call.options ?? {})
  const experiment = await prepareExperiment({
    jobFile: job instanceof URL ? fileURLToPath(job) : job,
    configFile: call.config,
    flags: call.options ?? {},
    presets: Object.entries(call.set ?? {}).map(([name, text]) => `${name}=${text}`),
    explore: call.explore ?? [],
    args: call.args ?? [],
    sample: call.sample,
    onlyIf: call.onlyIf,
    derive: call.derive,
    where: call.where,
    hasStorageService: call.storageService !== undefined,
    env: process.env,
    isCall: true,
  })
  return await perform(experiment, call)
}

/**
 * Goes on with an unfinished experiment: only what is missing is performed.
 *
 * @param file its `.cnt` file, or the HDF5 file beside it
 * @throws PypetError with the codes and meanings of `pypet-ts continue`
 */
export async function continueRun(file: string, call: ContinueCallOptions = {}): Promise<RunResult> {
  assertKnownOptions(call, CONTINUE_CALL, 'continueRun')
  assertOptionNames(call.options ?? {})
  const { options: flags = {}, retryFailed = false, only, allowChangedJob = false, job } = call
  const experiment = await prepareContinue(readUnfinished(file), {
    path: file,
    flags,
    env: process.env,
    retryFailed,
    only,
    allowChangedJob,
    job: job instanceof URL ? fileURLToPath(job) : job,
    hasStorageService: call.storageService !== undefined,
    isCall: true,
    argsOf: argumentsAgain(call),
  })
  return await perform(experiment, call)
}

const CALL = ['options', 'storageService', 'reporter', 'signal', 'giveUp', 'collect'] as const
const RUN_CALL: readonly (keyof RunCallOptions)[] = [
  ...CALL,
  'set',
  'explore',
  'sample',
  'onlyIf',
  'derive',
  'where',
  'config',
  'args',
]
const CONTINUE_CALL: readonly (keyof ContinueCallOptions)[] = [
  ...CALL,
  'retryFailed',
  'only',
  'allowChangedJob',
  'job',
  'args',
  'iterables',
]

/** What a flag or a key of a config file would refuse, a script's options do, too. */
function assertOptionNames(options: Readonly<Record<string, unknown>>): void {
  const known: readonly string[] = OPTION_NAMES
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new PypetError('PYPET_CONFIG_UNKNOWN_KEY', `there is no option ${unknown}`, {
    where: `options.${unknown}`,
    hint: nearestHint(unknown, known),
  })
}

async function perform(prepared: PreparedExperiment, call: CallOptions): Promise<RunResult> {
  await using experiment = prepared
  const returned = call.collect === true ? new ReturnedBytes() : undefined
  const postprocessing = jobPostprocessing(experiment)
  const summary = await performPrepared(experiment, { ...call, returned, postprocessing })
  if (returned === undefined) return summary
  const values = returned.values().filter(([, value]) => value !== undefined)
  return { ...summary, returned: values.map(([run, value]) => ({ run, value })) }
}

export interface PerformCall extends Pick<CallOptions, 'reporter' | 'signal' | 'giveUp' | 'storageService'> {
  readonly postprocessing?: Postprocessing | undefined
  readonly returned?: ReturnedBytes | undefined
  /** Called when the file holds the trajectory, before the first run. */
  readonly onOpened?: () => void
}

/** Performs what is missing, and writes the log files. The experiment is not disposed of. */
export async function performPrepared(
  experiment: PreparedExperiment,
  call: PerformCall,
): Promise<ExperimentSummary> {
  // Those of scripts would keep its last pages back, and show what it was before.
  using _released = releaseWhileWritten(experiment.settings.filename)
  await using logs = await prepareLogs(experiment.settings)
  await using stores = RunStores.start(experiment.settings.wrapMode, call.storageService)
  let reporter: Reporter | undefined
  try {
    return await runExperiment(experiment, {
      stores,
      signal: call.signal,
      giveUp: call.giveUp,
      returned: call.returned,
      postprocessing: call.postprocessing,
      openReporter: (environment) => {
        call.onOpened?.()
        // A reporter shows what the job prints in its own way.
        const shown = call.reporter ?? printedLines(process)
        reporter = teeReporters([shown, ...logs.open(environment, shown)])
        return reporter
      },
    })
  } finally {
    await reporter?.close()
  }
}

/** A function of the script's own, in plain JavaScript. */
function noJobModule(job: unknown): PypetError {
  const found = typeof job === 'function' ? 'a function' : typeof job
  return new PypetError('PYPET_USAGE', `run: expected the path or URL of a job module, found ${found}`, {
    where: 'run',
    hint: 'Functions are run by an environment: await new Environment({ trajectory, parameters }).run(job).',
  })
}
