/** The environment: runs experiments from a script, and keeps their trajectory (pypet `environment.py`). */
import { fileURLToPath } from 'node:url'
import { type EnvironmentIdentity, identifyEnvironment } from '../environment/experiment-config.ts'
import { type JobArguments, jobArguments } from '../environment/job-arguments.ts'
import { ReturnedBytes } from '../environment/postprocessing.ts'
import { prepareContinue, readUnfinished } from '../environment/prepare-continue.ts'
import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { PypetError } from '../errors.ts'
import type { ExperimentSummary } from '../events.ts'
import type { JobResults, PostprocessTrajectory } from '../experiment/define.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import { type FlagValues, resolveSettings } from '../experiment/layers.ts'
import type { PostprocessFunction } from '../experiment/load-job.ts'
import { CHANGEABLE_OPTIONS, OPTION_NAMES } from '../experiment/options.ts'
import { timeText } from '../names.ts'
import type { ParameterTree } from '../run/parameter.ts'
import type { StorageService } from '../storage/service/storage-service.ts'
import type { ParameterNode } from '../tree/nodes.ts'
import { refuseUnknownProperties } from '../tree/refusing.ts'
import type { Run } from '../tree/run.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import { EnvironmentConfig } from './environment-config.ts'
import { type EnvironmentOptions, givenOptions, treeOptions } from './environment-options.ts'
import { type ArgumentsAgain, argumentsAgain, eachOf } from './given-arguments.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { type PipelinePart, type PipelinePlan, pipelinePlan } from './pipeline.ts'
import { experimentTrajectory, type Postprocessor, trajectoryPostprocessing } from './postprocessing.ts'
import { type GivenJob, prepareTree } from './prepare-tree.ts'
import { performPrepared } from './run.ts'
import { Trajectory } from './trajectory.ts'

/** What to call in each run: a module by path or `file:` URL, or a function, which runs only in the main thread. */
export type Job<Tree = ParameterTree> = string | URL | ((traj: Run<Tree>, ...args: never[]) => unknown)

/** @see Environment.addPostprocessing */
export type PostprocessCallback<Tree = ParameterTree> = (
  traj: PostprocessTrajectory<Tree>,
  results: JobResults,
  ...args: never[]
) => unknown

export interface ContinueOptions extends ArgumentsAgain {
  /** Also run failed runs again. */
  readonly retryFailed?: boolean
  /** Run only failed runs, or only missing runs. */
  readonly only?: 'failed' | 'missing'
  /** Continue even if the job is not the last one that ran. The environment's option is the default. */
  readonly allowChangedJob?: boolean
  /** As in `continueRun` without an environment: the module, wherever it is, or the function. */
  readonly job?: Job
}

/**
 * Sets up a trajectory, keeps log files, and runs a job at every point of its parameter space, on `ncores` cores.
 * Every option of the command line is an option here, by its name in config files.
 *
 * @example
 * await using env = new Environment({ trajectory: 'multiply', filename: 'experiments.h5', ncores: 4 })
 * env.trajectory.addParameter('x', 1, { comment: 'first factor' })
 * env.trajectory.explore({ x: [1, 2, 3, 4] })
 * const results = await env.run(new URL('./job.ts', import.meta.url)) // [[0, 1], [1, 4], …]
 */
export class Environment<Tree = ParameterTree> {
  readonly #given: FlagValues
  /** The user's own storage, as the instance that was given here. */
  readonly #ownService: StorageService | undefined
  readonly #options: EnvironmentOptions<Tree>
  #trajectory: Trajectory<Tree>
  #identity: EnvironmentIdentity
  readonly #config = new EnvironmentConfig()
  readonly #postprocessors: Postprocessor[] = []
  readonly #closing = new AbortController()
  #running: Promise<unknown> | undefined
  #summary: ExperimentSummary | undefined

