/** When two stored values are the same for a user, and how much two numbers differ. */
import { isDeepStrictEqual } from 'node:util'
import { indicesAt, isSameShape } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { numbersOf } from './array-summary.ts'

/** Of another value against the first one. */
export interface ValueDifference {
  /** Other value minus first value. For arrays the largest of all elements, without its sign. */
  readonly absolute: number
  /** The same divided by the size of the first value. Undefined if that is zero. */
  readonly relative: number | undefined
  /** For arrays: the indices of the element. */
  readonly at: readonly number[] | undefined
}

/** Numbers of different types are the same if they are equal, and a NaN is the same as a NaN. */
export function isSameValue(one: StoredValue | undefined, other: StoredValue | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.form === 'scalar' && other.form === 'scalar') {
    const [left, right] = [one.value, other.value]
    if (isNumeric(left) && isNumeric(right)) return isSameNumber(left, right)
    return isDeepStrictEqual(left, right)
  }
  const [left, right] = [numbersOf(one), numbersOf(other)]
  if (left === undefined || right === undefined) return isDeepStrictEqual(one, other)
  if (!isSameShape(left.shape, right.shape)) return false
  for (let at = 0; at < left.elements.length; at += 1) {
    const [element, otherElement] = [left.elements[at], right.elements[at]]
    if (!isSameNumber(element as number | bigint, otherElement as number | bigint)) return false
  }
  return true
}

/** Undefined unless both are numbers, or arrays of numbers of one shape. */
export function differenceOf(
  first: StoredValue | undefined,
  other: StoredValue | undefined,
): ValueDifference | undefined {
  if (first === undefined || other === undefined) return undefined
  if (first.form === 'scalar' && other.form === 'scalar') {
    const [left, right] = [first.value, other.value]
    if (!isNumeric(left) || !isNumeric(right)) return undefined
    const absolute = minus(right, left)
    return { absolute, relative: relativeTo(left, absolute), at: undefined }
  }
  const [left, right] = [numbersOf(first), numbersOf(other)]
  if (left === undefined || right === undefined || !isSameShape(left.shape, right.shape)) return undefined
  let [most, place] = [-1, -1]
  for (let at = 0; at < left.elements.length; at += 1) {
    const [from, to] = [left.elements[at] as number | bigint, right.elements[at] as number | bigint]
    if (isSameNumber(from, to)) continue
    const size = Math.abs(minus(to, from))
    // Where only one is NaN, there is no larger difference.
    if (Number.isNaN(size)) return { absolute: size, relative: undefined, at: indicesAt(at, left.shape) }
    if (size > most) [most, place] = [size, at]
  }
  if (place < 0) return undefined
  const relative = relativeTo(left.elements[place] as number | bigint, most)
  return { absolute: most, relative, at: indicesAt(place, left.shape) }
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isSameNumber(one: number | bigint, other: number | bigint): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: an integer beyond 2^53 is a bigint, and may equal a number
  return one == other || (Number.isNaN(one) && Number.isNaN(other))
}

/** Exact for integers of any size, until the difference becomes a number. */
function minus(one: number | bigint, other: number | bigint): number {
  if (typeof one === 'bigint' && typeof other === 'bigint') return Number(one - other)
  return Number(one) - Number(other)
}

function relativeTo(value: number | bigint, absolute: number): number | undefined {
  const size = Math.abs(Number(value))
  return size === 0 || !Number.isFinite(size) || Number.isNaN(absolute) ? undefined : absolute / size
}
