/** What a job receives: one run, with the tree of the trajectory as far as it concerns this run. */
import type { ParameterTree } from '../run/parameter.ts'
import type { BareRun } from '../run/run.ts'
import type { StoringRun } from '../run/stored-items.ts'
import type { GroupNode, ParameterNode } from './nodes.ts'

/** What a run passes on to its tree. */
export const METHODS_OF_TREE = [
  'get',
  'getParameter',
  'getResult',
  'getGroup',
  'value',
  'getDefault',
  'contains',
  'getAll',
  'iterNodes',
  'iterLeaves',
  'toDict',
] as const satisfies (keyof GroupNode)[]

type TreeMethods = Pick<GroupNode, (typeof METHODS_OF_TREE)[number]>

/** Members of the trajectory that a run has, too: each does the same there and here. */
export interface TreeMembers extends TreeMethods {
  /** Values of derived parameters, those of the script and of this run, by natural naming. */
  readonly dpar: Readonly<Record<string, unknown>>
  /** Values of results, those that the script added before the runs began and those of this run. */
  readonly res: Readonly<Record<string, unknown>>
  /** Values of config: `conf.environment.ncores`. */
  // biome-ignore lint/suspicious/noExplicitAny: which names there are, of which types, is known at run time only
  readonly conf: any
  /** Explored parameters by full name. Each has the value of this run; those of others are not here. */
  readonly exploredParameters: Readonly<Record<string, ParameterNode>>
}

/**
 * What a job receives: pypet's single run. It reads one point of the parameter space and takes results and derived
 * parameters; nothing is in the file before the job has returned.
 *
 * It has the trajectory's tree, as it was when the runs began: parameters at this point, config, and what the script has
 * added. What this run adds stands in it at once, and can be changed until the job returns; everything else can only be read.
 * What other runs add is not there. The tree is made when the job first asks for it.
 *
 * @example
 * run(traj) {
 *   traj.addResult('z', traj.par.x * traj.par.y, { comment: 'the product' })
 *   traj.getResult('z').annotate({ unit: 'mV' })
 *   traj.addResult('half', traj.value<number>('z') / 2)
 * }
 */
export interface Run<Tree = ParameterTree> extends BareRun<Tree>, TreeMembers, StoringRun {
  /** As `name`: what `$` stands for. */
  readonly crun: string
}
