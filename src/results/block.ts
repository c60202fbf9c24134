/** Values of a column by row: made from single values, read one by one, and joined. */
import { exact } from '../values/exact-integer.ts'
import { elementCount, isSameShape } from '../values/raw-value.ts'
import type {
  Complex,
  ComplexDtype,
  Dtype,
  Scalar,
  StoredArray,
  StoredList,
  StoredScalar,
  StoredValue,
} from '../values/stored-value.ts'
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from '../values/typed-array.ts'
import type { BlockValues, Cell, ColumnBlock } from './column.ts'

export type ArrayDtype = NumericDtype | ComplexDtype | 'bool'

/** What the values of a column are. */
export interface ColumnType {
  readonly dtype: Dtype | 'mixed'
  /** Undefined if they differ, or if there are none. */
  readonly shape: readonly number[] | undefined
  /** Number of axes, if shapes differ and this does not. */
  readonly rank?: number | undefined
  /** Texts of any length: only few are read at once. Otherwise they are short, or in memory anyway. */
  readonly isLong?: boolean | undefined
}

/** Number of axes of every value. Undefined if they differ. */
export function rankOf({ shape, rank }: ColumnType): number | undefined {
  return shape?.length ?? rank
}

export const MIXED: ColumnType = { dtype: 'mixed', shape: undefined }

/**
 * The smallest form that holds these values. Undefined and null values are missing.
 *
 * @param otherwise the type if all are missing
 */
export function blockOf(values: readonly (StoredValue | undefined)[], otherwise?: ColumnType): ColumnBlock {
  const present = presenceOf(values.length, (row) => hasValue(values[row]))
  return { present, ...blockValues(values, otherwise) }
}

function blockValues(
  values: readonly (StoredValue | undefined)[],
  otherwise: ColumnType | undefined,
): BlockValues {
  const type = typeOfValues(values) ?? otherwise
  if (type === undefined) return numbers('float64', values, () => Number.NaN)
  const { dtype, shape } = type
  if (dtype === 'mixed' || shape === undefined || dtype === 'bytes') return { form: 'mixed', values }
  if (dtype === 'str')
    return shape.length === 0 ? { form: 'text', values: values.map(textOf) } : { form: 'mixed', values }
  if (shape.length > 0) return arrays(dtype, shape, values)
  if (dtype === 'bool')
    return { form: 'bool', values: Uint8Array.from(values, (value) => Number(scalarOf(value) === true)) }
  if (dtype === 'complex128' || dtype === 'complex64') {
    const parts = emptyArray(dtype, 2 * values.length) as Float64Array | Float32Array
    for (const [row, value] of values.entries()) {
      const { re, im } = (scalarOf(value) ?? { re: Number.NaN, im: Number.NaN }) as Complex
      parts.set([re, im], 2 * row)
    }
    return { form: 'complex', dtype, values: parts }
  }
  const isFloat = isFloating(dtype)
  return numbers(dtype, values, (value) => (scalarOf(value) as number | bigint) ?? (isFloat ? Number.NaN : 0))
}

function numbers(
  dtype: NumericDtype,
  values: readonly (StoredValue | undefined)[],
  read: (value: StoredValue | undefined) => number | bigint,
): BlockValues {
  const array = emptyArray(dtype, values.length)
  const takesBig = isBig(dtype)
  for (let row = 0; row < values.length; row += 1) {
    const value = read(values[row])
    array[row] = takesBig ? BigInt(value) : Number(value)
  }
  return { form: 'number', dtype, values: array }
}

function arrays(
  dtype: ArrayDtype,
  shape: readonly number[],
  values: readonly (StoredValue | undefined)[],
): BlockValues {
  const size = elementCount(shape) * (isComplex(dtype) ? 2 : 1)
  const array = emptyArray(dtype, values.length * size)
  if (isFloating(dtype)) array.fill(Number.NaN as never)
  for (const [row, value] of values.entries()) {
    if (hasValue(value)) array.set(elementsOf(value as StoredArray | StoredList, dtype) as never, row * size)
  }
  return { form: 'array', dtype, shape, values: array }
}

/** The numbers of an array or a list, ready for an array of this type; complex ones as two each. */
function elementsOf(value: StoredArray | StoredList, wanted: ArrayDtype): TypedArray {
  if (value.form === 'ndarray') {
    const data = value.data as TypedArray
    if (isBig(value.dtype) === isBig(wanted)) return data
    return isBig(wanted) ? BigInt64Array.from(data as Int32Array, BigInt) : Float64Array.from(data, Number)
  }
  const { values } = value
  const dtype = isComplex(value.dtype) ? value.dtype : wanted
  if (isComplex(dtype)) {
    const parts = (values as readonly Complex[]).flatMap(({ re, im }) => [re, im])
    return dtype === 'complex64' ? Float32Array.from(parts) : Float64Array.from(parts)
  }
  const array = emptyArray(dtype, values.length)
  for (const [at, element] of values.entries())
    array[at] = isBig(dtype) ? BigInt(element as number) : Number(element)
  return array
}

