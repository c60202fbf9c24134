/** New and existing points of a trajectory as explorations that runs can be made from. */
import { PypetError } from '../errors.ts'
import type { Column, ExplorationSpec, Pools } from '../exploration/exploration.ts'
import { type ExploredValue, isPooled, toExplored } from '../exploration/explored-object.ts'
import { rangeOf } from '../exploration/range.ts'
import { type PooledValue, pooled, ValuePool } from '../exploration/value-pool.ts'
import type { ParameterRange } from '../run/parameter-range.ts'
import { exploredColumns } from '../tree/explored-columns.ts'
import { explorable, parameterOf } from '../tree/exploring.ts'
import type { ParameterNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { parameterName } from '../values/path.ts'
import { rawValue } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'

/**
 * @param given in the form of `expand`. Names may be shortcuts
 * @throws PypetError like `exploredColumns`; `PYPET_NODE_NOT_FOUND`, `PYPET_PARAMETER_TYPE` for values that a job cannot
 *   receive
 */
export function pointColumns(tree: TrajectoryTree, given: unknown): Column[] {
  return [...exploredColumns(given, parameterOf(tree))].map(([name, values]) =>
    column(explorable(tree, name), values),
  )
}

/** The parameters' values in all runs. @throws PypetError `PYPET_PARAMETER_TYPE` for values that a job cannot receive */
export function rangesAsPoints(parameters: readonly ParameterNode[]): ExplorationSpec {
  const pools: Record<string, Pools[string]> = {}
  const columns = parameters.map((parameter): Column => {
    const { range } = parameter
    const name = parameterName(parameter.fullName)
    if (range?.kind !== 'objects') {
      const { stored } = parameter
      if (stored === undefined || !isPooled({ stored })) return column(parameter, range?.values ?? [])
      const pool = new ValuePool()
      const numbers = Uint32Array.from(range?.values ?? [], (value) =>
        pool.numberOf(rawValue({ form: 'scalar', dtype: (range as ScalarRange).dtype, value })),
      )
      pools[name] = { first: 0, values: pool.values }
      return { name, range: { kind: 'numbers', numbers } }
    }
    assertPooled(parameter)
    // A number that no run uses is a hole.
    const values = Array.from(range.values, (value: StoredValue | undefined) => inPool(parameter, value))
    pools[name] = { first: 0, values }
    return { name, range: { kind: 'numbers', numbers: Uint32Array.from(range.index) } }
  })
  const of: ExplorationSpec = { kind: 'points', columns }
  return Object.keys(pools).length === 0 ? of : { kind: 'pooled', of, pools }
}

type ScalarRange = Extract<ParameterRange, { kind: 'scalars' }>

function inPool(parameter: ParameterNode, value: StoredValue | undefined): PooledValue {
  if (value === undefined) return ''
  if (value.form !== 'unread') return pooled(rawValue(value))
  throw new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${parameter.fullName} is explored with a ${value.type}, which a job cannot receive: ${value.note}`,
    { where: parameter.fullName },
  )
}

function column(parameter: ParameterNode, values: readonly unknown[]): Column {
  const { fullName, stored } = parameter
  if (stored?.form !== 'scalar') assertPooled(parameter)
  /** Many runs may share one array. */
  const known = new Map<unknown, ExploredValue>()
  const explored = values.map((value, index) => {
    if (typeof value !== 'object') return toExplored(value, `${fullName}[${index}]`)
    const made = known.get(value) ?? toExplored(value, `${fullName}[${index}]`)
    known.set(value, made)
    return made
  })
  return { name: parameterName(fullName), range: rangeOf(explored) }
}

function assertPooled({ fullName, stored }: ParameterNode): void {
  if (stored !== undefined && isPooled({ stored })) return
  throw new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${fullName} is explored with values that a job cannot receive`,
    {
      where: fullName,
      hint: 'Explore an index and look up the value in the job.',
    },
  )
}
