/** What a sampled parameter is drawn from: bounds, or a list to choose from. Plain data. */
import { PypetError } from '../errors.ts'
import type { ParameterValue } from '../values/value.ts'
import { isRangeInput, type Range, toRange } from './range.ts'

/** How points are spread. */
export type SampleMethod = 'random' | 'latinHypercube' | 'sobol'

/** Numbers between bounds: evenly, or so that each power of ten gets its share. */
export interface BoundedRange {
  readonly kind: 'between'
  readonly low: number
  readonly high: number
  readonly scale: 'linear' | 'log'
}

declare const CHOICES: unique symbol

/** One value of a list; `Value` is for the compiler. */
export interface ChoiceRange<Value extends ParameterValue = ParameterValue> {
  readonly kind: 'choice'
  readonly range: Range
  readonly [CHOICES]?: Value
}

export type SampleRange = BoundedRange | ChoiceRange

/**
 * Numbers from `low` to `high`. A float64 parameter gets any number below `high`, an int64 one whole numbers, both
 * bounds among them. In samplers `[low, high]` means the same.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`
 */
export function between(low: number, high: number): BoundedRange {
  return bounded(low, high, 'linear', `between(${low}, ${high})`)
}

/**
 * The same on a logarithmic scale: as many between 1 and 10 as between 10 and 100.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`
 */
export function logBetween(low: number, high: number): BoundedRange {
  return bounded(low, high, 'log', `logBetween(${low}, ${high})`)
}

/**
 * One of the values, each as likely.
 *
 * @throws PypetError `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`, `PYPET_PARAMETER_TYPE`
 */
export function choice<const Value extends ParameterValue>(values: readonly Value[]): ChoiceRange<Value> {
  return { kind: 'choice', range: toRange(values, 'choice') }
}

/** True for what `toSampleRange` takes; anything else may be a group. */
export function isSampleInput(value: unknown): boolean {
  return isRangeInput(value) || isSampleRange(value)
}

function isSampleRange(value: unknown): value is SampleRange {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'between' || value.kind === 'choice')
  )
}

/**
 * What a user wrote for a sampled parameter. Two numbers are bounds; texts and booleans are a list to choose from;
 * `arange` and its like as well.
 *
 * @param where names it in messages, like `explore.neuron.tau`
 * @throws PypetError as `between` and `toRange`
 */
export function toSampleRange(input: unknown, where: string): SampleRange {
  if (isSampleRange(input)) {
    return input.kind === 'between' ? bounded(input.low, input.high, input.scale, where) : input
  }
  if (Array.isArray(input) && input.some(isNumber)) return boundsFrom(input, where)
  return { kind: 'choice', range: toRange(input, where) }
}

function boundsFrom(list: readonly unknown[], where: string): BoundedRange {
  const [low, high] = list
  if (list.length === 2 && isNumber(low) && isNumber(high)) {
    return bounded(Number(low), Number(high), 'linear', where)
  }
  throw new PypetError(
    'PYPET_EXPLORATION_INVALID',
    `${where}: bounds are two numbers, found a list of ${list.length}`,
    { where, hint: 'Write [low, high], or choice([1, 2, 3]) to choose from a list.' },
  )
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Checked bounds. */
export function bounded(low: number, high: number, scale: 'linear' | 'log', where: string): BoundedRange {
  const refuse = (found: string, hint: string) =>
    new PypetError('PYPET_EXPLORATION_INVALID', `${where}: ${found}`, { where, hint })
  if (!(Number.isFinite(low) && Number.isFinite(high) && Number.isFinite(high - low))) {
    throw refuse(`${low} and ${high} are not bounds: both must be finite`, 'Give finite numbers.')
  }
  if (low >= high) {
    const hint = low > high ? `Turn them around: ${high} and ${low}.` : 'Give one value with --set, or two.'
    throw refuse(`the lower bound ${low} is not below the upper bound ${high}`, hint)
  }
  if (scale === 'log' && low <= 0) {
    throw refuse(
      `a logarithmic scale has no ${low}`,
      'Let the lower bound be above 0, or take a linear scale.',
    )
  }
  return { kind: 'between', low, high, scale }
}
