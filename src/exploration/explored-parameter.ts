/** Checks the range of an explored parameter against the declared parameter. */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { dtypeOf, isBasicDtype, type Scalar, typeName } from '../values/stored-value.ts'
import { toStoredValue } from '../values/value.ts'
import { type ExploredValue, isPooled, objectLike, shown } from './explored-object.ts'
import { type Range, rangeLength, rangeReader } from './range.ts'
import type { BoundedRange } from './sample-range.ts'
import { withoutInstances } from './settle-range.ts'
import { pooledTypeName } from './value-pool.ts'

/**
 * The parameter with this name.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN` with the nearest name as the hint
 */
export function requireParameter(parameters: readonly Parameter[], name: string, where: string): Parameter {
  const parameter = parameters.find((candidate) => candidate.name === name)
  if (parameter !== undefined) return parameter
  const names = parameters.map((candidate) => candidate.name)
  const inGroup = names.filter((candidate) => candidate.startsWith(`${name}.`))
  if (inGroup.length > 0) {
    throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${where}: ${name} is a group, not a parameter`, {
      where,
      hint: `It holds: ${listed(inGroup)}.`,
    })
  }
  throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${where}: there is no parameter ${name}`, {
    where,
    hint: nearestHint(
      name,
      names,
      names.length === 0 ? 'The experiment declares no parameters.' : `Available: ${listed(names)}.`,
    ),
  })
}

/**
 * Checks that the values of the range have the type of the parameter's default, like pypet. Takes
 * at most linear time.
 *
 * @param at names the value at an index in messages, like `explore.neuron.tau[3]`
 * @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_VALUE_UNSUPPORTED` for text that cannot be stored
 */
export function checkRange(given: Range, parameter: Parameter, at: (index: number) => string): void {
  const range = withoutInstances(given, parameter, at)
  if (isPooled(parameter)) {
    checkObjects(range, parameter, at)
    return
  }
  assertScalar(parameter, at(0))
  if (range.kind === 'numbers') throw otherType('a list or an array', parameter, at(0))
  if (range.kind !== 'values' && range.kind !== 'objects') {
    checkGeneratedRange(range, parameter, at)
    return
  }
  const { values } = range
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as ExploredValue
    if (typeof value === 'object') throw otherType(`a ${pooledTypeName(value)}`, parameter, at(index))
    if (!isSameType(value, parameter)) throw otherType(shown(value), parameter, at(index))
    if (typeof value === 'string') toStoredValue(value, at(index))
  }
}

/** Checks lists and arrays that have no numbers yet. The others were checked before. */
function checkObjects(range: Range, parameter: Parameter, at: (index: number) => string): void {
  if (range.kind === 'numbers') return
  if (range.kind === 'objects') {
    for (const [index, value] of range.values.entries())
      objectLike(value as ExploredValue, parameter, parameter.name, at(index))
    return
  }
  objectLike(rangeReader(range)(0), parameter, parameter.name, at(0))
}

/** Data files have no bigints. Their whole numbers and strings of digits become bigints if the default is one. */
export function typedRange(range: Range, parameter: Parameter): Range {
  if (typeof parameter.value !== 'bigint' || range.kind !== 'values' || !Array.isArray(range.values))
    return range
  return { kind: 'values', values: range.values.map(toBigint) }
}

function toBigint(value: Scalar): Scalar {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  return typeof value === 'string' && /^[+-]?\d+$/.test(value) ? BigInt(value.replace('+', '')) : value
}

/**
 * Checks that numbers between the bounds are valid values of the parameter.
 *
 * @returns true if only whole numbers are valid
 * @throws PypetError `PYPET_PARAMETER_TYPE`
 */