/** Null is stored where there is nothing to store. */
export function hasValue(value: StoredValue | undefined): value is StoredValue {
  return value !== undefined && value.form !== 'null'
}

export function typeOfValue(value: StoredValue): ColumnType {
  switch (value.form) {
    case 'scalar':
      return { dtype: value.dtype, shape: [] }
    case 'date':
      return { dtype: 'str', shape: [] }
    case 'list':
      return { dtype: value.dtype, shape: [value.values.length] }
    case 'ndarray':
      return { dtype: value.dtype, shape: value.shape }
    default:
      return MIXED
  }
}

/**
 * The type that holds all of these values exactly: beyond 2^53, integers and float64 are mixed. Undefined if all are
 * missing.
 */
export function typeOfValues(values: readonly (StoredValue | undefined)[]): ColumnType | undefined {
  const types = values.filter(hasValue).map(typeOfValue)
  const type = types.reduce<ColumnType | undefined>(commonType, undefined)
  if (type === undefined || !isFloating(type.dtype) || !types.some(({ dtype }) => isBig(dtype))) return type
  return values.every(fitsFloat64) ? type : { ...type, dtype: 'mixed' }
}

/** Whether a float64 can hold each of its integers. */
export function fitsFloat64(value: StoredValue | undefined): boolean {
  if (value?.form === 'scalar') return isExact(value.value)
  if (value?.form === 'list') return value.values.every(isExact)
  return value?.form !== 'ndarray' || !isBig(value.dtype) || (value.data as BigInt64Array).every(isExact)
}

function isExact(element: unknown): boolean {
  return typeof element !== 'bigint' || typeof exact(element) === 'number'
}

/** Whether elements are bigints. */
export function isBig(dtype: Dtype | 'mixed'): boolean {
  return dtype === 'int64' || dtype === 'uint64'
}

/** The type that holds values of both types, if integers beyond 2^53 are not among floating-point numbers. */
export function commonType(one: ColumnType | undefined, other: ColumnType): ColumnType {
  if (one === undefined) return other
  const dtype = one.dtype === other.dtype ? one.dtype : commonDtype(one.dtype, other.dtype)
  const isSame = one.shape !== undefined && other.shape !== undefined && isSameShape(one.shape, other.shape)
  if (isSame) return { dtype, shape: one.shape }
  const rank = rankOf(one)
  return { dtype, shape: undefined, rank: rank === rankOf(other) ? rank : undefined }
}

function commonDtype(one: Dtype | 'mixed', other: Dtype | 'mixed'): Dtype | 'mixed' {
  if (!(one in ARRAY_TYPES && other in ARRAY_TYPES)) return 'mixed'
  const isHeld = (dtype: string, by: 'int64' | 'uint64') =>
    dtype === by || (by === 'int64' ? /^u?int(?:8|16|32)$/ : /^uint/).test(dtype)
  return (
    (['int64', 'uint64'] as const).find(
      (big) => (one === big || other === big) && isHeld(one, big) && isHeld(other, big),
    ) ?? 'float64'
  )
}

function scalarOf(value: StoredValue | undefined): StoredScalar['value'] | undefined {
  return value?.form === 'scalar' ? value.value : undefined
}

function textOf(value: StoredValue | undefined): string {
  if (value?.form === 'date') return new Date(value.time).toISOString()
  return String(scalarOf(value) ?? '')
}

/** Whether a missing value is NaN. */
export function isFloating(dtype: Dtype | 'mixed'): boolean {
  return /^(?:float|complex)/.test(dtype)
}

function isComplex(dtype: Dtype): dtype is ComplexDtype {
  return dtype === 'complex128' || dtype === 'complex64'
}

export function emptyArray(dtype: ArrayDtype, length: number): TypedArray {
  if (dtype === 'bool') return new Uint8Array(length)
  if (dtype === 'complex128') return new Float64Array(length)
  return dtype === 'complex64' ? new Float32Array(length) : new ARRAY_TYPES[dtype](length)
}

/** 1 for each row with a value. Undefined if all rows have one. */
export function presenceOf(count: number, has: (row: number) => boolean): Uint8Array | undefined {
  let present: Uint8Array | undefined
  for (let row = 0; row < count; row += 1) {
    if (has(row)) continue
    present ??= new Uint8Array(count).fill(1)
    present[row] = 0
  }
  return present
}

