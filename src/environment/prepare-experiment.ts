/** Turns what the user gave (files, flags, environment) into an experiment that can run. */
import { type Stats, statSync } from 'node:fs'
import { cannotWrite, isPypetError, PypetError } from '../errors.ts'
import type { ExperimentDefinition } from '../experiment/define.ts'
import { type FlagValues, resolveSettings } from '../experiment/layers.ts'
import type { ConfigFile } from '../experiment/load-config.ts'
import { mergeParameters } from '../experiment/merge-parameters.ts'
import type { OptionName, Settings } from '../experiment/options.ts'
import { describePlace, type Origin } from '../experiment/origin.ts'
import type { ExplorationDraft } from '../exploration/exploration.ts'
import type { ExploreTexts } from '../exploration/explore-flags.ts'
import { parseSetFlag } from '../exploration/parse-flag.ts'
import { planRuns } from '../exploration/plan.ts'
import { withTrialParameters } from '../exploration/repeat.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import { checkSignature } from '../hdf5/signature.ts'
import type { Parameter } from '../run/parameter.ts'
import { checkComment } from '../values/value.ts'
import { sizeWarnings } from './file-size.ts'
import { assertReached, jobArguments } from './job-arguments.ts'
import { prepareJob } from './prepare-job.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { assertClean } from './provenance.ts'

/** What a command or a library call requests. */
export interface ExperimentRequest extends ExploreTexts {
  readonly jobFile: string
  /** The file of `--config`; otherwise it is searched from the job's folder upwards. */
  readonly configFile?: string | undefined
  /** The layer of options with the highest priority: flags, or the options of a library call. */
  readonly flags?: FlagValues
  /** Texts of `--set`: `neuron.tau=10`. */
  readonly presets?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The job's arguments after `traj`. */
  readonly args?: readonly unknown[]
  /** A script passes its own storage service. */
  readonly hasStorageService?: boolean
  /** The flags are options of a script; messages name them as the script does. */
  readonly isCall?: boolean
  /** The process belongs to the command and ends with it; otherwise its owner's handlers and output are left alone. */
  readonly isProcessOurs?: boolean
}

/**
 * Loads job and config, merges the layers of options and expands the parameter space. Dispose of the result after the
 * experiment; the bundled job exists until then. What job and config print while loading is kept for the log; if they
 * are refused, it goes to stderr.
 *
 * @throws PypetError with a code for exit code 2, naming file, flag or path
 */
export async function prepareExperiment(request: ExperimentRequest): Promise<PreparedExperiment> {
  const { jobFile, configFile, flags = {}, env = {}, presets = [], isProcessOurs = false } = request
  return await prepareJob(jobFile, { isProcessOurs, config: { configFile, env } }, async (job) => {
    const { file, config, userCode } = job
    const args = jobArguments({ common: request.args ?? [] })
    const loaded = await job.load()
    const { definition, postprocess } = loaded
    const { settings, origins, warnings } = resolveSettings({
      jobFile: file,
      flags,
      env,
      config,
      definition,
      hasStorageService: request.hasStorageService === true,
      isCall: request.isCall === true,
    })
    assertReached(args, settings.executor, describePlace('executor', origins.executor))
    checkComment(settings.comment, describePlace('comment', origins.comment))
    checkComment(settings.fileTitle, describePlace('fileTitle', origins.fileTitle))
    if (settings.requireClean) await assertClean(file, settings)
    assertReachable(settings.filename)
    if (settings.overwrite) await assertReplaceable(settings.filename)
    const { parameters: declared } = mergeParameters({ jobFile: file, definition, config, presets })
    const exploration = await exploreOf(request, {
      config,
      definition,
      parameters: declared,
      settings,
      origins,
    })
    const parameters = withTrialParameters(declared, exploration)
    const isOfFlags = (request.explore ?? []).length > 0
    const origin = isOfFlags ? undefined : config?.explore === undefined ? file : config.file
    // Conditions and formulas are the user's code.
    const plan = userCode.call(() => expandFrom(origin, { parameters, exploration }))
    return {
      settings,
      origins,
      job: await job.locate(loaded),
      configFile: config?.file,
      identifyJob: job.identity,
      opening: { kind: 'new' },
      parameters,
      plan,
      userCode,
      args,
      classes: loaded.classes,
      warnings: [...warnings, ...ineffectivePresets(presets, plan), ...sizeWarnings(plan, settings)],
      postprocess,
      [Symbol.asyncDispose]: job.dispose,
    }
  })
}

