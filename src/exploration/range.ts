/** The values of one parameter, listed or generated. Plain data that is read one value at a time. */
import { assertNever, PypetError } from '../errors.ts'
import type { Scalar } from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { type DecimalSteps, decimalStepCount, decimalStepReader } from './decimal-steps.ts'
import { type GivenValue, shown, toGiven } from './explored-object.ts'

/** Numbers by a rule. The values are computed when read, so a long range costs nothing. */
export type GeneratedRange =
  | { readonly kind: 'linspace'; readonly start: number; readonly stop: number; readonly num: number }
  | ({ readonly kind: 'arange' } & DecimalSteps)
  | {
      readonly kind: 'logspace'
      readonly start: number
      readonly stop: number
      readonly num: number
      readonly base: number
    }

/** Can be structured-cloned. JSON works if it has no bigint and no typed array. */
export type Range =
  | { readonly kind: 'values'; readonly values: readonly Scalar[] | TypedArray }
  /** Lists and arrays as written, until `settle` numbers them. */
  | { readonly kind: 'objects'; readonly values: readonly GivenValue[] }
  /** Numbers of values in the pool of the parameter. */
  | { readonly kind: 'numbers'; readonly numbers: Uint32Array }
  | GeneratedRange

/** Reads the value at an index from 0 to the range's length (exclusive); for lists and arrays, their number in the pool. */
export type RangeReader = (index: number) => Scalar

/**
 * `num` evenly spaced numbers from `start` to `stop`, both included. The values are those of
 * `numpy.linspace`.
 *
 * `linspace(0, 1, 5)` is 0, 0.25, 0.5, 0.75, 1.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`
 */
export function linspace(start: number, stop: number, num = 50): GeneratedRange {
  const call = `linspace(${start}, ${stop}, ${num})`
  checkFinite(call, { start, stop })
  checkNum(call, num)
  return { kind: 'linspace', start, stop, num }
}

/**
 * Numbers from `start` in steps of `step`, without the stop. `arange(stop)` starts at 0.
 *
 * It counts in the decimals as written. Unlike `numpy.arange`, it has no rounding surprises:
 * `arange(0, 1, 0.1)` is exactly the ten values 0, 0.1, 0.2, 0.3, … 0.9.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` for a step of 0 or one that gives too many values to count,
 *   `PYPET_EXPLORATION_EMPTY` if the step leads away from the stop
 */
export function arange(stop: number): GeneratedRange
export function arange(start: number, stop: number, step?: number): GeneratedRange
export function arange(first: number, second?: number, step = 1): GeneratedRange {
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const call = `arange(${start}, ${stop}, ${step})`
  checkFinite(call, { start, stop, step })
  if (step === 0) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${call}: a step of 0 never reaches ${stop}`, {
      hint: 'Give a step that leads from the start to the stop.',
    })
  }
  const length = decimalStepCount(start, stop, step)
  if (!Number.isSafeInteger(length)) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${call} holds more values than can be counted`, {
      hint: 'Give a larger step.',
    })
  }
  if (length > 0) return { kind: 'arange', start, step, length }
  throw new PypetError('PYPET_EXPLORATION_EMPTY', `${call} holds no value: the stop is excluded`, {
    hint:
      start === stop
        ? 'Give a stop beyond the start.'
        : `Change the sign of the step: arange(${start}, ${stop}, ${-step}).`,
  })
}

/**
 * `base` to the power of `num` evenly spaced exponents from `start` to `stop`, both included. Equals
 * `numpy.logspace` up to the last bit of the power. Whole powers of ten are exact.
 *
 * `logspace(-3, 1, 5)` is 0.001, 0.01, 0.1, 1, 10.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`
 */
export function logspace(start: number, stop: number, num = 50, base = 10): GeneratedRange {
  const call = `logspace(${start}, ${stop}, ${num})`
  checkFinite(call, { start, stop, base })
  checkNum(call, num)
  return { kind: 'logspace', start, stop, num, base }
}

export function rangeLength(range: Range): number {
  switch (range.kind) {
    case 'values':
    case 'objects':
      return range.values.length
    case 'numbers':
      return range.numbers.length
    case 'arange':
      return range.length
    case 'linspace':
    case 'logspace':
      return range.num
    default:
      return assertNever(range)
  }
}

