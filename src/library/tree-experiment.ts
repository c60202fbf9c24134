/** A tree as an experiment: its parameters, what it explores, and the nodes beside them. */
import type { ExperimentDefinition } from '../experiment/define.ts'
import type { ExplorationSpec } from '../exploration/exploration.ts'
import { flattenParameters, type Parameter } from '../trajectory/parameter.ts'
import type { StoredValue } from '../trajectory/stored-value.ts'
import { userValue } from '../trajectory/user-value.ts'
import type { ParameterNode } from '../tree/parameter-node.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { rangeColumn } from './scalar-columns.ts'

/** All nodes below `parameters`, in their order. */
export function parameterNodes(tree: TrajectoryTree): ParameterNode[] {
  return [...tree.getGroup('parameters').iterLeaves()].filter((leaf) => leaf.isParameter) as ParameterNode[]
}

/** @throws PypetError `PYPET_DATA_NOT_LOADED` */
export function treeParameters(tree: TrajectoryTree): Parameter[] {
  return parameterNodes(tree).map((parameter): Parameter => {
    const { fullName, comment, storedAnnotations } = parameter
    const stored = parameter.stored as StoredValue
    return {
      name: fullName.slice('parameters.'.length),
      comment,
      value: userValue(stored),
      stored,
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
  const bigints = new Set(declared.filter(({ value }) => typeof value === 'bigint').map(({ name }) => name))
  return parameters.map((parameter) =>
    bigints.has(parameter.name) && typeof parameter.value === 'number'
      ? { ...parameter, value: BigInt(parameter.value) }
      : parameter,
  )
}

/**
 * What the tree explores, point by point; undefined when it explores nothing.
 *
 * @throws PypetError `PYPET_PARAMETER_TYPE` for arrays, which a job cannot be given
 */
export function treeExploration(tree: TrajectoryTree): ExplorationSpec | undefined {
  const explored = Object.values(tree.exploredParameters)
  return explored.length === 0 ? undefined : { kind: 'points', columns: explored.map(rangeColumn) }
}