  /**
   * Does not read or write files; `run` does.
   *
   * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY`, `PYPET_USAGE` for an invalid value of an option,
   *   `PYPET_CONFIG_INVALID` for options that contradict each other, `PYPET_NAME_ILLEGAL`
   */
  constructor(options: EnvironmentOptions<Tree> = {}) {
    this.#options = options
    this.#given = givenOptions(options)
    const { trajectory = 'trajectory' } = options
    const isNew = typeof trajectory === 'string'
    const name = isNew ? trajectory : trajectory.name
    const file = isNew ? undefined : trajectory.filename
    const { storageService } = options
    this.#ownService = typeof storageService === 'object' ? storageService : undefined
    const { settings } = resolveSettings({
      jobFile: name,
      // A given trajectory already has its name.
      flags: {
        ...(file !== undefined && { filename: file }),
        ...this.#given,
        ...(!isNew && { addTime: false }),
        ...(!isNew && trajectory.file.overwrites && { overwrite: true }),
        name,
      },
      env: process.env,
      // It may be set on the trajectory later.
      hasStorageService:
        this.#ownService !== undefined ||
        (!isNew && trajectory.storageService !== undefined) ||
        (options.useHdf5 === false && storageService === undefined),
      isCall: true,
    })
    this.#trajectory = isNew
      ? new Trajectory<Tree>({
          autoLoad: true,
          ...treeOptions(options),
          name: settings.name,
          comment: settings.comment,
          filename: settings.filename,
        })
      : trajectory
    if (!isNew) this.#trajectory.file.moveTo(settings.filename)
    this.#identity = identifyEnvironment(settings.name, Date.now() / 1000)
    this.#config.add(this.#trajectory, this.#identity.name, settings)
    this.#trajectory.useOptions(this.#config)
  }

  static {
    const hintOf = (key: string) =>
      (OPTION_NAMES as readonly string[]).includes(key)
        ? `Give it when you make the environment: new Environment({ ${key}: … }).`
        : undefined
    refuseUnknownProperties(Environment.prototype, () => 'an environment', hintOf)
  }

