/** Runs and continues experiments from scripts, like the commands. */
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
  /** Options by their names in config files. They override environment and config file. */
  readonly options?: FlagValues
  /** Your own storage instead of an HDF5 file. */
  readonly storageService?: StorageService
  /** Receives all events. Nothing is printed. */
  readonly reporter?: Reporter
  /** When aborted, active runs finish and no others start. */
  readonly signal?: AbortSignal
  /** When aborted, active runs are cancelled and the file is closed properly. */
  readonly giveUp?: AbortSignal
  /** Return the jobs' return values with the summary. */
  readonly collect?: boolean
}

export interface RunCallOptions extends CallOptions {
  /** Presets by name, as text: `{ 'neuron.tau': '10' }`. */
  readonly set?: Readonly<Record<string, string>>
  /** Explorations as in `--explore`: `['x=1,2,3']`. They replace those of the job and the config file. */
  readonly explore?: readonly string[]
  /** As in `--sample`: `sobol:100`, with bounds in `explore`. */
  readonly sample?: string
  /** As in `--only-if`, `--derive` and `--where`: `['tau: mode == "slow"']`, `['z = x * 2']`, `['x < y']`. */
  readonly onlyIf?: readonly string[]
  readonly derive?: readonly string[]
  readonly where?: readonly string[]
  /** A config file. By default, it is searched from the job's folder upwards. */
  readonly config?: string
  /**
   * Arguments of the job after `traj`. They are kept for `continueRun`, unless a file cannot store them: functions, if runs
   * are inline, and `SharedArrayBuffer`s, which threads share.
   */
  readonly args?: readonly unknown[]
}

export interface ContinueCallOptions extends CallOptions, ArgumentsAgain {
  /** Also run failed runs again. */
  readonly retryFailed?: boolean
  /** Run only failed runs, or only missing runs. */
  readonly only?: 'failed' | 'missing'
  /** Continue even if the job is not the last one that ran. The new runs get their own environment. */
  readonly allowChangedJob?: boolean
  /**
   * The job module by path or `file:` URL, wherever it is, or the function if the experiment was started with one. Without
   * it, the module that the `.cnt` file names is used, but only if it is next to the experiment.
   */
  readonly job?: string | URL | JobFunction
}

export interface RunResult extends ExperimentSummary {
  /** The return values of the jobs of all stored runs, by run, including earlier executions. Only with `collect`. */
  readonly returned?: readonly { readonly run: RunIndex; readonly value: unknown }[]
}

/**
 * Runs the experiment of a job module. Resolves when every run is stored or failed and the file is
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
 * Continues an unfinished experiment. Only missing runs are done.
 *
 * @param file the `.cnt` file, or the HDF5 file next to it
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

/** Refuses option names of a script, like those of flags and config files. */
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
  /** Called when the trajectory is in the file, before the first run. */
  readonly onOpened?: () => void
}

/** Does the missing runs and writes the log files. Does not dispose of the experiment. */
export async function performPrepared(
  experiment: PreparedExperiment,
  call: PerformCall,
): Promise<ExperimentSummary> {
  // Readers of scripts would block its last pages, and show outdated content.
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
        // A reporter shows the job's output in its own way.
        const shown = call.reporter ?? printedLines(process)
        reporter = teeReporters([shown, ...logs.open(environment, shown)])
        return reporter
      },
    })
  } finally {
    await reporter?.close()
  }
}

/** For a function given in plain JavaScript. */
function noJobModule(job: unknown): PypetError {
  const found = typeof job === 'function' ? 'a function' : typeof job
  return new PypetError('PYPET_USAGE', `run: expected the path or URL of a job module, found ${found}`, {
    where: 'run',
    hint: 'To run a function, use an environment: await new Environment({ trajectory, parameters }).run(job).',
  })
}
