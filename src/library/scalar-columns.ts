/** Points that are given to a trajectory, as columns of an exploration: what runs can be performed at. */
import { PypetError } from '../errors.ts'
import type { Column } from '../exploration/exploration.ts'
import { toScalar } from '../exploration/range.ts'
import { exploredColumns } from '../tree/explored-columns.ts'
import { parameterOf } from '../tree/exploring.ts'
import type { ParameterNode } from '../tree/parameter-node.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'

/**
 * @param given as `expand` takes it; names may be shortcuts
 * @throws PypetError as `exploredColumns`; `PYPET_NODE_NOT_FOUND`, `PYPET_PARAMETER_TYPE` for values that are no single ones
 */
export function scalarColumns(tree: TrajectoryTree, given: unknown): Column[] {
  const group = tree.getGroup('parameters')
  return [...exploredColumns(given, parameterOf(tree))].map(([name, values]) => {
    const parameter = group.getParameter(name.startsWith(BRANCH) ? name.slice(BRANCH.length) : name)
    return column(parameter, values)
  })
}

/** The whole range of an explored parameter. */
export function rangeColumn(parameter: ParameterNode): Column {
  return column(parameter, parameter.getRange() ?? [])
}

const BRANCH = 'parameters.'

function column(parameter: ParameterNode, values: readonly unknown[]): Column {
  const { fullName, stored } = parameter
  if (stored?.form !== 'scalar') {
    throw new PypetError(
      'PYPET_PARAMETER_TYPE',
      `${fullName} is explored with values that a job cannot be given`,
      {
        where: fullName,
        hint: 'Explore an index, and look the array up in the job.',
      },
    )
  }
  const range = values.map((value, index) => toScalar(value, `${fullName}[${index}]`))
  return { name: fullName.slice(BRANCH.length), range: { kind: 'values', values: range } }
}
