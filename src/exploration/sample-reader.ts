/** Computes the values of a point from its number: first a place between 0 and 1, then its value within the bounds. */
import { assertNever } from '../errors.ts'
import { permutationReader } from './keyed-permutation.ts'
import { STREAMS, uniformReader } from './philox.ts'
import { type RangeReader, rangeLength, rangeReader } from './range.ts'
import type { BoundedRange, ChoiceRange, SampleMethod } from './sample-range.ts'
import { digitalShift, sobolReader } from './sobol-sequence.ts'

/** The method of drawing points, and their number. */
export interface Sampling {
  readonly method: SampleMethod
  readonly count: number
  /** Absent for a Sobol sequence without a shift. */
  readonly seed: number | undefined
}

/** A sampled parameter whose type is known. */
export interface SampledColumn {
  readonly name: string
  readonly range: (BoundedRange & { readonly isWhole: boolean }) | ChoiceRange
}

/**
 * Reads the values of one column by point.
 *
 * @param dimension the column's place among all columns. A Sobol sequence has a rule for each
 */
export function sampleReader(sampling: Sampling, column: SampledColumn, dimension: number): RangeReader {
  const draw = drawReader(sampling, column.name, dimension)
  const { range } = column
  if (range.kind === 'choice') {
    const read = rangeReader(range.range)
    const count = rangeLength(range.range)
    return (index) => read(Math.floor(draw(index) * count))
  }
  return range.isWhole ? wholeReader(range, draw) : floatReader(range, draw)
}

/** Numbers from 0 to 1 (exclusive). */
function drawReader(
  { method, count, seed }: Sampling,
  name: string,
  dimension: number,
): (i: number) => number {
  switch (method) {
    case 'sobol':
      return sobolReader(dimension, digitalShift(seed, name))
    case 'random':
      return uniformReader({ seed: seed ?? 0, name, stream: STREAMS.uniform })
    case 'latinHypercube': {
      const cell = permutationReader(seed ?? 0, name, count)
      const jitter = uniformReader({ seed: seed ?? 0, name, stream: STREAMS.jitter })
      // The sum may be rounded up to the next cell. That matters only past the last one.
      return (index) => Math.min((cell(index) + jitter(index)) / count, BELOW_ONE)
    }
    default:
      return assertNever(method)
  }
}

const BELOW_ONE = 1 - Number.EPSILON / 2

function floatReader({ low, high, scale }: BoundedRange, draw: (index: number) => number): RangeReader {
  if (scale === 'linear') return (index) => low + draw(index) * (high - low)
  const width = logWidth(low, high)
  return (index) => Math.min(high, low * Math.exp(draw(index) * width))
}

/** Logarithms and powers of e are the same in every V8. Others depend on how it was built. */
function logWidth(low: number, high: number): number {
  const ratio = high / low
  return Number.isFinite(ratio) ? Math.log(ratio) : Math.log(high) - Math.log(low)
}

function wholeReader({ low, high, scale }: BoundedRange, draw: (index: number) => number): RangeReader {
  if (scale === 'linear') {
    const width = high - low + 1
    return (index) => Math.min(high, low + Math.floor(draw(index) * width))
  }
  const width = logWidth(low, high + 1)
  return (index) => Math.min(high, Math.floor(low * Math.exp(draw(index) * width)))
}
