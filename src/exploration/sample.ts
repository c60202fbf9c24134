/** Explorations that spread points over bounds: random, in a Latin hypercube, or by Sobol's sequence. */
import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { assertDistinctNames, namedColumns } from './columns.ts'
import { type Exploration, type ExplorationDraft, exploration } from './exploration.ts'
import { shown } from './explored-object.ts'
import { isSampleInput, type SampleMethod, toSampleRange } from './sample-range.ts'
import type { SampledValues, SampleTree } from './sampled-values.ts'
import { SOBOL_DIMENSIONS_MAX } from './sobol-directions.ts'

export interface SampleOptions {
  /** Number of points. */
  readonly count: number
  /** A whole number from 0 to 2^53 - 1. */
  readonly seed?: number
}

export type Sampler = Extract<ExplorationDraft, { readonly kind: 'sampler' }>

/**
 * Random points: `random({ x: [0, 1], neuron: { tau: logBetween(1, 100) } }, { count: 50, seed: 7 })`.
 *
 * A draw depends on the seed, the name of the parameter and the number of the point. A larger count, another parameter
 * or another order does not change existing draws.
 *
 * @param options.seed 0 by default
 * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`, `PYPET_NAME_TAKEN`
 */
export function random<const Tree extends SampleTree>(
  bounds: Tree,
  options: SampleOptions,
): Exploration<SampledValues<Tree>> {
  return sampler('random', bounds, options)
}

/**
 * A Latin hypercube: each parameter's bounds are divided into `count` equal parts, and each part has one point. The
 * points depend on the seed, the name of the parameter and the count.
 *
 * @param options.seed 0 by default
 * @throws PypetError like `random`
 */
export function latinHypercube<const Tree extends SampleTree>(
  bounds: Tree,
  options: SampleOptions,
): Exploration<SampledValues<Tree>> {
  return sampler('latinHypercube', bounds, options)
}

/**
 * The first points of Sobol's sequence, which fill the space evenly for any count. A larger count adds points
 * to those of a smaller one. Powers of two are the most even. The first parameter has the first dimension, and so on.
 *
 * @param options.seed flips the same bits in every point of a parameter (a digital shift). The points differ but are as
 *   even. Without a seed, the plain sequence starts at the lower bounds
 * @throws PypetError like `random`; `PYPET_EXPLORATION_INVALID` for more than 40 parameters
 */
export function sobol<const Tree extends SampleTree>(
  bounds: Tree,
  options: SampleOptions,
): Exploration<SampledValues<Tree>> {
  return sampler('sobol', bounds, options)
}

function sampler<Values>(method: SampleMethod, bounds: unknown, options: unknown): Exploration<Values> {
  const columns = namedColumns(bounds, 'explore', {
    noun: 'bounds',
    isInput: isSampleInput,
    read: (entry, _, path) => toSampleRange(entry, path),
  })
  return exploration(samplerOf(method, columns, sampleOptions(options, 'explore'), 'explore'))
}

/** A checked sampler. @throws PypetError like `sobol` */
export function samplerOf(
  method: SampleMethod,
  columns: Sampler['columns'],
  { count, seed }: SampleOptions,
  where: string,
): Sampler {
  assertDistinctNames(columns, where)
  if (method === 'sobol' && columns.length > SOBOL_DIMENSIONS_MAX) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where} samples ${columns.length} parameters; Sobol sampling supports at most ${SOBOL_DIMENSIONS_MAX}`,
      { where, hint: 'Use a Latin hypercube, or fewer parameters.' },
    )
  }
  return { kind: 'sampler', method, count, seed: method === 'sobol' ? seed : (seed ?? 0), columns }
}

/** The file counts runs in 32 bits. */
const COUNT_MAX = 2 ** 31 - 1

/**
 * Checks count and seed. Refuses other keys.
 *
 * @param placeOf where messages locate one of them
 * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`
 */
export function sampleOptions(
  options: unknown,
  where: string,
  placeOf: (key: string) => string = (key) => `${where}.${key}`,
): SampleOptions {
  const given = isPlainObject(options) ? options : {}
  const unknown = Object.keys(given).find((key) => key !== 'count' && key !== 'seed')
  if (unknown !== undefined) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: a sampler has no option ${unknown}`, {
      where: placeOf(unknown),
      hint: nearestHint(unknown, ['count', 'seed']),
    })
  }
  const { count, seed } = given
  if (count === 0) {
    throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where}: a count of 0 gives no points`, {
      where: placeOf('count'),
      hint: 'Ask for at least one.',
    })
  }
  if (!isWhole(count, COUNT_MAX) || count < 1) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: count is ${found(count)}`, {
      where: placeOf('count'),
      hint: 'Give a whole number of points, like { count: 100 }.',
    })
  }
  if (seed === undefined) return { count }
  if (isWhole(seed, Number.MAX_SAFE_INTEGER)) return { count, seed }
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: seed is ${found(seed)}`, {
    where: placeOf('seed'),
    hint: 'Give a whole number from 0 to 2^53 - 1.',
  })
}

function isWhole(value: unknown, maximum: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= maximum
}

function found(value: unknown): string {
  return value === undefined ? 'not given' : shown(value)
}