export function rangeReader(range: Range): RangeReader {
  switch (range.kind) {
    case 'values': {
      const { values } = range
      return (index) => values[index] as Scalar
    }
    case 'numbers': {
      const { numbers } = range
      return (index) => numbers[index] as number
    }
    case 'objects':
      throw new Error('lists and arrays are read when they have numbers')
    case 'arange':
      return decimalStepReader(range)
    case 'linspace':
      return linspaceReader(range.start, range.stop, range.num)
    case 'logspace': {
      const { base } = range
      const exponent = linspaceReader(range.start, range.stop, range.num)
      return (index) => power(base, exponent(index))
    }
    default:
      return assertNever(range)
  }
}

function isRange(value: unknown): value is Range {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    KINDS.includes(value.kind)
  )
}

const KINDS: readonly string[] = [
  'values',
  'objects',
  'numbers',
  'linspace',
  'arange',
  'logspace',
] satisfies Range['kind'][]

/** True for the input of `toRange`: a list, a typed array, or a range. Anything else may be a group. */
export function isRangeInput(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value) || isRange(value)
}

/**
 * Turns a user's list, typed array or range into a new range. Values are copied, and `integer(n)` becomes n.
 *
 * @param where names the range in messages, like `explore.neuron.tau`
 * @throws PypetError `PYPET_EXPLORATION_EMPTY`; `PYPET_EXPLORATION_INVALID` if it is not a range;
 *   `PYPET_PARAMETER_TYPE`, `PYPET_VALUE_UNSUPPORTED` for elements that cannot be explored
 */
export function toRange(input: unknown, where: string): Range {
  const values: unknown = isRange(input) && input.kind === 'values' ? input.values : input
  if (isRange(values)) return values
  if (ArrayBuffer.isView(values) && !(values instanceof DataView)) {
    const copy = (values as TypedArray).slice()
    if (copy.length === 0) throw emptyRange(where)
    return { kind: 'values', values: copy }
  }
  if (!Array.isArray(values)) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${where} is not a range: found ${shown(values)}`, {
      where,
      hint: 'Give a list of values, or linspace, arange or logspace.',
    })
  }
  if (values.length === 0) throw emptyRange(where)
  return rangeOf(Array.from(values, (value, index) => toGiven(value, `${where}[${index}]`)))
}

/** A range of these values. */
export function rangeOf(values: readonly GivenValue[]): Range {
  return values.some((value) => typeof value === 'object')
    ? { kind: 'objects', values }
    : { kind: 'values', values: values as readonly Scalar[] }
}

function emptyRange(where: string): PypetError {
  return new PypetError('PYPET_EXPLORATION_EMPTY', `${where} is empty: no value to explore`, {
    where,
    hint: 'Give at least one value, or leave the parameter out.',
  })
}

function linspaceReader(start: number, stop: number, num: number): (index: number) => number {
  const last = num - 1
  if (last === 0) return () => start
  const delta = stop - start
  const step = delta / last
  // A step that underflows to 0 would repeat the start. Like numpy, scale the index first.
  if (step === 0) return (index) => (index === last ? stop : (index / last) * delta + start)
  return (index) => (index === last ? stop : index * step + start)
}

function power(base: number, exponent: number): number {
  // `10 ** -5` is 0.000009999999999999999 in some engines. A literal is parsed to the nearest double.
  if (base === 10 && Number.isInteger(exponent)) return Number(`1e${exponent}`)
  return base ** exponent
}

function checkFinite(call: string, numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isFinite(value)) continue
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${call}: ${name} is ${shown(value)}`, {
      hint: `Give a finite number as ${name}.`,
    })
  }
}

function checkNum(call: string, num: unknown): void {
  if (num === 0) {
    throw new PypetError('PYPET_EXPLORATION_EMPTY', `${call} holds no value`, {
      hint: 'Ask for at least one.',
    })
  }
  if (Number.isSafeInteger(num) && (num as number) > 0) return
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${call}: num is ${shown(num)}`, {
    hint: 'Give a whole number of values.',
  })
}
