/** The value that a user gets for a stored value: the inverse of `toStoredValue`. */
import { assertNever } from '../errors.ts'
import { exactIntegers } from './exact-integer.ts'
import { nestedList } from './nested-list.ts'
import { type RawValue, storedOfRaw } from './raw-value.ts'
import type { StoredArray, StoredValue, Unreadable } from './stored-value.ts'
import { type StorableValue, table } from './value.ts'

/**
 * The value as a user sees it. One-dimensional arrays become typed arrays, others `{ data, shape }`, and nested lists
 * become new lists. Integers are numbers while they are exact. A table is a `Table`. A value that cannot be read is
 * described by an `Unreadable` and never executed.
 */
export function userValue(stored: StoredValue): StorableValue | Uint8Array | Unreadable {
  switch (stored.form) {
    case 'scalar':
      return stored.value
    case 'list':
      return stored.values as StorableValue
    case 'ndarray':
      return userArray(stored)
    case 'null':
      return null
    case 'date':
      return new Date(stored.time)
    case 'record':
      return Object.fromEntries(
        stored.fields.map(({ name, value }) => [name, userValue(value) as StorableValue]),
      )
    case 'table':
      return table(
        Object.fromEntries(
          stored.columns.map(({ name, value }) => [name, userValue(value) as StorableValue]),
        ),
      )
    case 'sparse': {
      const { format, shape, indptr, indices, data } = stored
      return { format, shape, indptr, indices, data }
    }
    case 'unread':
      return stored
    default:
      return assertNever(stored)
  }
}

function userArray(stored: StoredArray): StorableValue {
  if (stored.isNested === true) return nestedList(stored) as StorableValue
  const { dtype, shape, data } = stored
  if (dtype === 'bool' || dtype === 'complex128' || dtype === 'complex64') return { data, shape, dtype }
  return shape.length === 1 && ArrayBuffer.isView(data) ? data : { data, shape }
}

/**
 * An explored value as a job sees it, in the form of the default: a list, its own array, or `{ data, shape }`.
 *
 * @param preset the default, which tells whether 64-bit integers are bigints
 */
export function seenValue(value: RawValue, preset: unknown): unknown {
  const stored = storedOfRaw(value)
  if (stored.form === 'list' && stored.dtype === 'int64') {
    const isBigint = Array.isArray(preset) && typeof preset[0] === 'bigint'
    return userValue(isBigint ? stored : exactIntegers(stored))
  }
  if (stored.form === 'ndarray' && stored.isNested === true) {
    let first = preset
    while (Array.isArray(first)) first = first[0]
    return userValue({ ...stored, isBigint: typeof first === 'bigint' })
  }
  return userValue(stored)
}
