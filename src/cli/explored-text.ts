/** Explored values as text for people and for programs: scalars, and lists and arrays up to a length. */
import { pooledTypeName } from '../exploration/value-pool.ts'
import { exact, receivedValue } from '../values/exact-integer.ts'
import { elementCount, type RawValue, storedOfRaw } from '../values/raw-value.ts'
import type { Scalar } from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { cellText, storedText } from './value-text.ts'

/** A longer list is less helpful than its type and shape. */
const SHOWN_ELEMENTS_MAX = 12
/** Programs receive longer lists whole. */
const JSON_ELEMENTS_MAX = 1000

/** `6`, `'text'`, `[10, 5]`, `[[1, 2], [3, 4]]`, `float64 array [1000]`. */
export function exploredText(value: unknown): string {
  if (!isRaw(value)) return cellText(value as Scalar)
  if (!isArray(value)) return storedText(storedOfRaw(value))
  const nested = nestedValue(value, SHOWN_ELEMENTS_MAX)
  return nested === undefined ? pooledTypeName(value) : nestedText(nested)
}

/** The same for a cell of a CSV table: lists as in JSON. */
export function exploredCsvText(value: unknown): string {
  if (!isRaw(value)) return String(value)
  if (!isArray(value)) return value.form === 'record' ? JSON.stringify(plainJson(value)) : exploredText(value)
  const nested = nestedValue(value, JSON_ELEMENTS_MAX)
  return nested === undefined ? pooledTypeName(value) : JSON.stringify(nested, jsonScalar)
}

/** JSON has no bigints and no NaN, so both become text. Lists stay lists; long ones are given by type and shape. */
export function exploredJson(value: unknown): unknown {
  if (!isRaw(value)) return jsonScalar('', value)
  if (!isArray(value)) return plainJson(value)
  const nested = nestedValue(value, JSON_ELEMENTS_MAX)
  return nested === undefined ? { type: pooledTypeName(value) } : nestedJson(nested)
}

function isRaw(value: unknown): value is RawValue {
  return typeof value === 'object' && value !== null
}

function isArray(value: RawValue): boolean {
  return value.form === 'list' || value.form === 'ndarray' || value.form === 'sparse'
}

/** A date as its text, a record as an object, a complex number as `{ re, im }`. */
function plainJson(value: RawValue): unknown {
  if (value.form === 'record')
    return Object.fromEntries(value.fields.map(({ name, value: field }) => [name, exploredJson(field)]))
  return JSON.parse(JSON.stringify(userValue(storedOfRaw(value)), jsonScalar))
}

type Nested = Scalar | object | readonly Nested[]

/** As nested lists; undefined if it is too long, or has no ordered elements. */
function nestedValue(value: RawValue, elementsMax: number): Nested | undefined {
  if (!('shape' in value) || value.form === 'sparse' || elementCount(value.shape) > elementsMax)
    return undefined
  const stored = receivedValue(value)
  if (stored.form === 'list') return stored.values as readonly Nested[]
  if (stored.form !== 'ndarray' || stored.dtype.startsWith('complex')) return undefined
  const elements = Array.from<unknown, Nested>(stored.data as ArrayLike<unknown>, (element) => {
    if (typeof element === 'bigint') return exact(element)
    return stored.dtype === 'bool' ? element !== 0 : (element as Scalar)
  })
  return stored.shape.reduceRight<readonly Nested[]>((inner, size) => grouped(inner, size), elements)[0]
}

function grouped(elements: readonly Nested[], size: number): readonly Nested[] {
  if (size === 0) return [[]]
  return Array.from({ length: elements.length / size }, (_, index) =>
    elements.slice(index * size, (index + 1) * size),
  )
}

function nestedText(value: Nested): string {
  if (!Array.isArray(value)) return cellText(value as Scalar)
  return `[${value.map((element) => nestedText(element)).join(', ')}]`
}

function nestedJson(value: Nested): unknown {
  return Array.isArray(value) ? value.map(nestedJson) : jsonScalar('', value)
}

function jsonScalar(_key: string, value: unknown): unknown {
  const isJson = typeof value !== 'bigint' && (typeof value !== 'number' || Number.isFinite(value))
  return isJson ? value : String(value)
}
