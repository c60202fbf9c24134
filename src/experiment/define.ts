import { PypetError } from '../errors.ts'
import { zipSpec } from '../exploration/cartesian.ts'
import { columnsOf } from '../exploration/columns.ts'
import { type Exploration, type ExplorationDraft, isExploration } from '../exploration/exploration.ts'
import type { RangeMapping } from '../exploration/explored-values.ts'
import { type FlatParameterValues, flattenParameters, type ParameterTree } from '../run/parameter.ts'
import type { Run } from '../tree/run.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { isOwnClass, type OwnClass } from '../values/own-class.ts'
import { assertTrajectoryName } from '../values/path.ts'
import { isPlainObject } from '../values/value-forms.ts'

/** What a job module declares about its experiment. */
export interface ExperimentOptions<Tree extends ParameterTree> {
  /** Name of the trajectory. Default: the job file's name. */
  readonly name?: string
  readonly comment?: string
  /** Defaults by name. A plain object is a group; `parameter(value, { comment, unit })` adds a comment and a unit. */
  readonly parameters: Tree
  /**
   * Your own classes that restore parameters and results, or the modules that export them: `./my-classes.ts#Spectrum`,
   * relative to the job's folder. Classes of the parameters' values, and those that the job module exports, are known
   * without this.
   */
  readonly dynamicImports?: readonly (OwnClass | string)[]
  /** The result of a function such as `cartesianProduct`, or an object of ranges of equal length. */
  readonly explore?: Exploration<FlatParameterValues<NoInfer<Tree>>> | RangeMapping<NoInfer<Tree>>
  /**
   * Called once per run. Add what you want to keep to `traj`. The return value goes to post-processing, and to the
   * caller of the library. The arguments are those of `Environment.run`, or those after `--` on the command line.
   */
  run(traj: Run<Tree>, ...args: readonly unknown[]): unknown
  /**
   * Called in the main process when all runs have ended, with their return values. It can add results to `traj`, and
   * more points, with `traj.expand` or by returning them. The new points run, and it is called again.
   */
  postprocess?(traj: PostprocessTrajectory<Tree>, results: JobResults, ...args: readonly unknown[]): unknown
}

/** What jobs returned, sorted by run. */
export type JobResults = readonly (readonly [run: number, value: unknown])[]

/** The whole trajectory, in memory and in its file; the library calls it `Trajectory`. */
export interface PostprocessTrajectory<Tree = ParameterTree> extends TrajectoryTree<Tree> {
  readonly filename: string
  /** Writes what was added now. At the end of post-processing this happens automatically. */
  store(): Promise<this>
}

const EXPERIMENT: unique symbol = Symbol.for('pypet-ts.experiment') as never

/** A checked experiment. `isExperimentDefinition` recognises it, even from another copy of the package. */
export interface ExperimentDefinition<Tree extends ParameterTree = ParameterTree> {
  readonly [EXPERIMENT]: true
  readonly name: string | undefined
  readonly comment: string | undefined
  /** As declared; the input of `flattenParameters`. */
  readonly parameters: Tree
  readonly explore: ExplorationDraft | undefined
  readonly dynamicImports?: readonly (OwnClass | string)[]
  run(traj: Run<Tree>, ...args: readonly unknown[]): unknown
  readonly postprocess:
    | ((traj: PostprocessTrajectory<Tree>, results: JobResults, ...args: readonly unknown[]) => unknown)
    | undefined
}

/**
 * Declares an experiment: the default export of a job module.
 *
 * The job receives `traj` with typed parameters, such as `traj.par.neuron.tau`. Exploring an unknown name or a value of
 * another type does not compile.
 *
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY`, `PYPET_CONFIG_INVALID`, `PYPET_JOB_NO_FUNCTION`, `PYPET_NAME_ILLEGAL`,
 *   and what `flattenParameters` and `zip` throw
 */
export function defineExperiment<const Tree extends ParameterTree>(
  options: ExperimentOptions<Tree>,
): ExperimentDefinition<Tree> {
  checkKeys(options)
  checkText(options.name, 'name')
  checkText(options.comment, 'comment')
  if (options.name !== undefined) assertTrajectoryName(options.name, 'name')
  if (!isPlainObject(options.parameters)) throw invalid('parameters', 'an object of defaults by name')
  // Checked here, so that an error points to the user's line. The loader flattens for itself.
  flattenParameters(options.parameters, 'parameters')
  if (typeof options.run !== 'function') {
    throw new PypetError('PYPET_JOB_NO_FUNCTION', 'defineExperiment: run is not a function', {
      where: 'run',
      hint: 'Write run(traj) { … }.',
    })
  }
  if (options.postprocess !== undefined && typeof options.postprocess !== 'function') {
    throw invalid('postprocess', 'a function of the trajectory and the results')
  }
  return Object.freeze<ExperimentDefinition<Tree>>({
    [EXPERIMENT]: true,
    name: options.name,
    comment: options.comment,
    parameters: options.parameters,
    explore: exploreSpec(options.explore),
    ...(options.dynamicImports !== undefined && { dynamicImports: checkedClasses(options.dynamicImports) }),
    run: options.run,
    postprocess: options.postprocess,
  })
}

export function isExperimentDefinition(value: unknown): value is ExperimentDefinition {
  return typeof value === 'object' && value !== null && EXPERIMENT in value
}

const KEYS: readonly string[] = [
  'name',
  'comment',
  'parameters',
  'dynamicImports',
  'explore',
  'run',
  'postprocess',
] satisfies (keyof ExperimentOptions<ParameterTree>)[]

function checkedClasses(given: readonly unknown[]): readonly (OwnClass | string)[] {
  const isRight = Array.isArray(given) && given.every((one) => typeof one === 'string' || isOwnClass(one))
  if (!isRight)
    throw invalid('dynamicImports', "a list of classes with a static load, or of './my-classes.ts#Spectrum'")
  return given as readonly (OwnClass | string)[]
}

function exploreSpec(explore: unknown): ExplorationDraft | undefined {
  if (explore === undefined) return undefined
  if (isExploration(explore)) return explore.spec
  return zipSpec(columnsOf(explore, 'explore'), 'explore')
}

function checkKeys(options: object): void {
  if (!isPlainObject(options)) throw invalid('options', 'an object with parameters and run')
  for (const key of Object.keys(options)) {
    if (KEYS.includes(key)) continue
    throw new PypetError(
      'PYPET_CONFIG_UNKNOWN_KEY',
      `defineExperiment: there is no option ${JSON.stringify(key)}`,
      {
        where: key,
        hint: nearestHint(key, KEYS, `The options are: ${KEYS.join(', ')}.`),
      },
    )
  }
}

function checkText(value: unknown, where: string): void {
  if (value !== undefined && typeof value !== 'string') throw invalid(where, 'a string')
}

function invalid(where: string, expected: string): PypetError {
  return new PypetError('PYPET_CONFIG_INVALID', `defineExperiment: ${where} is not ${expected}`, {
    where,
    hint: `Give ${expected}.`,
  })
}
