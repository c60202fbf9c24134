import { PypetError } from '../errors.ts'
import { parameterName } from '../values/path.ts'
import { isPlainObject } from '../values/plain-object.ts'
import type { Column } from './exploration.ts'
import { isRangeInput, rangeLength, toRange } from './range.ts'

/**
 * A tree of ranges as columns with dotted names, in the order of declaration. An optional leading
 * `parameters.` is dropped.
 *
 * @param where names the tree in messages, like `explore`
 * @throws PypetError `PYPET_NAME_TAKEN`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`,
 *   `PYPET_PARAMETER_TYPE`
 */
export function columnsOf(tree: unknown, where: string): Column[] {
  const columns: Column[] = []
  collect(tree, '', where, columns)
  assertDistinctNames(columns, where)
  if (columns.length > 0) return columns
  throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where} explores nothing: no parameter is named`, {
    where,
    hint: 'Name at least one parameter with its values, as in { x: [1, 2, 3] }.',
  })
}

/** @throws PypetError `PYPET_EXPLORATION_LENGTH` unless all columns are of one length */
export function assertEqualLengths(columns: readonly Column[], where: string): void {
  assertOneLength(
    columns.map(({ name, range }) => [name, rangeLength(range)]),
    where,
  )
}

/** The same of lengths by name. */
export function assertOneLength(
  lengths: readonly (readonly [name: string, length: number])[],
  where: string,
): void {
  const [first, ...others] = lengths
  if (first === undefined) return
  for (const [name, length] of others) {
    if (length === first[1]) continue
    throw new PypetError(
      'PYPET_EXPLORATION_LENGTH',
      `${where}: ${first[0]} has ${count(first[1])} but ${name} has ${count(length)}; they advance together`,
      {
        where: `${where}.${name}`,
        hint: 'Give both the same length, or combine them with cartesianProduct.',
      },
    )
  }
}

/** @throws PypetError `PYPET_NAME_TAKEN` when two columns have one name */
export function assertDistinctNames(columns: readonly { readonly name: string }[], where: string): void {
  const names = new Set<string>()
  for (const { name } of columns) {
    if (names.has(name)) {
      throw new PypetError('PYPET_NAME_TAKEN', `${where} explores ${name} twice`, {
        where: `${where}.${name}`,
        hint: 'Keep one of the two ranges.',
      })
    }
    names.add(name)
  }
}

function collect(entry: unknown, path: string, where: string, into: Column[]): void {
  const here = path === '' ? where : `${where}.${parameterName(path)}`
  if (path === '' || (isPlainObject(entry) && !isRangeInput(entry))) {
    if (!isPlainObject(entry) || isRangeInput(entry)) {
      throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: expected ranges by parameter name`, {
        where,
        hint: 'Write { x: [1, 2, 3] }.',
      })
    }
    for (const [key, inner] of Object.entries(entry))
      collect(inner, path === '' ? key : `${path}.${key}`, where, into)
    return
  }
  into.push({ name: parameterName(path), range: toRange(entry, here) })
}

function count(length: number): string {
  return length === 1 ? '1 value' : `${length} values`
}
