/** The arguments of `explore` and `expand` as one list of values per name. */
import { PypetError } from '../errors.ts'
import { assertOneLength } from '../exploration/columns.ts'
import {
  type Exploration,
  explorationLength,
  explorationNames,
  explorationReader,
  isExploration,
} from '../exploration/exploration.ts'
import type { RangeInput, RangeMapping, RangeTree } from '../exploration/explored-values.ts'
import { isRangeInput, rangeLength, rangeReader, toRange } from '../exploration/range.ts'
import { settle } from '../exploration/settle.ts'
import type { ParameterOf } from '../exploration/settle-range.ts'
import { ValuePools } from '../exploration/value-pool.ts'
import type { FlatParameterValues } from '../run/parameter.ts'
import { type RawValue, storedOfRaw } from '../values/raw-value.ts'
import { userValue } from '../values/user-value.ts'
import { isPlainObject } from '../values/value-forms.ts'

/**
 * An exploration, or lists by name. If the compiler knows the parameters, it checks their names and types. Derived
 * parameters are added one by one, so it knows only their branch.
 */
export type Explorable<Tree> =
  | (string extends keyof Tree ? object : Exploration<FlatParameterValues<Tree>> | RangeMapping<Tree>)
  | DerivedRanges

interface DerivedRanges {
  readonly [name: `derived_parameters.${string}`]: RangeInput
  readonly derived_parameters?: RangeTree
}

export type ExploredColumns = ReadonlyMap<string, readonly unknown[]>

/**
 * @param given an exploration, or ranges by name; a plain object is a group
 * @param parameterOf types and defaults, for samplers and conditions
 * @throws PypetError `PYPET_EXPLORATION_LENGTH`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`
 */
export function exploredColumns(given: unknown, parameterOf: ParameterOf): ExploredColumns {
  const columns = new Map<string, readonly unknown[]>()
  if (isExploration(given)) {
    const pools = new ValuePools()
    const spec = settle(given.spec, { parameterOf, pools }, 'explore')
    const length = explorationLength(spec)
    for (const name of explorationNames(spec)) {
      const read = explorationReader(spec, name)
      const seen = pools.get(name)?.values.map((value) => userValue(storedOfRaw(value as RawValue)))
      columns.set(
        name,
        Array.from({ length }, (_, run) => (seen === undefined ? read(run) : seen[read(run) as number])),
      )
    }
  } else {
    collect(given, '', columns)
  }
  if (columns.size === 0) {
    throw new PypetError('PYPET_EXPLORATION_EMPTY', 'nothing is explored: no parameter is named', {
      where: 'explore',
      hint: 'Name at least one parameter with its values, as in { x: [1, 2, 3] }.',
    })
  }
  assertOneLength(
    Array.from(columns, ([name, values]) => [name, values.length]),
    'explore',
  )
  return columns
}

function collect(given: unknown, name: string, into: Map<string, readonly unknown[]>): void {
  if (Array.isArray(given) || (ArrayBuffer.isView(given) && name !== '')) {
    into.set(name, Array.from(given as unknown as Iterable<unknown>))
    return
  }
  if (isPlainObject(given) && isRangeInput(given)) {
    const range = toRange(given, name)
    const read = rangeReader(range)
    into.set(
      name,
      Array.from({ length: rangeLength(range) }, (_, index) => read(index)),
    )
    return
  }
  if (!isPlainObject(given)) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${name || 'explore'}: expected ranges by parameter name`,
      {
        where: name || 'explore',
        hint: 'Write { x: [1, 2, 3] }, or cartesianProduct({ x: [1, 2], y: [3, 4] }).',
      },
    )
  }
  for (const [key, inner] of Object.entries(given)) collect(inner, name === '' ? key : `${name}.${key}`, into)
}
