/**
 * Explored values without a literal in JavaScript: lists, arrays, matrices, dates, complex numbers. They have the type of
 * the default.
 */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { cutText } from '../values/cut-text.ts'
import { instanceClassName, type OwnParameter } from '../values/own-class.ts'
import { type RawValue, rawValue, storedOfRaw } from '../values/raw-value.ts'
import {
  type Dtype,
  isBasicDtype,
  type Scalar,
  type StoredList,
  type StoredScalar,
  type StoredValue,
  typeName,
} from '../values/stored-value.ts'
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from '../values/typed-array.ts'
import { toStoredParameter, toStoredValue } from '../values/value.ts'
import { isInteger } from '../values/value-forms.ts'
import { pooled, pooledTypeName } from './value-pool.ts'

/** The value of a parameter in one point. */
export type ExploredValue = Scalar | RawValue

/** The stored value of an instance of the user's own class, until its parameter is known. */
interface GivenInstance {
  readonly form: 'instance'
  readonly userClass: string
  readonly value: ExploredValue
}

export type GivenValue = ExploredValue | GivenInstance

/**
 * A user's value in the form for exploration, with its class. Values other than single ones are copied.
 *
 * @param where names the value in messages, like `explore.neuron.tau[3]`
 * @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_VALUE_UNSUPPORTED`
 */
export function toGiven(value: unknown, where: string): GivenValue {
  const userClass = instanceClassName(value)
  if (userClass === undefined) return toExplored(value, where)
  return { form: 'instance', userClass, value: ofInstance(value as OwnParameter, where) }
}

