/** What a job receives: one run, with the part of the trajectory's tree that belongs to it. */
import type { ParameterTree } from '../run/parameter.ts'
import type { BareRun } from '../run/run.ts'
import type { StoringRun } from '../run/stored-items.ts'
import type { GroupNode, ParameterNode } from './nodes.ts'

/** Methods that a run passes on to its tree. */
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

/** Members that both the trajectory and a run have. Each does the same in both. */
export interface TreeMembers extends TreeMethods {
  /** Values of derived parameters of the script and of this run, by natural naming. */
  readonly dpar: Readonly<Record<string, unknown>>
  /** Values of results: those that the script added before the runs began, and those of this run. */
  readonly res: Readonly<Record<string, unknown>>
  /** Values of config: `conf.environment.ncores`. */
  // biome-ignore lint/suspicious/noExplicitAny: names and types are known only at run time
  readonly conf: any
  /** Explored parameters by full name. Each has only the value of this run. */
  readonly exploredParameters: Readonly<Record<string, ParameterNode>>
}

/**
 * What a job receives: pypet's single run. It reads one point of the parameter space, and takes results and derived
 * parameters. Nothing is written to the file before the job returns.
 *
 * It has the trajectory's tree as it was when the runs began: parameters at this point, config, and what the script has
 * added. What this run adds appears in the tree at once, and you can change it until the job returns. Everything else is
 * read-only. What other runs add is not in the tree. The tree is made when the job first asks for it.
 *
 * @example
 * run(traj) {
 *   traj.addResult('z', traj.par.x * traj.par.y, { comment: 'the product' })
 *   traj.getResult('z').annotate({ unit: 'mV' })
 *   traj.addResult('half', traj.value<number>('z') / 2)
 * }
 */
export interface Run<Tree = ParameterTree> extends BareRun<Tree>, TreeMembers, StoringRun {
  /** Same as `name`. `$` stands for it. */
  readonly crun: string
}
