/** Turns text from the command line into a value, by the type of its parameter. */
import { assertNever, PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { cutText } from '../values/cut-text.ts'
import {
  type Complex,
  dtypeOf,
  isBasic,
  type Scalar,
  type StoredValue,
  typeName,
} from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { type StorableValue, toStoredValue } from '../values/value.ts'
import { dateFromText, storedLike } from './explored-object.ts'
import { arrayFromJson, listFromJson } from './value-from-json.ts'

export interface TextOptions {
  /** The text was in quotes, so it is a string and not a number. */
  readonly isQuoted?: boolean
}

/**
 * The value that the text means for this parameter, as a job sees it. `10` is 10 for a float64 and for an
 * `integer`, 10n if the default is a bigint, `'10'` for a str. Lists and arrays are in JSON.
 *
 * @param where names the text in messages, like `--set neuron.tau=ten`
 * @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_VALUE_UNSUPPORTED` for text that cannot be stored
 */
export function valueFromText(
  text: string,
  parameter: Parameter,
  where: string,
  options: TextOptions = {},
): StorableValue {
  return userValue(storedFromText(text, parameter, where, options)) as StorableValue
}

/**
 * The parameter with the value of the text, in the same stored type. `--set` uses it.
 *
 * @throws PypetError like `valueFromText`
 */
export function presetFromText(parameter: Parameter, text: string, where: string): Parameter {
  const stored = storedFromText(text, parameter, where, {})
  return { ...parameter, value: userValue(stored), stored }
}

/**
 * The stored value of the text, for a parameter whose values are in a pool: lists and arrays in JSON, dates in ISO 8601,
 * complex numbers as `1+2i`.
 *
 * @throws PypetError like `valueFromText`
 */
export function objectFromText(
  text: string,
  parameter: Parameter,
  where: string,
  options: TextOptions = {},
): StoredValue {
  if (options.isQuoted === true && parameter.stored.form !== 'date')
    throw notOfType(JSON.stringify(text), parameter, where)
  return storedFromText(text, parameter, where, options)
}

/** A number as people and Python write it: `1`, `-.5`, `1e-3`, `inf`, `nan`. Undefined for anything else and for `1e400`. */
export function floatFromText(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : undefined
  }
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special === null) return undefined
  if (special[2]?.toLowerCase() === 'nan') return Number.NaN
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

function storedFromText(
  text: string,
  parameter: Parameter,
  where: string,
  options: TextOptions,
): StoredValue {
  const { stored } = parameter
  if (!isBasic(stored)) {
    const value = otherFromText(text.trim(), stored)
    if (value === undefined) throw notOfType(JSON.stringify(text), parameter, where)
    return value
  }
  switch (stored.form) {
    case 'scalar':
      return { form: 'scalar', dtype: stored.dtype, value: scalarFromText(text, parameter, where, options) }
    case 'list': {
      const list = listFromJson(text, stored, (found) => notOfType(found, parameter, where))
      // JSON can escape characters that a file cannot store.
      if (list.dtype === 'str') toStoredValue(list.values, where)
      return list
    }
    case 'ndarray':
      return arrayFromJson(text, stored, (found) => notOfType(found, parameter, where))
    default:
      return assertNever(stored)
  }
}

/** Dates and complex numbers; undefined for values without a text form. */
function otherFromText(text: string, like: StoredValue): StoredValue | undefined {
  if (like.form === 'date') return dateFromText(text)
  if (like.form !== 'scalar') return undefined
  if (!like.dtype.startsWith('complex')) {
    const number = floatFromText(text)
    return number === undefined ? undefined : storedLike(toStoredValue(number, like.dtype), like)
  }
  const value = complexFromText(text)
  return value === undefined ? undefined : { form: 'scalar', dtype: like.dtype, value }
}

/** `1+2i`, `-0.5e3j`, `i`, `3`, also in brackets as Python writes it. */
function complexFromText(text: string): Complex | undefined {
  const inner = text.replace(/^\((.*)\)$/, '$1').replaceAll(' ', '')
  const real = floatFromText(inner)
  if (real !== undefined) return { re: real, im: 0 }
  const parts = COMPLEX.exec(inner)
  if (parts === null) return undefined
  const [, re = '0', im = ''] = parts
  const imaginary = /^[+-]?$/.test(im) ? Number(`${im}1`) : floatFromText(im)
  return imaginary === undefined ? undefined : { re: Number(re), im: imaginary }
}