export function checkBounds({ low, high }: BoundedRange, parameter: Parameter, where: string): boolean {
  if (!isPooled(parameter)) assertScalar(parameter, where)
  const dtype = isPooled(parameter) ? undefined : dtypeOf(parameter.stored)
  if (dtype === 'float64') return false
  if (dtype !== 'int64') {
    throw new PypetError(
      'PYPET_PARAMETER_TYPE',
      `${where}: ${parameter.name} is a ${typeName(parameter.stored)}, but bounds need a number`,
      { where, hint: 'Give a list to choose from.' },
    )
  }
  const isWhole =
    Number.isSafeInteger(low) && Number.isSafeInteger(high) && Number.isSafeInteger(high - low + 1)
  if (isWhole) return true
  throw new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${where}: ${parameter.name} is an int64, but ${low} and ${high} are not both whole numbers`,
    { where, hint: 'Give whole numbers, or declare the default without integer().' },
  )
}

/** Other single values, such as dates and complex numbers, have no ranges. */
function assertScalar(parameter: Parameter, where: string): void {
  if (parameter.stored.form === 'scalar' && isBasicDtype(parameter.stored.dtype)) return
  throw new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${where}: ${parameter.name} is a ${typeName(parameter.stored)}, which cannot be explored`,
    { where, hint: 'Explore an index and look up the value in the job.' },
  )
}

function isSameType(value: Scalar, parameter: Parameter): boolean {
  switch (dtypeOf(parameter.stored)) {
    case 'float64':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'str':
      return typeof value === 'string'
    case 'int64':
      if (typeof parameter.value === 'bigint') {
        return typeof value === 'bigint' && BigInt.asIntN(64, value) === value
      }
      return Number.isSafeInteger(value)
    default:
      return false
  }
}

function checkGeneratedRange(range: Range, parameter: Parameter, at: (index: number) => string): void {
  const read = rangeReader(range)
  const dtype = dtypeOf(parameter.stored)
  if (dtype === 'float64') return
  if (dtype !== 'int64') throw otherType(shown(read(0)), parameter, at(0))
  const last = rangeLength(range) - 1
  // With whole steps between whole ends, all values between are whole, however long the range is.
  const isChecked = hasWholeSteps(range) && Number.isSafeInteger(read(0)) && Number.isSafeInteger(read(last))
  if (isChecked) return
  // So many values without whole steps are whole only if they are all equal, or too large for doubles with fractions.
  if (last >= UNEVEN_VALUES_MAX) {
    throw new PypetError(
      'PYPET_PARAMETER_TYPE',
      `${at(last)}: ${parameter.name} is an int64, but ${last + 1} values of ${range.kind} are not a whole number apart`,
      { where: at(last), hint: 'Use a whole number as the step, or list the values.' },
    )
  }
  for (let index = 0; index <= last; index += 1) {
    if (!Number.isSafeInteger(read(index))) throw otherType(shown(read(index)), parameter, at(index))
  }
}

/** Ranges up to this length are checked value by value. */
const UNEVEN_VALUES_MAX = 1_000_000

function hasWholeSteps(range: Range): boolean {
  if (range.kind === 'arange') return Number.isSafeInteger(range.step)
  return (
    range.kind === 'linspace' && Number.isSafeInteger((range.stop - range.start) / Math.max(1, range.num - 1))
  )
}

function otherType(found: string, parameter: Parameter, where: string): PypetError {
  const declared = declaredType(parameter)
  return new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${where}: ${parameter.name} is ${declared.name} (default ${shown(parameter.value)}), found ${found}`,
    { where, hint: declared.hint },
  )
}

function declaredType(parameter: Parameter): { name: string; hint: string } {
  switch (dtypeOf(parameter.stored)) {
    case 'float64':
      return { name: 'a float64', hint: 'Give numbers.' }
    case 'bool':
      return { name: 'a bool', hint: 'Give true and false.' }
    case 'str':
      return { name: 'a str', hint: 'Give strings.' }
    default:
      return typeof parameter.value === 'bigint'
        ? { name: 'an int64', hint: 'Give bigints of at most 64 bits, as in 3n; the default is one.' }
        : { name: 'an int64', hint: 'Give whole numbers, or declare the default without integer().' }
  }
}

/** More names would make a hint unreadable. */
const NAMES_MAX = 8

function listed(names: readonly string[]): string {
  const first = names.slice(0, NAMES_MAX).join(', ')
  return names.length > NAMES_MAX ? `${first} and ${names.length - NAMES_MAX} more` : first
}
