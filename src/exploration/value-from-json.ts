/** Lists and arrays in JSON, with the type of a default. */
import type { PypetError } from '../errors.ts'
import type { BasicValue, Scalar } from '../values/stored-value.ts'
import { ARRAY_TYPES, type NumericDtype } from '../values/typed-array.ts'
import { overflowingNumber } from './overflowing-number.ts'

type BasicList = Extract<BasicValue, { form: 'list' }>
type BasicArray = Extract<BasicValue, { form: 'ndarray' }>
/** Makes the error for what was found. */
type RefuseFound = (found: string) => PypetError

/** A flat JSON list with the default's element type. An empty default accepts lists of any one type. */
export function listFromJson(text: string, like: BasicList, refuse: RefuseFound): BasicList {
  const parsed = parseJson(text, refuse)
  if (!Array.isArray(parsed)) throw refuse(text)
  const isUntyped = like.values.length === 0 && parsed.length > 0
  const dtype = isUntyped ? JSON_DTYPES[typeof parsed[0]] : like.dtype
  if (dtype === undefined) throw refuse(JSON.stringify(parsed[0]))
  const isBigint = typeof like.values[0] === 'bigint'
  const values = parsed.map((element, index) => {
    const value = elementFromJson(element, dtype, isBigint)
    if (value === undefined) throw refuse(`${JSON.stringify(element)} at [${index}]`)
    return value
  })
  return { form: 'list', dtype, values }
}

const JSON_DTYPES: Readonly<Record<string, BasicList['dtype']>> = {
  number: 'float64',
  boolean: 'bool',
  string: 'str',
}

/** Nested JSON lists of numbers, with equal lengths at each depth, as an array with the default's dtype. */
export function arrayFromJson(text: string, like: BasicArray, refuse: RefuseFound): BasicArray {
  const parsed = parseJson(text, refuse)
  const shape = shapeOf(parsed)
  const flat: unknown[] = []
  flatten(parsed, shape, 0, flat, refuse)
  const data = new ARRAY_TYPES[like.dtype](flat.length)
  flat.forEach((element, index) => {
    if (typeof element !== 'number') throw refuse(JSON.stringify(element))
    const value = isWide(like.dtype) ? wideInteger(element) : element
    if (value === undefined) throw refuse(String(element))
    data[index] = value as number
    // Typed arrays wrap and truncate silently. Only floats may round.
    if (!like.dtype.startsWith('float') && Number(data[index]) !== element) throw refuse(String(element))
  })
  return { form: 'ndarray', dtype: like.dtype, shape, data }
}

function isWide(dtype: NumericDtype): boolean {
  return dtype === 'int64' || dtype === 'uint64'
}

function parseJson(text: string, refuse: RefuseFound): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw refuse(text === '' ? 'nothing' : text)
  }
  const tooLarge = overflowingNumber(text, parsed)
  if (tooLarge !== undefined) throw refuse(`${tooLarge.text}, which is beyond the largest number`)
  return parsed
}

function elementFromJson(element: unknown, dtype: BasicList['dtype'], isBigint: boolean): Scalar | undefined {
  switch (dtype) {
    case 'float64':
      return typeof element === 'number' ? element : undefined
    case 'int64':
      if (!Number.isSafeInteger(element)) return undefined
      return isBigint ? BigInt(element as number) : (element as number)
    case 'bool':
      return typeof element === 'boolean' ? element : undefined
    case 'str':
      return typeof element === 'string' ? element : undefined
  }
}

function wideInteger(element: number): bigint | undefined {
  return Number.isSafeInteger(element) ? BigInt(element) : undefined
}

function shapeOf(parsed: unknown): number[] {
  const shape: number[] = []
  for (let level = parsed; Array.isArray(level); level = level[0]) shape.push(level.length)
  return shape
}

function flatten(
  level: unknown,
  shape: readonly number[],
  depth: number,
  into: unknown[],
  refuse: RefuseFound,
): void {
  if (depth === shape.length) {
    into.push(level)
    return
  }
  if (!Array.isArray(level) || level.length !== shape[depth]) throw refuse('rows of unequal length')
  for (const inner of level) flatten(inner, shape, depth + 1, into, refuse)
}