/** The real part ends at the sign of the imaginary part. */
const COMPLEX = /^(?:([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?=[+-]))?(.*)[ij]$/i

function scalarFromText(text: string, parameter: Parameter, where: string, options: TextOptions): Scalar {
  if (dtypeOf(parameter.stored) === 'str') {
    toStoredValue(text, where)
    return text
  }
  const value = options.isQuoted ? undefined : unquotedFromText(text.trim(), parameter)
  if (value === undefined) throw notOfType(JSON.stringify(text), parameter, where, rangeHint(text, parameter))
  return value
}

/** For valid numbers that are too large. */
function rangeHint(text: string, { stored, value }: Parameter): string | undefined {
  const number = Number(text.trim().replace(/n$/, '') || 'x')
  if (dtypeOf(stored) === 'float64') {
    return Number.isFinite(number) || Number.isNaN(number) || !/\d/.test(text)
      ? undefined
      : `The largest number is ${Number.MAX_VALUE}; write inf for infinity.`
  }
  if (dtypeOf(stored) !== 'int64' || !/^\s*[+-]?\d+n?\s*$/.test(text)) return undefined
  if (typeof value === 'bigint') return `Write one from ${-(2n ** 63n)} to ${2n ** 63n - 1n}.`
  return `Write one up to ${Number.MAX_SAFE_INTEGER}. For values up to ${2n ** 63n - 1n}, declare a bigint in the job, like 3n.`
}

function unquotedFromText(text: string, parameter: Parameter): Scalar | undefined {
  switch (dtypeOf(parameter.stored)) {
    case 'bool':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined
    case 'int64':
      return typeof parameter.value === 'bigint' ? bigintFromText(text) : integerFromText(text)
    default:
      return floatFromText(text)
  }
}

function integerFromText(text: string): number | undefined {
  const value = floatFromText(text)
  // Adding 0 turns -0, which is not an integer, into 0.
  return Number.isSafeInteger(value) ? (value as number) + 0 : undefined
}

function bigintFromText(text: string): bigint | undefined {
  if (!/^[+-]?\d+n?$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+|n$/g, ''))
  return BigInt.asIntN(64, value) === value ? value : undefined
}

function notOfType(found: string, parameter: Parameter, where: string, hint?: string): PypetError {
  const expected = expectedText(parameter)
  return new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${where}: ${parameter.name} is ${expected.article} ${typeName(parameter.stored)}, found ${cutText(found, 60)}`,
    { where, hint: hint ?? expected.hint },
  )
}

function expectedText({ stored, value }: Parameter): { article: string; hint: string } {
  if (stored.form === 'list')
    return { article: 'a', hint: 'Write a list in JSON, like [1, 2, 3] or ["a", "b"].' }
  if (stored.form === 'ndarray') {
    return { article: 'a', hint: 'Write the array in JSON, like [1, 2, 3] or [[1, 2], [3, 4]].' }
  }
  if (stored.form === 'date')
    return { article: 'a', hint: 'Write a date, like 2026-01-31 or 2026-01-31T12:00:00Z.' }
  const dtype = dtypeOf(stored)
  switch (dtype) {
    case 'bool':
      return { article: 'a', hint: 'Write true or false.' }
    case 'int64':
      return {
        article: 'an',
        hint:
          typeof value === 'bigint' ? 'Write a whole number of at most 64 bits.' : 'Write a whole number.',
      }
    case 'float64':
      return { article: 'a', hint: 'Write a number, like 10, 0.5 or 1e-3.' }
    case 'str':
      return { article: 'a', hint: 'Write text.' }
    case 'complex128':
    case 'complex64':
      return { article: 'a', hint: 'Write a complex number, like 1+2i.' }
    default:
      if (dtype !== undefined && /^(u?int|float)/.test(dtype))
        return {
          article: dtype.startsWith('int') ? 'an' : 'a',
          hint: `Write a number that a ${dtype} can hold.`,
        }
      return {
        article: 'a',
        hint: 'Set it in the config file or the job: it cannot be written as text.',
      }
  }
}
