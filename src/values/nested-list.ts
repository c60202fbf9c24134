/** Lists of lists of one length and one type: matrices as JavaScript writes them. */
import { exact } from './exact-integer.ts'
import { type Complex, type Dtype, type StoredArray, typeName } from './stored-value.ts'
import type { ElementParts } from './structured-value.ts'
import type { TypedArray } from './typed-array.ts'
import type { Integer } from './value-forms.ts'

/** A rectangular list of lists of any depth and of one type. */
export interface NestedList extends ReadonlyArray<InnermostList | NestedList> {}

type InnermostList =
  | readonly number[]
  | readonly bigint[]
  | readonly boolean[]
  | readonly string[]
  | readonly Complex[]
  | readonly Integer[]

/**
 * What a job gets for a nested list: its own copy, with integers as numbers. The type looks six levels deep, since a
 * type for any depth would be infinite.
 */
export type NestedValues<List, Depth extends readonly unknown[] = []> = Depth['length'] extends 6
  ? List
  : List extends readonly (infer Inner)[]
    ? NestedValues<Inner, [...Depth, unknown]>[]
    : List extends Integer
      ? number
      : List

interface Parts extends ElementParts {
  checkPadding(texts: readonly string[], where: string): void
}

export function isNestedList(value: unknown): value is NestedList {
  return Array.isArray(value) && Array.isArray(value[0])
}

/**
 * The list as an array in C order, marked so that it is read as a list again.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` with the row or element that differs
 */
export function nestedArray(list: NestedList, where: string, parts: Parts): StoredArray {
  const shape: number[] = []
  let first: unknown = list
  for (; Array.isArray(first); first = first[0]) {
    if (shape.length === RANK_MAX) throw parts.unsupported(where, `lists nested more than ${RANK_MAX} deep`)
    shape.push(first.length)
  }
  const rows: (readonly unknown[])[] = []
  collectRows(list, { shape, where, parts, rows }, 0, where)
  const elements = elementsOf(first, `${where}${'[0]'.repeat(shape.length)}`, shape, parts)
  const rowLength = shape.at(-1) as number
  for (const [number, row] of rows.entries()) {
    const wrong = elements.put(row, number * rowLength, () => `${where}${indices(number, shape)}`)
    if (wrong < 0) continue
    const at = `${where}${indices(number, shape)}[${wrong}]`
    throw parts.unsupported(
      at,
      `${nameOf(row[wrong], at, parts)}, where others are ${elements.dtype}`,
      ALLOWED,
    )
  }
  const { dtype, data } = elements
  if (!ArrayBuffer.isView(data)) parts.checkPadding(data, where)
  const isBigint = typeof first === 'bigint'
  return { form: 'ndarray', dtype, shape, data, isNested: true, ...(isBigint && { isBigint }) }
}

/** The same for a value that its owner treats as an array, of one axis or more. It does not come back as a list. */
export function arrayOfLists(list: readonly unknown[], where: string, parts: Parts): StoredArray {
  const isFlat = !isNestedList(list)
  const nested = nestedArray((isFlat ? [list] : list) as unknown as NestedList, where, parts)
  const { dtype, shape, data } = nested
  return { form: 'ndarray', dtype, shape: isFlat ? shape.slice(1) : shape, data }
}

/** HDF5's maximum number of axes. */
const RANK_MAX = 32

const ALLOWED = 'rows of one length, and numbers, booleans, strings, integers or { re, im } of one type'

interface Walk {
  readonly shape: readonly number[]
  readonly where: string
  readonly parts: Parts
  readonly rows: (readonly unknown[])[]
}

function collectRows(level: unknown, walk: Walk, depth: number, at: string): void {
  const { shape, parts, rows } = walk
  const expected = shape[depth] as number
  if (!Array.isArray(level)) {
    const found = `${nameOf(level, at, parts)}, where others are rows of ${expected}`
    throw parts.unsupported(at, found, ALLOWED)
  }
  if (level.length !== expected) {
    throw parts.unsupported(at, `a row of ${level.length}, where others have ${expected}`, ALLOWED)
  }
  if (depth === shape.length - 1) {
    rows.push(level)
    return
  }
  for (let index = 0; index < level.length; index += 1) {
    const inner = level[index] as unknown
    // Build names only for refused rows: most matrices have many rows, and all of them are right.
    const isRow = Array.isArray(inner) && inner.length === shape[depth + 1]
    if (isRow && depth === shape.length - 2) rows.push(inner)
    else collectRows(inner, walk, depth + 1, `${at}[${index}]`)
  }
}

