/** Turns a trajectory in memory and a job into an experiment that can run. */
import { fileURLToPath } from 'node:url'
import { type EnvironmentIdentity, identifyEnvironment } from '../environment/experiment-config.ts'
import { assertReached, type JobArguments } from '../environment/job-arguments.ts'
import { prepareJob } from '../environment/prepare-job.ts'
import type { Opening, PreparedExperiment } from '../environment/prepared-experiment.ts'
import { assertClean } from '../environment/provenance.ts'
import { treeSettings } from '../environment/seen-nodes.ts'
import { storedNodes } from '../environment/stored-nodes.ts'
import { PypetError } from '../errors.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import { type FlagValues, resolveSettings } from '../experiment/layers.ts'
import type { ConfigFile } from '../experiment/load-config.ts'
import type { LoadedJob } from '../experiment/load-job.ts'
import { mergeParameters } from '../experiment/merge-parameters.ts'
import type { Settings } from '../experiment/options.ts'
import { describePlace } from '../experiment/origin.ts'
import { type ExplorationDraft, exploration } from '../exploration/exploration.ts'
import { parseExploration } from '../exploration/parse-exploration.ts'
import { planRuns } from '../exploration/plan.ts'
import { repeatDraft, withTrialParameters } from '../exploration/repeat.ts'
import type { JobIdentity } from '../protocol.ts'
import { type GroupNode, ParameterNode, type TreeNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { CheckedValue, type ClassReference } from '../values/own-class.ts'
import { parameterLocation, type RunIndex } from '../values/path.ts'
import { unitOption } from '../values/unit.ts'
import type { ParameterValue } from '../values/value.ts'
import { integer } from '../values/value-forms.ts'
import type { RecordedJob } from './recorded-job.ts'
import { readKnownRuns } from './recorded-job.ts'
import { assertLastJob, identityBeside } from './stored-source.ts'
import type { Trajectory } from './trajectory.ts'
import { explorableParameters, treeExploration, treeParameters } from './tree-experiment.ts'
import { treeExtension } from './tree-extension.ts'

export type GivenJob = string | URL | JobFunction

export interface TreeRequest {
  readonly job: GivenJob
  readonly flags: FlagValues
  readonly configFile: string | undefined
  /** Arguments of the job, when the runs to do are known, ascending. */
  readonly argsOf: (runs: readonly RunIndex[]) => JobArguments
  readonly identity: EnvironmentIdentity
  /** Continue even if the job is not the last one that ran. */
  readonly allowChangedJob: boolean
  readonly hasStorageService: boolean
  /** Config that the environment writes itself. */
  readonly isConfig: (node: TreeNode) => boolean
}

/**
 * Loads the job and turns the trajectory into an experiment. Parameters that the job or the config file declares and the
 * trajectory lacks are added. The trajectory's exploration takes precedence over theirs. If the trajectory is already
 * stored, its additions are written. Dispose of the result after the experiment.
 *
 * @throws PypetError like `prepareExperiment`; `PYPET_PRESET_UNUSED`; `PYPET_JOB_CHANGED` if it is stored and another job
 *   ran last
 */
export async function prepareTree(traj: Trajectory, request: TreeRequest): Promise<PreparedExperiment> {
  const tree = traj as unknown as TrajectoryTree
  const given = request.job instanceof URL ? fileURLToPath(request.job) : request.job
  // Use only a config file that is named: a script must not depend on files in parent folders.
  const config = request.configFile === undefined ? undefined : { configFile: request.configFile }
  return await prepareJob(given, { isProcessOurs: false, config }, async (job) => {
    const loaded = await job.load()
    const { settings, origins, warnings } = resolveSettings({
      jobFile: job.file,
      flags: request.flags,
      env: process.env,
      config: job.config,
      hasStorageService: request.hasStorageService,
      isCall: true,
    })
    if (settings.requireClean) await assertClean(job.file, settings)
    if (typeof request.job === 'function' && settings.executor !== 'inline') {
      throw functionElsewhere(describePlace('executor', origins.executor), settings.executor)
    }
    const known = await readKnownRuns(traj)
    assertLastJob(known.jobs, job, { file: traj.filename, isAllowed: request.allowChangedJob })
    for (const own of loaded.classes.values()) tree.learnClass(own)
    await traj.importClasses()
    if (!traj.isStored) {
      declare(tree, loaded, job.config)
      explore(tree, loaded, job.config, settings)
    }
    tree.assertPresetsUsed()
    const withoutValue = parametersWithoutValue(tree)
    if (withoutValue.length > 0) await traj.loadItems(withoutValue)
    const parameters = treeParameters(tree)
    const plan = planRuns({ parameters, exploration: treeExploration(tree) })
    const runs = Array.from({ length: plan.runCount }, (_, run) => run)
    const missing = runs.filter((run) => !known.completed.has(run))
    const args = request.argsOf(missing)
    assertReached(args, settings.executor, describePlace('executor', origins.executor))
    const location = await job.locate(loaded, scriptClasses(tree))
    const opening: Opening = { kind: traj.isStored ? 'expand' : 'new' }
    const locations = new Set(parameters.map(({ name }) => parameterLocation(name)))
    const isWrittenElsewhere = (node: TreeNode) => locations.has(node.fullName) || request.isConfig(node)
    const { groups, leaves, links } = treeExtension(tree, [tree as TreeNode], {
      skips: isWrittenElsewhere,
    }).extension
    if (traj.isStored) await storeGrowth(traj, request.isConfig)
    return {
      settings: {
        ...settings,
        comment: traj.comment,
        filename: traj.filename,
        ...(traj.isStored && {
          overwrite: false,
          // Added points get the seed they would have had from the start.
          seed: known.seed ?? settings.seed,
        }),
      },
      origins,
      warnings,
      job: location,
      configFile: job.config?.file,
      identifyJob: job.identity,
      opening,
      parameters,
      plan,
      userCode: job.userCode,
      args,
      postprocess: loaded.postprocess,
      identity: identityFor(request.identity, identityBeside(job, traj.filename), known.jobs, traj.name),
      tree: treeSettings(traj),
      ...(traj.isStored
        ? { seen: await storedNodes(traj.filename, traj.name), seenFrom: missing[0] ?? plan.runCount }
        : { nodes: { groups, leaves, links } }),
      [Symbol.asyncDispose]: job.dispose,
    }
  })
}

/** An environment runs one job. If another job is allowed, it gets its own environment. */
function identityFor(
  identity: EnvironmentIdentity,
  now: JobIdentity,
  recorded: readonly RecordedJob[],
  trajectory: string,
): EnvironmentIdentity {
  const before = recorded.find(({ environment }) => environment === identity.name)
  if (before === undefined || before.sha256 === now.sha256) return identity
  return identifyEnvironment(trajectory, Date.now() / 1000)
}

/** Classes that were given as such, and classes that are known only by their modules. */
function scriptClasses(tree: TrajectoryTree): readonly ClassReference[] {
  const modules = tree.dynamicImports.filter((given) => typeof given === 'string')
  return [...modules, ...tree.ownClasses]
}

/** Adds parameters that job and config file declare and the tree lacks. */
function declare(
  tree: TrajectoryTree,
  { definition, file }: LoadedJob,
  config: ConfigFile | undefined,
): void {
  const { parameters } = mergeParameters({ jobFile: file, definition, config })
  for (const { name, stored, comment, userClass, annotations } of parameters) {
    if (tree.at(parameterLocation(name)) !== undefined) continue
    const value = new CheckedValue({ stored, userClass }) as unknown as ParameterValue
    tree.addParameter(name, value, { comment, ...unitOption(annotations) })
  }
}

/** The tree's exploration takes precedence over those of config file and job. `repeat` applies to either. */
function explore(
  tree: TrajectoryTree,
  { definition }: LoadedJob,
  config: ConfigFile | undefined,
  { repeat }: Settings,
): void {
  const known = treeExploration(tree)
  const declared =
    known ??
    (config?.explore === undefined
      ? definition?.explore
      : parseExploration(config.explore, { parameters: explorableParameters(tree), origin: config.file }))
  if (repeat === 1 && (known !== undefined || declared === undefined)) return
  const draft =
    repeat === 1
      ? (declared as ExplorationDraft)
      : repeatDraft(declared ?? { kind: 'product', factors: [] }, repeat, 'repeat')
  for (const { name, comment } of withTrialParameters(explorableParameters(tree), draft)) {
    if (tree.at(parameterLocation(name)) === undefined) tree.addParameter(name, integer(0), { comment })
  }
  tree.shrink()
  tree.explore(exploration(draft))
}

/** Config of the environment is stored with the experiment, and must not be written twice. */
async function storeGrowth(traj: Trajectory, isConfig: (node: TreeNode) => boolean): Promise<void> {
  if (traj.isStored) await traj.compactDeleted()
  for (const node of traj.getGroup('config').iterLeaves()) if (isConfig(node)) node.isStored = true
  await traj.store()
  traj.close()
}

function functionElsewhere(where: string, executor: string): PypetError {
  return new PypetError(
    'PYPET_JOB_NOT_LOADABLE',
    `the job is a function, which cannot be sent to a worker, but ${where} is ${executor}`,
    {
      where,
      hint: 'Put it into its own module: await env.run(new URL("./job.ts", import.meta.url)).',
    },
  )
}

/** Parameters that were not loaded. */
function parametersWithoutValue(tree: TrajectoryTree): TreeNode[] {
  const group = tree.child('parameters') as GroupNode
  return [...group.iterLeaves()].filter((leaf) => leaf instanceof ParameterNode && leaf.stored === undefined)
}