/** Reads the values of a block one by one. Integers are numbers while they are exact. */
export function cellReader(block: ColumnBlock): (row: number) => Cell {
  const { present } = block
  const read = valueReader(block)
  return present === undefined ? read : (row) => (present[row] === 1 ? read(row) : null)
}

function valueReader(block: ColumnBlock): (row: number) => Cell {
  switch (block.form) {
    case 'number': {
      const { values, dtype } = block
      if (dtype === 'int64' || dtype === 'uint64') return (row) => exact(values[row] as bigint)
      return (row) => values[row] as number
    }
    case 'bool': {
      const { values } = block
      return (row) => values[row] === 1
    }
    case 'text': {
      const { values } = block
      return (row) => values[row] ?? null
    }
    case 'complex': {
      const { values, dtype } = block
      return (row) => {
        const value = { re: values[2 * row] as number, im: values[2 * row + 1] as number }
        return { form: 'scalar', dtype, value }
      }
    }
    case 'array': {
      const { dtype, shape, values } = block
      const size = elementCount(shape) * (isComplex(dtype) ? 2 : 1)
      return (row) => ({
        form: 'ndarray',
        dtype,
        shape,
        data: values.subarray(row * size, (row + 1) * size) as TypedArray,
      })
    }
    case 'mixed': {
      const { values } = block
      return (row) => plain(values[row])
    }
  }
}

/** Single values of a language's own types as they are, and dates as texts. */
function plain(value: StoredValue | undefined): Cell {
  if (!hasValue(value)) return null
  if (value.form === 'date') return textOf(value)
  if (value.form !== 'scalar') return value
  const { value: scalar } = value
  if (typeof scalar === 'bigint') return exact(scalar)
  return typeof scalar === 'object' ? value : (scalar as Scalar)
}

/** The stored value of a row. Undefined if it has none. */
export function storedAt(block: ColumnBlock): (row: number) => StoredValue | undefined {
  if (block.form === 'mixed') return (row) => block.values[row]
  const cellOf = cellReader(block)
  const dtype = block.form === 'text' ? 'str' : block.form === 'bool' ? 'bool' : block.dtype
  return (row) => {
    const cell = cellOf(row)
    if (cell === null) return undefined
    return typeof cell === 'object' ? cell : { form: 'scalar', dtype, value: cell }
  }
}

/** A block of the same value in each row. */
export function constantBlock(value: StoredValue | undefined, count: number): ColumnBlock {
  return blockOf(Array.from({ length: count }, () => value))
}

/** These rows of a block, in this order. */
export function takeRows(block: ColumnBlock, rows: Uint32Array): ColumnBlock {
  const present = block.present && Uint8Array.from(rows, (row) => block.present?.[row] ?? 0)
  switch (block.form) {
    case 'number':
    case 'bool':
      return { ...block, present, values: taken(block.values, rows, 1) } as ColumnBlock
    case 'complex':
      return { ...block, present, values: taken(block.values, rows, 2) } as ColumnBlock
    case 'array': {
      const size = elementCount(block.shape) * (isComplex(block.dtype) ? 2 : 1)
      return { ...block, present, values: taken(block.values, rows, size) } as ColumnBlock
    }
    case 'text':
      return { ...block, present, values: Array.from(rows, (row) => block.values[row] ?? '') }
    case 'mixed':
      return { ...block, present, values: Array.from(rows, (row) => block.values[row]) }
  }
}

function taken(values: TypedArray, rows: Uint32Array, size: number): TypedArray {
  const make = values.constructor as new (length: number) => TypedArray
  const all = new make(rows.length * size)
  if (size === 1) for (let at = 0; at < rows.length; at += 1) all[at] = values[rows[at] as number] as never
  else
    for (let at = 0; at < rows.length; at += 1) {
      const start = (rows[at] as number) * size
      all.set(values.subarray(start, start + size) as never, at * size)
    }
  return all
}

/** Consecutive rows of a block, without copying numbers. */
export function sliceRows(block: ColumnBlock, start: number, end: number): ColumnBlock {
  const present = block.present?.subarray(start, end)
  switch (block.form) {
    case 'number':
    case 'bool':
      return { ...block, present, values: block.values.subarray(start, end) } as ColumnBlock
    case 'complex':
      return { ...block, present, values: block.values.subarray(2 * start, 2 * end) } as ColumnBlock
    case 'array': {
      const size = elementCount(block.shape) * (isComplex(block.dtype) ? 2 : 1)
      return { ...block, present, values: block.values.subarray(size * start, size * end) } as ColumnBlock
    }
    case 'text':
    case 'mixed':
      return { ...block, present, values: block.values.slice(start, end) } as ColumnBlock
  }
}