  /** The user's own storage as an instance, from the environment or its trajectory. */
  get #service(): StorageService | undefined {
    return this.#ownService ?? this.#trajectory.storageService
  }

  get trajectory(): Trajectory<Tree> {
    return this.#trajectory
  }

  /** `environment_83c1a34_2026_11_22_17h32m44s`: the name of its group below `config.environment`. */
  get name(): string {
    return this.#identity.name
  }

  /** SHA-1 that is stored with every run of this environment. */
  get hexsha(): string {
    return this.#identity.hexsha
  }

  /** Seconds since 1970. */
  get timestamp(): number {
    return this.#identity.timestamp
  }

  get time(): string {
    return timeText(this.#identity.timestamp)
  }

  /** The outcome of the last run of this environment: the numbers of stored, failed and missing runs. */
  get summary(): ExperimentSummary | undefined {
    return this.#summary
  }

  /** Switches off tables that get a row, or a table, for each run: of results, of derived parameters, and of runs. */
  switchOffLargeOverview(): void {
    this.#config.switchOffLargeOverview()
  }

  /** Switches off all overview tables. Tables that identify runs are not overviews and stay. */
  switchOffAllOverview(): void {
    this.#config.switchOffAllOverview()
  }

  /**
   * Calls the function when all runs have ended, with the trajectory, the return values of the jobs, and these arguments.
   * Several functions are called one after the other. What they add is stored. If `traj.expand` or the return value adds
   * points, these run, and the functions are called again until they add none.
   */
  addPostprocessing(postprocess: PostprocessCallback<Tree>, ...args: readonly unknown[]): void {
    this.#postprocessors.push({ call: postprocess as unknown as PostprocessFunction, args })
  }

  /**
   * Runs the job at every point that the trajectory explores, stores everything, and returns what the jobs returned,
   * sorted by run. Failed runs are recorded and have no entry in the results: see `summary`.
   *
   * @param args passed to the job after `traj`. If runs are inline, any values are allowed. Threads share a
   *   `SharedArrayBuffer`. Give values that a file cannot store to `continueRun` again
   * @throws PypetError with the codes of `pypet-ts run`; `PYPET_USAGE` while this environment is running,
   *   `PYPET_POSTPROCESSING_FAILED`, `PYPET_PRESET_UNUSED`, `PYPET_JOB_CHANGED` if the trajectory is stored and another
   *   job ran last, unless `allowChangedJob` is set
   */
  async run(job: Job<Tree>, ...args: readonly unknown[]): Promise<JobResults> {
    return await this.#exclusively(() => this.#runTree(job, () => ({ common: args })))
  }

  /**
   * Like `run`, with separate arguments for each run: the first run to do gets the first value of each iterable. After
   * `expand`, that is the first new run. Stored runs keep their arguments.
   *
   * @throws PypetError `PYPET_EXPLORATION_LENGTH` if an iterable has too few values, or a list too many
   */
  async runMap(job: Job<Tree>, ...iterables: readonly Iterable<unknown>[]): Promise<JobResults> {
    return await this.#exclusively(() => this.#runTree(job, (runs) => eachOf(iterables, runs)))
  }

  /**
   * Lets a function prepare everything, then runs it. The function adds parameters, explores, and returns the job, its
   * arguments and optional post-processing.
   *
   * @param pipeline returns `[job, args]`, or `[[job, args], [postprocess, args]]`, or an object of these
   * @throws PypetError `PYPET_USAGE` for anything else; and like `run`
   */
  async pipeline(
    pipeline: (traj: Trajectory<Tree>) => PipelinePlan | Promise<PipelinePlan>,
  ): Promise<JobResults> {
    return await this.#exclusively(async () => {
      const { job, args, postprocess, postprocessArgs }: PipelinePart = pipelinePlan(
        await pipeline(this.#trajectory),
      )
      // Only for this run: the next pipeline has its own.
      const processors =
        postprocess === undefined
          ? []
          : [{ call: postprocess as unknown as PostprocessFunction, args: postprocessArgs }]
      return await this.#runTree(job as Job<Tree>, () => ({ common: args }), processors)
    })
  }

  /**
   * Continues an unfinished experiment: only missing runs are done, with their parameters, arguments and options. Options
   * that may change come from this environment. The experiment's trajectory becomes this environment's trajectory. Returns
   * what all jobs returned, including those before the interruption.
   *
   * @param cnt the `.cnt` file, or the HDF5 file next to it
   * @throws PypetError with the codes of `pypet-ts continue`
   */
  async continueRun(cnt: string, options: ContinueOptions = {}): Promise<JobResults> {
    return await this.#exclusively(async () => {
      assertKnownOptions(options, CONTINUE_OPTIONS, 'continueRun')
      const { job, allowChangedJob = this.#options.allowChangedJob === true, ...call } = options
      // An open reader would keep new pages from being written to the file.
      this.#trajectory.close()
      const changeable = new Set<string>(CHANGEABLE_OPTIONS)
      const flags = Object.entries(this.#given).filter(([name]) => changeable.has(name))
      const experiment = await prepareContinue(readUnfinished(cnt), {
        ...call,
        allowChangedJob,
        path: cnt,
        flags: Object.fromEntries(flags),
        env: process.env,
        hasStorageService: this.#service !== undefined,
        isCall: true,
        argsOf: argumentsAgain(options),
        dynamicImports: this.#options.dynamicImports,
        job: job instanceof URL ? fileURLToPath(job) : (job as JobFunction | string | undefined),
      })
      const { filename, name, useHdf5 } = experiment.settings
      const { parameters: _, ...treeCall } = treeOptions(this.#options)
      const load = async () =>
        useHdf5
          ? await loadTrajectory<Tree>(filename, { ...treeCall, name })
          : (experimentTrajectory(experiment) as Trajectory<Tree>)
      const results = await this.#perform(experiment, { load: load as () => Promise<Trajectory> })
      this.#trajectory = await load()
      return results
    })
  }

  /** Stops a running experiment like Ctrl-C: active runs finish and are stored. Then closes the trajectory. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#running?.catch(() => undefined)
    this.#trajectory.close()
  }

  async #runTree(
    job: Job<Tree>,
    argsOf: (runs: readonly RunIndex[]) => JobArguments,
    more: readonly Postprocessor[] = [],
  ): Promise<JobResults> {
    const traj = this.#trajectory
    const experiment = await prepareTree(traj, {
      job: job as GivenJob,
      flags: {
        ...this.#given,
        ...this.#config.changes(),
        name: traj.name,
        // The time is already in the name.
        addTime: false,
        ...(traj.file.overwrites && { overwrite: true }),
        filename: this.#fileOf(),
      },
      configFile: this.#options.config,
      argsOf: (runs) => jobArguments(argsOf(runs)),
      identity: this.#identity,
      allowChangedJob: this.#options.allowChangedJob === true,
      hasStorageService: this.#service !== undefined,
      isConfig: (node) => this.#config.has(node as ParameterNode),
    })
    this.#identity = experiment.identity ?? this.#identity
    const { useHdf5 } = experiment.settings
    let isOpened = false
    try {
      const results = await this.#perform(experiment, {
        load: async () => traj,
        onOpened: () => {
          isOpened = true
          this.#config.show(experiment.settings)
          traj.file.noteStored()
        },
        more,
      })
      if (useHdf5) await traj.file.reopen()
      return results
    } catch (error) {
      // Show what is stored. If that fails too, report the first error.
      if (useHdf5 && isOpened) await traj.file.reopen().catch(() => undefined)
      throw error
    }
  }

  async #perform(
    prepared: PreparedExperiment,
    {
      load,
      onOpened,
      more = [],
    }: {
      /** Loads the trajectory for post-processing. */
      readonly load: () => Promise<Trajectory>
      readonly onOpened?: () => void
      /** Called after the post-processing of the job and of this environment. */
      readonly more?: readonly Postprocessor[]
    },
  ): Promise<JobResults> {
    await using experiment = prepared
    const { postprocess, args } = experiment
    const own = postprocess === undefined ? [] : [{ call: postprocess, args: args.common }]
    const processors = [...own, ...this.#postprocessors, ...more]
    const returned = new ReturnedBytes()
    const { reporter, signal } = this.#options
    this.#summary = await performPrepared(experiment, {
      ...(reporter !== undefined && { reporter }),
      signal: signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]),
      returned,
      ...(this.#service !== undefined && { storageService: this.#service }),
      ...(processors.length > 0 && {
        postprocessing: trajectoryPostprocessing(load, experiment.settings.useHdf5, processors),
      }),
      ...(onOpened !== undefined && { onOpened }),
    })
    return returned.values()
  }

  /** One at a time, since only one experiment may write a trajectory. */
  async #exclusively<Value>(action: () => Promise<Value>): Promise<Value> {
    if (this.#running !== undefined) {
      throw new PypetError('PYPET_USAGE', 'this environment is already running', {
        where: 'run',
        hint: 'Await it, or make another environment for another trajectory.',
      })
    }
    const running = action()
    this.#running = running
    try {
      return await running
    } finally {
      this.#running = undefined
    }
  }

  #fileOf(): string {
    const changed = this.#config.changes().filename
    if (changed === undefined) return this.#trajectory.filename
    const { settings } = resolveSettings({
      jobFile: this.#trajectory.name,
      flags: { filename: String(changed), name: this.#trajectory.name },
    })
    this.#trajectory.file.moveTo(settings.filename)
    return settings.filename
  }
}

const CONTINUE_OPTIONS = [
  'retryFailed',
  'only',
  'allowChangedJob',
  'job',
  'args',
  'iterables',
] satisfies (keyof ContinueOptions)[]
