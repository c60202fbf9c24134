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

/** What a job module says about its experiment. */
export interface ExperimentOptions<Tree extends ParameterTree> {
  /** Name of the trajectory; without one, the job file's name. */
  readonly name?: string
  readonly comment?: string
  /** Defaults by name; a plain object is a group, `parameter(value, { comment })` adds a comment. */
  readonly parameters: Tree
  /**
   * Classes of your own that parameters and results are restored by, or the modules that have them: `./my-classes.ts#Spectrum`,
   * from the folder of the job. Those that the parameters are instances of, and those that the module exports, are known.
   */
  readonly dynamicImports?: readonly (OwnClass | string)[]
  /** From a builder such as `cartesianProduct`, or a bare mapping of ranges of one length. */
  readonly explore?: Exploration<FlatParameterValues<NoInfer<Tree>>> | RangeMapping<NoInfer<Tree>>
  /**
   * Called once a run. What is to be kept it adds to `traj`; what it returns goes to post-processing, and to the caller
   * of the library. Arguments are those of `Environment.run`, or of the command line behind `--`.
   */
  run(traj: Run<Tree>, ...args: readonly unknown[]): unknown
  /**
   * Called in the main process when all runs have ended, with what they returned. It may add results to `traj`, and more
   * points: by `traj.expand`, or by returning them. Those are performed, and it is called again.
   */
  postprocess?(traj: PostprocessTrajectory<Tree>, results: JobResults, ...args: readonly unknown[]): unknown
}

/** What jobs returned, ascending by run. */
export type JobResults = readonly (readonly [run: number, value: unknown])[]

/** The whole trajectory, in memory and in its file: what the library calls `Trajectory`. */
export interface PostprocessTrajectory<Tree = ParameterTree> extends TrajectoryTree<Tree> {
  readonly filename: string
  /** Writes now what was added; at the end of post-processing that happens by itself. */
  store(): Promise<this>
}

const EXPERIMENT: unique symbol = Symbol.for('pypet-ts.experiment') as never

/** An experiment, checked. Recognised by `isExperimentDefinition`, also across copies of the package. */
export interface ExperimentDefinition<Tree extends ParameterTree = ParameterTree> {
  readonly [EXPERIMENT]: true
  readonly name: string | undefined
  readonly comment: string | undefined
  /** As declared; `flattenParameters` accepts it. */
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
 * The job receives `traj` with its parameters typed, `traj.par.neuron.tau`; exploring an unknown name
 * or a value of another type does not compile.
 *
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY`, `PYPET_CONFIG_INVALID`, `PYPET_JOB_NO_FUNCTION`,
 *   `PYPET_NAME_ILLEGAL`, and what `flattenParameters` and `zip` throw
 */
export function defineExperiment<const Tree extends ParameterTree>(
  options: ExperimentOptions<Tree>,
): ExperimentDefinition<Tree> {
  checkKeys(options)
  checkText(options.name, 'name')
  checkText(options.comment, 'comment')
  if (options.name !== undefined) assertTrajectoryName(options.name, 'name')
  if (!isPlainObject(options.parameters)) throw invalid('parameters', 'an object of defaults by name')
  // Here, so that a mistake is reported on the user's own line; the loader flattens for itself.
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
