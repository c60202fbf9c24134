/** Explores the parameters of a tree (pypet `f_explore`, `f_expand`, `f_find_idx`). */
import { PypetError } from '../errors.ts'
import type { ParameterOf } from '../exploration/settle-range.ts'
import { runlessName } from '../names.ts'
import { parameterName, type RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { taken } from './add.ts'
import { type ExploredColumns, exploredColumns } from './explored-columns.ts'
import type { ParameterNode } from './nodes.ts'

/** What this file uses of the trajectory. */
interface ExploredTree {
  readonly length: number
  getParameter(name: string): ParameterNode
}

/** @throws like `TrajectoryTree.explore`; then nothing changes */
export function exploreParameters(
  tree: ExploredTree,
  given: unknown,
  hasExplored: boolean,
): { readonly parameters: readonly ParameterNode[]; readonly runCount: number } {
  const columns = exploredColumns(given, parameterOf(tree))
  const parameters = namedParameters(tree, columns)
  const [[, first] = ['', []]] = columns
  if (hasExplored && first.length !== tree.length) {
    throw new PypetError(
      'PYPET_EXPLORATION_LENGTH',
      `the trajectory has ${tree.length} runs, the exploration ${first.length}`,
      { where: 'explore', hint: 'Give as many values, or add points with expand.' },
    )
  }
  for (const [parameter, values] of parameters) parameter.checkExplorable(values)
  for (const [parameter, values] of parameters) {
    parameter.explore(values)
    parameter.lock()
  }
  return { parameters: [...parameters.keys()], runCount: first.length }
}

/**
 * The parameters to expand, with the default for each run that is kept. Like for `expand`, locks do not matter.
 *
 * @throws like `TrajectoryTree.expand`; then nothing changes
 */
export function beginExploration(
  tree: ExploredTree,
  given: unknown,
  keptCount: number,
): readonly ParameterNode[] {
  const parameters = namedParameters(tree, exploredColumns(given, parameterOf(tree)))
  for (const [parameter, values] of parameters) parameter.rangeOf(values)
  for (const parameter of parameters.keys()) parameter.appendStored([], keptCount)
  return [...parameters.keys()]
}

/** @returns the number of added points. @throws like `TrajectoryTree.expand`; then nothing changes */
export function expandParameters(tree: ExploredTree, given: unknown, explored: ReadonlySet<string>): number {
  const columns = exploredColumns(given, parameterOf(tree))
  const parameters = namedParameters(tree, columns)
  const isExact =
    parameters.size === explored.size && [...parameters.keys()].every((parameter) => parameter.isExplored)
  if (!isExact) {
    const named = new Set([...parameters.keys()].map(({ fullName }) => fullName))
    const missing = [...explored].filter((name) => !named.has(name))
    const others = [...named].filter((name) => !explored.has(name))
    const found =
      missing.length > 0 ? `${missing.join(', ')} is missing` : `${others.join(', ')} is not explored`
    throw new PypetError('PYPET_EXPLORATION_INVALID', `cannot expand: ${found}`, {
      where: 'expand',
      hint: `Name exactly what is explored: ${[...explored].join(', ') || 'nothing is'}.`,
    })
  }
  const ranges = [...parameters].map(([parameter, values]) => [parameter, parameter.rangeOf(values)] as const)
  for (const [parameter, range] of ranges) parameter.append(range)
  const [[, first] = ['', []]] = columns
  return first.length
}

/** @param names of parameters. The predicate receives their values in this order */
export function* findRuns(
  tree: ExploredTree,
  names: string | readonly string[],
  predicate: (...values: never[]) => boolean,
): Generator<RunIndex> {
  const columns = (typeof names === 'string' ? [names] : names).map((name) => {
    const parameter = tree.getParameter(name)
    return parameter.getRange() ?? Array<unknown>(tree.length).fill(parameter.getDefault())
  })
  for (let run = 0; run < tree.length; run += 1) {
    const values = columns.map((column) => column[run])
    if ((predicate as (...values: unknown[]) => boolean)(...values)) yield run
  }
}

/**
 * The parameter that a name in an exploration means: one below `parameters`, or else a derived parameter.
 *
 * @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_NAME_AMBIGUOUS`, `PYPET_PARAMETER_TYPE` if it cannot be explored
 */
export function explorable(tree: ExploredTree, name: string): ParameterNode {
  const parameter = tree.getParameter(parameterName(name))
  const { branch, fullName } = parameter
  const isOfRun = runlessName(fullName) !== fullName
  if (!isOfRun && (branch === 'parameters' || branch === 'derived_parameters')) return parameter
  const found = isOfRun ? 'it belongs to one run' : `it belongs to ${branch}`
  throw new PypetError('PYPET_PARAMETER_TYPE', `cannot explore ${fullName}: ${found}`, {
    where: name,
    hint: 'Explore parameters, or derived parameters added before the runs.',
  })
}

/** Parameters in the form that explorations use. */
export function parameterOf(tree: ExploredTree): ParameterOf {
  return (name) => {
    const node = explorable(tree, name)
    return { name, comment: node.comment, value: node.getDefault(), stored: node.stored as StoredValue }
  }
}

function namedParameters(
  tree: ExploredTree,
  columns: ExploredColumns,
): Map<ParameterNode, readonly unknown[]> {
  const parameters = new Map<ParameterNode, readonly unknown[]>()
  for (const [name, values] of columns) {
    const parameter = explorable(tree, name)
    if (parameters.has(parameter)) throw taken(parameter.fullName, 'it is explored twice')
    parameters.set(parameter, values)
  }
  return parameters
}
