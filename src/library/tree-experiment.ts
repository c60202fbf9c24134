/** A tree as an experiment: its parameters, its exploration, and its other nodes. */
import type { ExperimentDefinition } from '../experiment/define.ts'
import type { ExplorationSpec } from '../exploration/exploration.ts'
import { runlessName } from '../names.ts'
import { flattenParameters, type Parameter } from '../run/parameter.ts'
import { type GroupNode, ParameterNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { parameterName } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { rangesAsPoints } from './point-columns.ts'

/**
 * The parameters of the tree's experiment: all nodes below `parameters`, in their order, and explored derived
 * parameters.
 *
 * @throws PypetError `PYPET_DATA_NOT_LOADED`
 */
export function treeParameters(tree: TrajectoryTree): Parameter[] {
  const derived = Object.values(tree.exploredParameters).filter(({ branch }) => branch !== 'parameters')
  return asParameters([...parametersIn(tree.getGroup('parameters')), ...derived])
}

/**
 * What can be explored if nothing is explored yet: parameters and derived parameters.
 *
 * @throws PypetError `PYPET_DATA_NOT_LOADED`
 */
export function explorableParameters(tree: TrajectoryTree): Parameter[] {
  return asParameters(
    ['parameters', 'derived_parameters'].flatMap((branch) => parametersIn(tree.getGroup(branch))),
  )
}

function parametersIn(group: GroupNode): ParameterNode[] {
  return [...group.iterLeaves({ predicate: ({ fullName }) => runlessName(fullName) === fullName })].filter(
    (leaf) => leaf instanceof ParameterNode,
  )
}

function asParameters(nodes: readonly ParameterNode[]): Parameter[] {
  return nodes.map((parameter): Parameter => {
    const { fullName, comment, storedAnnotations, userClass } = parameter
    const stored = parameter.stored as StoredValue
    return {
      name: parameterName(fullName),
      comment,
      value: userValue(stored),
      stored,
      ...(userClass !== undefined && { userClass }),
      ...(storedAnnotations.length > 0 && { annotations: storedAnnotations }),
    }
  })
}

/** A file does not distinguish bigints from other integers. If the job declares a bigint, it gets one. */
export function asDeclared(
  parameters: readonly Parameter[],
  definition: ExperimentDefinition | undefined,
): Parameter[] {
  const declared = definition === undefined ? [] : flattenParameters(definition.parameters, 'parameters')
  const bigints = new Set(declared.filter(({ value }) => holdsBigints(value)).map(({ name }) => name))
  return parameters.map((parameter) =>
    bigints.has(parameter.name) ? { ...parameter, value: asBigints(parameter.value) } : parameter,
  )
}

function holdsBigints(value: unknown): boolean {
  let first = value
  while (Array.isArray(first)) first = first[0]
  return typeof first === 'bigint'
}

/** Single integers, and integers in lists. */
function asBigints(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asBigints)
  return typeof value === 'number' ? BigInt(value) : value
}

/**
 * The exploration of the tree, point by point; undefined if it explores nothing.
 *
 * @throws PypetError `PYPET_PARAMETER_TYPE` for values that a job cannot receive
 */
export function treeExploration(tree: TrajectoryTree): ExplorationSpec | undefined {
  const explored = Object.values(tree.exploredParameters)
  return explored.length === 0 ? undefined : rangesAsPoints(explored)
}
