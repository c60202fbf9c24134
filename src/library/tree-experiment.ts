/** A tree as an experiment: its parameters, what it explores, and the nodes beside them. */
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
 * What an experiment of the tree has as its parameters: all nodes below `parameters`, in their order, and derived ones that
 * are explored.
 *
 * @throws PypetError `PYPET_DATA_NOT_LOADED`
 */
export function treeParameters(tree: TrajectoryTree): Parameter[] {
  const derived = Object.values(tree.exploredParameters).filter(({ branch }) => branch !== 'parameters')
  return asParameters([...parametersIn(tree.getGroup('parameters')), ...derived])
}

/**
 * What can be explored where nothing is yet: parameters, and derived ones.
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

/** A file does not tell bigints from other whole numbers; where the job declares one, it is to see one. */
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

/** Single ones, and those in lists. */
function asBigints(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asBigints)
  return typeof value === 'number' ? BigInt(value) : value
}

/**
 * What the tree explores, point by point; undefined when it explores nothing.
 *
 * @throws PypetError `PYPET_PARAMETER_TYPE` for values that a job cannot be given
 */
export function treeExploration(tree: TrajectoryTree): ExplorationSpec | undefined {
  const explored = Object.values(tree.exploredParameters)
  return explored.length === 0 ? undefined : rangesAsPoints(explored)
}