/** @throws PypetError `PYPET_PARAMETER_TYPE` for an instance of another class than the default's */
export function valueOfClass(
  given: GivenValue,
  parameter: Pick<Parameter, 'name' | 'userClass'> | undefined,
  where: string,
): ExploredValue {
  if (typeof given !== 'object' || given.form !== 'instance') return given
  const { userClass, value } = given
  if (parameter === undefined || parameter.userClass === userClass) return value
  const { name, userClass: wanted } = parameter
  throw new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${where}: ${name} is ${wanted === undefined ? 'not an instance of a class' : `an instance of ${wanted}`}, found an instance of ${userClass}`,
    { where, hint: 'Give values of the class of the default.' },
  )
}

/** Like `toGiven`, without the class. */
export function toExplored(value: unknown, where: string): ExploredValue {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'string':
      return value
    case 'object':
      if (isInteger(value)) return value.value
      return instanceClassName(value) === undefined
        ? toObject(value, where)
        : ofInstance(value as OwnParameter, where)
    default:
      throw notExplored(typeof value === 'function' ? 'a function' : String(value), where)
  }
}

function toObject(value: unknown, where: string): RawValue {
  const stored = toStoredValue(value, where)
  if (stored.form === 'scalar' || (isPooled({ stored }) && stored.form !== 'record'))
    return pooled(rawValue(stored))
  throw notExplored(stored.form === 'null' ? 'null' : `a ${stored.form}`, where)
}

/** Several values by name form a record. A record can be explored only as the value of an instance. */
function ofInstance(instance: OwnParameter, where: string): ExploredValue {
  const stored = toStoredParameter(instance, where)
  if (stored.form === 'record') return pooled(rawValue(stored))
  return toExplored(instance.store(), `${where}.store()`)
}

function notExplored(found: string, where: string): PypetError {
  return new PypetError('PYPET_PARAMETER_TYPE', `${where} cannot be explored: found ${found}`, {
    where,
    hint: 'Explore numbers, bigints, booleans, strings, dates, lists, arrays or instances of your own class. For anything else, explore an index and look up the value in the job.',
  })
}

/** Whether runs refer to the parameter's values by number, because the values have no literal in JavaScript. */
export function isPooled({ stored }: Pick<Parameter, 'stored'>): boolean {
  switch (stored.form) {
    case 'list':
    case 'ndarray':
    case 'sparse':
    case 'date':
    case 'record':
      return true
    case 'scalar':
      return isNumberOfFile(stored.dtype)
    default:
      return false
  }
}

/** Complex numbers, and Python's numbers with fewer bits. */
function isNumberOfFile(dtype: Dtype): boolean {
  return !isBasicDtype(dtype) && dtype !== 'bytes'
}

/**
 * Converts the value to the type of the default: whole numbers become integers, and lists of numbers become arrays, if
 * the default is one. As in pypet's ArrayParameter, any shape is allowed.
 *
 * @param parameter the declared parameter. If undefined, any list or array is accepted
 * @throws PypetError `PYPET_PARAMETER_TYPE`
 */
export function objectLike(
  value: ExploredValue,
  parameter: Parameter | undefined,
  name: string,
  where: string,
): RawValue {
  if (parameter === undefined) {
    if (typeof value === 'object') return value
    throw new PypetError('PYPET_PARAMETER_TYPE', `${where}: ${name} is also explored with lists or arrays`, {
      where,
      hint: 'Give values of one type.',
    })
  }
  const { stored: like } = parameter
  if (typeof value === 'object' && value.form === like.form && isPooled(parameter)) {
    if (dtypeOfRaw(value) === ('dtype' in like ? like.dtype : undefined)) return nestedLike(value, like)
  }
  const made = storedLike(typeof value === 'object' ? storedOfRaw(value) : toStoredValue(value, where), like)
  if (made !== undefined) return pooled(rawValue(made))
  throw otherObject(typeof value === 'object' ? `a ${pooledTypeName(value)}` : shown(value), parameter, where)
}

/** A matrix becomes a list of lists if the default is one. */
function nestedLike(value: RawValue, like: StoredValue): RawValue {
  if (value.form !== 'ndarray' || like.form !== 'ndarray' || value.shape.length < 2) return value
  const isNested = like.isNested === true
  return (value.isNested === true) === isNested ? value : { ...value, isNested }
}

function dtypeOfRaw(value: RawValue): string | undefined {
  if ('dtype' in value) return value.dtype
  return value.form === 'sparse' ? value.data.dtype : undefined
}

/** The value in the type of another value; undefined if the conversion would change it. */
export function storedLike(given: StoredValue, like: StoredValue): StoredValue | undefined {
  if (given.form === 'scalar') return scalarLike(given, like)
  if (given.form !== 'list') return undefined
  if (like.form === 'list') return listLike(given, like)
  return like.form === 'ndarray' && like.dtype in ARRAY_TYPES
    ? arrayLike(given, like.dtype as NumericDtype)
    : undefined
}

function scalarLike(given: StoredScalar, like: StoredValue): StoredValue | undefined {
  const { dtype, value } = given
  if (like.form === 'date') return typeof value === 'string' ? dateFromText(value) : undefined
  if (like.form !== 'scalar') return undefined
  if (dtype === like.dtype) return given
  if (like.dtype.startsWith('complex'))
    return dtype.startsWith('complex') ? { ...given, dtype: like.dtype } : undefined
  if (!(like.dtype in ARRAY_TYPES)) return undefined
  const made = arrayLike({ form: 'list', dtype, values: [value] }, like.dtype as NumericDtype)
  if (made?.form !== 'ndarray') return undefined
  // A whole number stays one, whether the default is a bigint or not.
  const [rounded] = made.data
  return { ...given, dtype: like.dtype, value: typeof rounded === 'bigint' ? value : (rounded as Scalar) }
}

/** Dates as in JSON and YAML: `2026-01-31`, `2026-01-31T12:00:00Z`. UTC without a zone. Undefined for anything else. */
export function dateFromText(text: string): StoredValue | undefined {
  const [, day, rest = ''] = /^(\d{4}-\d\d-\d\d)(?:[T ](.+))?$/.exec(text) ?? []
  // February 30 does not exist, and would become March 2.
  if (day === undefined || !isDay(day)) return undefined
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(rest)
  const time = Date.parse(rest === '' ? day : `${day}T${rest}${hasZone ? '' : 'Z'}`)
  return Number.isNaN(time) ? undefined : { form: 'date', time }
}

function isDay(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function listLike(given: StoredList, like: StoredList): StoredValue | undefined {
  if (given.values.length === 0) return { ...given, dtype: like.dtype }
  // An empty default does not tell the type of its elements.
  if (like.values.length === 0) return given
  const isWhole = given.dtype === 'float64' && given.values.every(Number.isSafeInteger)
  if (like.dtype === 'int64' && isWhole) return { ...given, dtype: 'int64' }
  const isNumber = given.dtype === 'int64' && given.values.every((value) => typeof value === 'number')
  return like.dtype === 'float64' && isNumber ? { ...given, dtype: 'float64' } : undefined
}

function arrayLike({ dtype, values }: StoredList, wanted: NumericDtype): StoredValue | undefined {
  if (values.length > 0 && dtype !== 'float64' && dtype !== 'int64') return undefined
  const data: TypedArray = new ARRAY_TYPES[wanted](values.length)
  const isWide = data instanceof BigInt64Array || data instanceof BigUint64Array
  for (const [index, value] of (values as readonly (number | bigint)[]).entries()) {
    if (isWide) {
      if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
      data[index] = BigInt(value)
      if (data[index] !== BigInt(value)) return undefined
    } else {
      data[index] = Number(value)
      // Typed arrays wrap and truncate silently. Only floats may round.
      if (!wanted.startsWith('float') && data[index] !== Number(value)) return undefined
    }
  }
  return { form: 'ndarray', dtype: wanted, shape: [values.length], data }
}

function otherObject(found: string, parameter: Parameter, where: string): PypetError {
  const { name, stored } = parameter
  const what = `${name} is ${/^[aeiou]/.test(typeName(stored)) ? 'an' : 'a'} ${typeName(stored)}`
  return new PypetError('PYPET_PARAMETER_TYPE', `${where}: ${what}, found ${found}`, {
    where,
    hint:
      (isComplexDefault(stored) ? COMPLEX_HINT : HINTS[stored.form]) ??
      'Give values of the type of the default.',
  })
}

/** The value that was found, for messages: `"text"`, `3n`, `a list of 2`. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cutText(value, 40))
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (ArrayBuffer.isView(value)) return `a ${Object.prototype.toString.call(value).slice(8, -1)}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

function isComplexDefault(stored: StoredValue): boolean {
  return stored.form === 'scalar' && stored.dtype.startsWith('complex')
}

const COMPLEX_HINT = 'Give complex numbers: { re, im }, and on the command line 1+2i.'

const HINTS: Readonly<Record<string, string>> = {
  list: 'Give a list of such lists, as in [[10, 5], [20, 5]].',
  ndarray: 'Give a list of such arrays, as in [new Float64Array([10, 5]), new Float64Array([20, 5])].',
  sparse: 'Give a list of such matrices.',
  date: 'Give dates, or strings like 2026-01-31 or 2026-01-31T12:00:00Z.',
  record: 'Give instances of the class of the default.',
}
