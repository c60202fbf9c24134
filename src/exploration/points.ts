import { PypetError } from '../errors.ts'
import type { FlatParameterValues, ParameterTree } from '../run/parameter.ts'
import { isNamedValues, isPlainObject } from '../values/value-forms.ts'
import { namedEntries } from './columns.ts'
import { type Exploration, type ExplorationSpec, exploration } from './exploration.ts'
import { type GivenValue, toGiven } from './explored-object.ts'
import { rangeOf } from './range.ts'

/**
 * Explores exactly these points, in this order. Each point names the same parameters.
 *
 * `points([{ x: 1, y: 6 }, { x: 2, y: 8 }])`; a nested object is a group.
 *
 * @throws PypetError `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_LENGTH`
 *   if a point lacks a parameter, `PYPET_NAME_TAKEN`, `PYPET_PARAMETER_TYPE`
 */
export function points<Point extends ParameterTree>(
  list: readonly Point[],
): Exploration<FlatParameterValues<Point>, ExplorationSpec> {
  return exploration(pointsSpec(list, 'explore'))
}

/** Stored by column, which is smaller and lets each parameter's type be checked at once. */
export function pointsSpec(list: unknown, where: string): ExplorationSpec {
  if (!Array.isArray(list)) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${where} is not a list of points`, {
      where,
      hint: 'Write [{ x: 1, y: 6 }, { x: 2, y: 8 }].',
    })
  }
  const [first] = list
  if (first === undefined) {
    throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where} is empty: no point to explore`, {
      where,
      hint: 'Give at least one point, as in [{ x: 1 }].',
    })
  }
  const columns = new Map(
    [...flatPoint(first, `${where}[0]`).keys()].map((name) => [name, [] as GivenValue[]]),
  )
  for (let index = 0; index < list.length; index += 1) {
    addPoint(flatPoint(list[index], `${where}[${index}]`), columns, `${where}[${index}]`)
  }
  return {
    kind: 'points',
    columns: [...columns].map(([name, values]) => ({ name, range: rangeOf(values) })),
  }
}

function addPoint(
  point: ReadonlyMap<string, GivenValue>,
  columns: ReadonlyMap<string, GivenValue[]>,
  where: string,
): void {
  for (const [name, values] of columns) {
    const value = point.get(name)
    if (value === undefined) throw unequalNames(where, `lacks ${name}`, columns)
    values.push(value)
  }
  if (point.size === columns.size) return
  const extra = [...point.keys()].find((name) => !columns.has(name))
  throw unequalNames(where, `names ${extra}, which the first point does not`, columns)
}

function flatPoint(point: unknown, where: string): Map<string, GivenValue> {
  if (!isPlainObject(point)) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${where} is not a point`, {
      where,
      hint: 'A point names parameters and their values, as in { x: 1, y: 6 }.',
    })
  }
  const flat = new Map<string, GivenValue>()
  for (const [name, entry] of namedEntries(point, isNamedValues)) {
    if (flat.has(name)) {
      throw new PypetError('PYPET_NAME_TAKEN', `${where} names ${name} twice`, {
        where: `${where}.${name}`,
        hint: 'Keep one of the two values.',
      })
    }
    flat.set(name, toGiven(entry, `${where}.${name}`))
  }
  if (flat.size > 0) return flat
  throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where} names no parameter`, {
    where,
    hint: 'A point names parameters and their values, as in { x: 1, y: 6 }.',
  })
}

function unequalNames(where: string, found: string, columns: ReadonlyMap<string, unknown>): PypetError {
  return new PypetError(
    'PYPET_EXPLORATION_LENGTH',
    `${where} ${found}; all points must name the same parameters`,
    {
      where,
      hint: `Name in each point: ${[...columns.keys()].join(', ')}.`,
    },
  )
}
