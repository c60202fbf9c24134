/** Gives a declared parameter another value of the same type. */
import { PypetError } from '../errors.ts'
import { storedLike } from '../exploration/explored-object.ts'
import type { Parameter } from '../run/parameter.ts'
import {
  type BasicValue,
  isBasic,
  isBasicDtype,
  type StoredArray,
  type StoredValue,
  typeName,
} from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { userValue } from '../values/user-value.ts'
import { toStoredValue } from '../values/value.ts'
import { integer } from '../values/value-forms.ts'

/**
 * The parameter with another value. Data files and flags do not have all types, so a number is converted to the
 * parameter's type if that loses nothing: an integer, a bigint, an element of a typed array.
 *
 * @param where names the value in messages
 * @throws PypetError `PYPET_PARAMETER_TYPE` with both types
 */
export function withValue(parameter: Parameter, value: unknown, where: string): Parameter {
  const given = toStoredValue(value, where)
  if (isNested(parameter.stored)) {
    const nested = convertedNested(given, parameter.stored)
    if (nested === undefined) throw typeDiffers(parameter, given, where)
    return { ...parameter, value: userValue(nested), stored: nested }
  }
  const storable = converted(given, parameter)
  if (storable === undefined) throw typeDiffers(parameter, given, where)
  const stored = toStoredValue(storable, where)
  return { ...parameter, value: seenByJob(storable, stored), stored }
}

export function isNested(stored: StoredValue): stored is StoredArray {
  return stored.form === 'ndarray' && stored.isNested === true
}

/**
 * As `withValue`, for a list of lists in JSON.
 *
 * @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_VALUE_UNSUPPORTED`
 */
export function withNestedText(parameter: Parameter, text: string, where: string): Parameter {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = text
  }
  return withValue(parameter, value, where)
}

/** The value as a storable of the parameter's type; undefined if the conversion would change it. */
function converted(given: StoredValue, parameter: Parameter): unknown {
  const { stored, value: preset } = parameter
  if (!isBasic(stored) || !isBasic(given)) {
    if (stored.form === given.form && typeName(stored) === typeName(given)) return userValue(given)
    const made = storedLike(given, stored)
    return made === undefined ? undefined : userValue(made)
  }
  switch (stored.form) {
    case 'scalar':
      return given.form === 'scalar' ? convertedScalar(given.value, stored.dtype, preset) : undefined
    case 'list': {
      if (given.form !== 'list') return undefined
      // An empty list does not say what its elements are.
      if (given.values.length === 0 || stored.values.length === 0) return given.values
      const values = given.values.map((value) => convertedScalar(value, stored.dtype, stored.values[0]))
      return values.includes(undefined) ? undefined : values
    }
    case 'ndarray':
      return convertedArray(given, stored)
  }
}

function convertedScalar(value: unknown, dtype: string, preset: unknown): unknown {
  switch (dtype) {
    case 'float64':
      return typeof value === 'number' ? value : undefined
    case 'int64': {
      const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value)
      if (!isWhole) return undefined
      if (typeof preset === 'bigint') return BigInt(value as number | bigint)
      return Number.isSafeInteger(Number(value)) ? integer(Number(value)) : undefined
    }
    case 'bool':
      return typeof value === 'boolean' ? value : undefined
    default:
      return typeof value === 'string' ? value : undefined
  }
}

function convertedArray(given: BasicValue, stored: BasicValue & { readonly form: 'ndarray' }): unknown {
  if (given.form === 'scalar') return undefined
  const shape = given.form === 'ndarray' ? given.shape : [given.values.length]
  if (given.form === 'ndarray' && given.dtype === stored.dtype) return { data: given.data, shape }
  const elements: readonly unknown[] =
    given.form === 'ndarray' ? [...(given.data as Iterable<unknown>)] : given.values
  const isBigint = stored.dtype === 'int64' || stored.dtype === 'uint64'
  const numbers = elements.map((element) =>
    convertedScalar(element, isBigint ? 'int64' : 'float64', isBigint ? 0n : 0),
  )
  if (numbers.includes(undefined)) return undefined
  const data = (stored.data.constructor as unknown as { from(values: readonly unknown[]): TypedArray }).from(
    numbers,
  )
  // A typed array of integers wraps or cuts what does not fit; float32 rounds intentionally.
  const isExact =
    stored.dtype === 'float32' || numbers.every((number, index) => Object.is(data[index], number))
  return isExact ? { data, shape } : undefined
}

/** A list of lists, of any shape. */
function convertedNested(given: StoredValue, stored: StoredArray): StoredArray | undefined {
  if (given.form !== 'ndarray' || given.shape.length < 2) return undefined
  const array = isBasic(stored) && isBasic(given) ? convertedArray(given, stored) : undefined
  if (array !== undefined) return { ...stored, ...(array as Pick<StoredArray, 'data' | 'shape'>) }
  const { dtype, data, shape } = given
  return dtype === stored.dtype ? { ...stored, data, shape } : undefined
}

/** The job sees one dimension as the plain typed array, as declared, and integers as numbers. */
function seenByJob(storable: unknown, stored: StoredValue): unknown {
  return stored.form === 'ndarray' && stored.shape.length !== 1 ? storable : userValue(stored)
}

function typeDiffers(parameter: Parameter, given: StoredValue, where: string): PypetError {
  const expected = describeType(parameter.stored, parameter.value)
  const found = describeType(given, given.form === 'scalar' ? given.value : undefined)
  return new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${where}: expected a value of the type of ${parameter.name}, ${expected}, found ${found}`,
    { where, hint: `Give ${parameter.name} ${expected}, or declare it with another default.` },
  )
}

function describeType(stored: StoredValue, value: unknown): string {
  if (stored.form !== 'scalar' || !isBasicDtype(stored.dtype)) {
    const name = typeName(stored)
    return `${/^[aeiou](?!int)/.test(name) ? 'an' : 'a'} ${name}`
  }
  switch (stored.dtype) {
    case 'float64':
      return 'a number'
    case 'int64':
      return typeof value === 'bigint' ? 'a bigint' : 'an integer'
    case 'bool':
      return 'a boolean'
    case 'str':
      return 'a string'
  }
}
