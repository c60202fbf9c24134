import { PypetError } from '../errors.ts'
import { parameterName } from '../values/path.ts'
import { isPlainObject } from '../values/value-forms.ts'
import type { Column } from './exploration.ts'
import { shown } from './explored-object.ts'
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
  return namedColumns(tree, where, {
    noun: 'ranges',
    isInput: isRangeInput,
    read: (entry, _, path) => toRange(entry, path),
  })
}

interface ColumnReader<Value> {
  readonly noun: 'ranges' | 'bounds'
  /** True for an entry to read. Any other plain object is a group. */
  readonly isInput: (entry: unknown, name: string) => boolean
  readonly read: (entry: unknown, name: string, path: string) => Value
}

/** A tree of ranges, or of bounds to sample, as columns. @throws PypetError like `columnsOf`, and like `read` */
export function namedColumns<Value>(
  tree: unknown,
  where: string,
  { noun, isInput, read }: ColumnReader<Value>,
): { readonly name: string; readonly range: Value }[] {
  const example = noun === 'ranges' ? '{ x: [1, 2, 3] }' : '{ x: [0, 1] }'
  if (!isPlainObject(tree) || isInput(tree, '')) {
    const found = tree === undefined ? 'nothing' : shown(tree)
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where}: expected ${noun} by parameter name, found ${found}`,
      { where, hint: `Write ${example}.` },
    )
  }
  const entries = namedEntries(tree, (entry, name) => !isInput(entry, name))
  const columns = Array.from(entries, ([name, entry]) => {
    return { name, range: read(entry, name, `${where}.${name}`) }
  })
  assertDistinctNames(columns, where)
  if (columns.length > 0) return columns
  throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where} explores nothing: no parameter is named`, {
    where,
    hint: `Name at least one parameter with its ${noun === 'ranges' ? 'values' : noun}, as in ${example}.`,
  })
}

type NamedTree = Readonly<Record<string, unknown>>

/**
 * The entries of a tree by dotted name, in the order of declaration. A leading `parameters.` is dropped.
 *
 * @param isGroup decides which plain objects are groups
 */
export function* namedEntries(
  tree: NamedTree,
  isGroup: (entry: NamedTree, name: string) => boolean,
  prefix = '',
): Generator<readonly [name: string, entry: unknown]> {
  for (const [key, entry] of Object.entries(tree)) {
    const name = parameterName(prefix + key)
    if (isPlainObject(entry) && isGroup(entry, name)) yield* namedEntries(entry, isGroup, `${prefix}${key}.`)
    else yield [name, entry]
  }
}

/** @throws PypetError `PYPET_EXPLORATION_LENGTH` unless all columns have the same length */
export function assertEqualLengths(columns: readonly Column[], where: string): void {
  assertOneLength(
    columns.map(({ name, range }) => [name, rangeLength(range)]),
    where,
  )
}

/** The same for lengths by name. */
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
      `${where}: ${first[0]} has ${count(first[1])} but ${name} has ${count(length)}, and they advance together`,
      {
        where: `${where}.${name}`,
        hint: 'Give both the same length, or combine them with cartesianProduct.',
      },
    )
  }
}

/** @throws PypetError `PYPET_NAME_TAKEN` if two columns have the same name */
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

function count(length: number): string {
  return length === 1 ? '1 value' : `${length} values`
}