/** The default of an explored parameter is stored, but no run sees it. */
function ineffectivePresets(presets: readonly string[], plan: ExplorationPlan): string[] {
  const explored = plan.explored.map(({ name }) => name)
  return presets
    .map(parseSetFlag)
    .filter(({ name }) => explored.includes(name))
    .map(
      ({ name, where }) =>
        `${where} has no effect on the runs: ${name} is explored; to run other values, write --explore ${name}=…`,
    )
}

/** `--overwrite` with a mistyped `--file` must not destroy a file that holds something else. */
async function assertReplaceable(file: string): Promise<void> {
  const found = statOf(file)
  if (found?.isFile() !== true || found.size === 0) return
  try {
    await checkSignature(file)
  } catch (cause) {
    if (!isPypetError(cause, 'PYPET_FILE_NOT_HDF5')) throw cause
    throw new PypetError('PYPET_FILE_NOT_HDF5', `cannot replace ${file}: it is not an HDF5 file`, {
      where: file,
      hint: 'Name another file with --file, or remove this one yourself.',
      cause,
    })
  }
}

/** Refuses paths whose symbolic links form a loop. */
function assertReachable(file: string): void {
  try {
    statSync(file, { throwIfNoEntry: false })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ELOOP') return
    throw cannotWrite(file, 'its symbolic links form a loop', {
      hint: 'Name another file with --file, or remove the links.',
      cause,
    })
  }
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined // Missing or unreachable: the writer reports what is wrong.
  }
}

/** The modules that parse texts are loaded only if needed: most jobs explore in code. */
async function exploreOf(
  request: ExperimentRequest,
  {
    config,
    definition,
    parameters,
    settings,
    origins,
  }: {
    readonly config: ConfigFile | undefined
    readonly definition: ExperimentDefinition | undefined
    readonly parameters: readonly Parameter[]
    readonly settings: Settings
    readonly origins: Readonly<Record<OptionName, Origin>>
  },
): Promise<ExplorationDraft | undefined> {
  let declared = () => definition?.explore
  if (config?.explore !== undefined) {
    const { parseExploration } = await import('../exploration/parse-exploration.ts')
    declared = () => parseExploration(config.explore, { parameters, origin: config.file })
  }
  const { explore = [], sample, onlyIf = [], derive = [], where = [] } = request
  const texts = [...explore, ...onlyIf, ...derive, ...where]
  if (texts.length === 0 && sample === undefined && settings.repeat === 1) return declared()
  const { explorationFromFlags } = await import('../exploration/explore-flags.ts')
  const repeat = { given: settings.repeat, where: describePlace('repeat', origins.repeat) }
  return explorationFromFlags(request, parameters, { declared, repeat })
}

/** Expands the exploration. Messages begin with the file that defines it. */
function expandFrom(
  origin: string | undefined,
  given: {
    readonly parameters: readonly Parameter[]
    readonly exploration: ExplorationDraft | undefined
  },
): ExplorationPlan {
  try {
    return planRuns(given)
  } catch (error) {
    if (!(error instanceof PypetError) || origin === undefined) throw error
    const { code, message, hint, where } = error
    // An error caused by a flag is not in the file.
    if (where?.startsWith('--')) throw error
    throw new PypetError(code, `${origin}: ${message}`, { hint, where, cause: error })
  }
}
