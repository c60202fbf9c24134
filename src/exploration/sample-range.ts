/** The values a sampled parameter is drawn from: bounds, or a list to choose from. Plain data. */
import { PypetError } from '../errors.ts'
import type { ParameterValue } from '../values/value.ts'
import { isRangeInput, type Range, toRange } from './range.ts'

/** How points are spread over the bounds. */
export type SampleMethod = 'random' | 'latinHypercube' | 'sobol'

/** Numbers between bounds: evenly spread, or with an equal share for each power of ten. */
export interface BoundedRange {
  readonly kind: 'between'
  readonly low: number
  readonly high: number
  readonly scale: 'linear' | 'log'
}

declare const CHOICES: unique symbol

/** One value of a list. `Value` is for the compiler. */
export interface ChoiceRange<Value extends ParameterValue = ParameterValue> {
  readonly kind: 'choice'
  readonly range: Range
  readonly [CHOICES]?: Value
}

export type SampleRange = BoundedRange | ChoiceRange

/**
 * Numbers from `low` to `high`. A float64 parameter gets any number below `high`. An int64 parameter gets whole numbers,
 * including both bounds. In samplers, `[low, high]` means the same.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`
 */
export function between(low: number, high: number): BoundedRange {
  return bounded(low, high, 'linear', `between(${low}, ${high})`)
}

/**
 * The same on a logarithmic scale: as many numbers between 1 and 10 as between 10 and 100.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`
 */
export function logBetween(low: number, high: number): BoundedRange {
  return bounded(low, high, 'log', `logBetween(${low}, ${high})`)
}

/**
 * One of the values, each with the same probability.
 *
 * @throws PypetError `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`, `PYPET_PARAMETER_TYPE`
 */
export function choice<const Value extends ParameterValue>(values: readonly Value[]): ChoiceRange<Value> {
  return { kind: 'choice', range: toRange(values, 'choice') }
}

/** True for the input of `toSampleRange`. Anything else may be a group. */
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
 * Turns a user's input for a sampled parameter into its range. Two numbers are bounds. Texts, booleans, `arange` and
 * similar ranges are a list to choose from.
 *
 * @param where names it in messages, like `explore.neuron.tau`
 * @throws PypetError like `between` and `toRange`
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
    const hint = low > high ? `Swap them: ${high} and ${low}.` : 'Give one value with --set, or two.'
    throw refuse(`the lower bound ${low} is not below the upper bound ${high}`, hint)
  }
  if (scale === 'log' && low <= 0) {
    throw refuse(`a logarithmic scale cannot include ${low}`, 'Use a lower bound above 0, or a linear scale.')
  }
  return { kind: 'between', low, high, scale }
}