interface Elements {
  readonly dtype: Dtype
  readonly data: TypedArray | string[]
  /** Copies a row to its place. Returns the index of the first element of another type, or -1. */
  put(row: readonly unknown[], offset: number, at: () => string): number
}

function elementsOf(first: unknown, at: string, shape: readonly number[], parts: Parts): Elements {
  const count = shape.reduce((product, size) => product * size, 1)
  if (typeof first === 'number' || count === 0) {
    const data = new Float64Array(count)
    return { dtype: 'float64', data, put: (row, offset) => putNumbers(row, data, offset) }
  }
  if (typeof first === 'boolean') {
    const data = new Uint8Array(count)
    return { dtype: 'bool', data, put: (row, offset) => putBooleans(row, data, offset) }
  }
  const like = parts.toStored(first, at)
  if (like.form !== 'scalar') throw parts.unsupported(at, `a ${typeName(like)} in a list of lists`, ALLOWED)
  const { dtype } = like
  const data = dataOf(dtype, count)
  const put: Elements['put'] = (row, offset, rowAt) => {
    for (let index = 0; index < row.length; index += 1) {
      const stored = parts.toStored(row[index], `${rowAt()}[${index}]`)
      if (stored.form !== 'scalar' || stored.dtype !== dtype) return index
      putElement(data, offset + index, stored.value)
    }
    return -1
  }
  return { dtype, data, put }
}

function putNumbers(row: readonly unknown[], data: Float64Array, offset: number): number {
  for (let index = 0; index < row.length; index += 1) {
    const element = row[index]
    if (typeof element !== 'number') return index
    data[offset + index] = element
  }
  return -1
}

function putBooleans(row: readonly unknown[], data: Uint8Array, offset: number): number {
  for (let index = 0; index < row.length; index += 1) {
    const element = row[index]
    if (typeof element !== 'boolean') return index
    data[offset + index] = Number(element)
  }
  return -1
}

function dataOf(dtype: Dtype, count: number): TypedArray | string[] {
  if (dtype === 'str') return new Array<string>(count).fill('')
  return dtype === 'int64' ? new BigInt64Array(count) : new Float64Array(2 * count)
}

function putElement(data: TypedArray | string[], at: number, value: unknown): void {
  if (data instanceof BigInt64Array) data[at] = BigInt(value as number | bigint)
  else if (Array.isArray(data)) data[at] = value as string
  else {
    const { re, im } = value as { readonly re: number; readonly im: number }
    data[2 * at] = re
    data[2 * at + 1] = im
  }
}

/** The place of a row: `[1][0]`. */
function indices(row: number, shape: readonly number[]): string {
  let rest = row
  const found: number[] = []
  for (let axis = shape.length - 2; axis >= 0; axis -= 1) {
    const size = shape[axis] as number
    found.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return found.map((index) => `[${index}]`).join('')
}

function nameOf(value: unknown, at: string, parts: Parts): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  return value === undefined || value === null ? String(value) : `a ${typeName(parts.toStored(value, at))}`
}

/** The inverse of `nestedArray`. Returns a new list. */
export function nestedList({ dtype, shape, data, isBigint }: StoredArray): NestedList {
  const elementAt = elementReader(dtype, data, isBigint === true)
  const rowLength = shape.at(-1) as number
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  const build = (axis: number, offset: number): unknown[] => {
    const size = shape[axis] as number
    const list = new Array<unknown>(size)
    if (axis === shape.length - 1) {
      for (let index = 0; index < rowLength; index += 1) list[index] = elementAt(offset + index)
    } else {
      for (let index = 0; index < size; index += 1) {
        list[index] = build(axis + 1, offset + index * (strides[axis] as number))
      }
    }
    return list
  }
  return build(0, 0) as NestedList
}

function elementReader(
  dtype: Dtype,
  data: TypedArray | readonly string[],
  isBigint: boolean,
): (index: number) => unknown {
  if (dtype === 'bool') return (index) => data[index] !== 0
  if (dtype === 'complex128' || dtype === 'complex64') {
    return (index) => ({ re: Number(data[2 * index]), im: Number(data[2 * index + 1]) })
  }
  if (isBigint || (dtype !== 'int64' && dtype !== 'uint64')) return (index) => data[index]
  return (index) => exact(data[index] as bigint)
}

/** A copy of the list that shares none of its lists. */
export function copyOfNested<List>(list: List): List {
  if (!Array.isArray(list)) return list
  return (Array.isArray(list[0]) ? list.map(copyOfNested) : list.slice()) as List
}
