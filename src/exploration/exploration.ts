/**
 * An exploration: which values the explored parameters take in which run. It is plain data, because the
 * main process, the writer and the file that continues an experiment all hold it; it is evaluated point by
 * point, because a product of ten million points must not cost ten million objects.
 */
import { assertNever, PypetError } from '../errors.ts'
import type { RunIndex } from '../trajectory/path.ts'
import type { Scalar } from '../trajectory/stored-value.ts'
import { type Range, type RangeReader, rangeLength, rangeReader } from './range.ts'

/** One parameter, by its dotted name below `parameters`, and the values it takes. */
export interface Column {
  readonly name: string
  readonly range: Range
}

/** The columns of a factor advance together, so they are of one length. */
export type Factor = readonly Column[]

export type ExplorationSpec =
  /** Every combination of the factors; the last one varies fastest. */
  | { readonly kind: 'product'; readonly factors: readonly Factor[] }
  /** All columns advance together. */
  | { readonly kind: 'zip'; readonly columns: readonly Column[] }
  /** The same, written down point by point. */
  | { readonly kind: 'points'; readonly columns: readonly Column[] }
  /** One exploration after the other; all explore the same names. */
  | { readonly kind: 'concat'; readonly parts: readonly ExplorationSpec[] }

/** The values of one point by dotted name. */
export type Point = Readonly<Record<string, Scalar>>

const EXPLORATION: unique symbol = Symbol.for('pypet-ts.exploration') as never
declare const EXPLORES: unique symbol

/**
 * An exploration as builders return it. `Values` tells the compiler which names it explores with which
 * types: `{ x: number; 'neuron.tau': number }`.
 */
export interface Exploration<Values = Readonly<Record<string, Scalar>>> {
  readonly [EXPLORATION]: true
  readonly spec: ExplorationSpec
  /** Never set. The names forbid unknown parameters, the partial values allow exploring only some. */
  readonly [EXPLORES]?: { readonly names: keyof Values; readonly values: Partial<Values> }
}

/** Wraps a checked spec; builders call it. */
export function exploration<Values>(spec: ExplorationSpec): Exploration<Values> {
  return Object.freeze({ [EXPLORATION]: true as const, spec })
}

export function isExploration(value: unknown): value is Exploration {
  return typeof value === 'object' && value !== null && EXPLORATION in value
}

/** The explored names: a product's in the order of its factors, else in the order of declaration. */
export function explorationNames(spec: ExplorationSpec): readonly string[] {
  return evaluatorOf(spec).names
}

/** How many points, and so runs, the exploration has. */
export function explorationLength(spec: ExplorationSpec): number {
  return evaluatorOf(spec).length
}

/**
 * Reads the value of one parameter by run. To read many runs, make one.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN` when the name is not explored
 */
export function explorationReader(spec: ExplorationSpec, name: string): RangeReader {
  const evaluator = evaluatorOf(spec)
  const reader = evaluator.readers.get(name)
  if (reader !== undefined) return reader
  throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${name} is not explored`, {
    where: name,
    hint: `Explored are: ${evaluator.names.join(', ')}.`,
  })
}

interface Evaluator {
  readonly names: readonly string[]
  readonly length: number
  readonly readers: ReadonlyMap<string, RangeReader>
}

/** Specs are immutable and travel as data, so what is computed from one is kept beside it, not in it. */
const evaluators = new WeakMap<ExplorationSpec, Evaluator>()

function evaluatorOf(spec: ExplorationSpec): Evaluator {
  let evaluator = evaluators.get(spec)
  if (evaluator === undefined) {
    evaluator = makeEvaluator(spec)
    evaluators.set(spec, evaluator)
  }
  return evaluator
}

function makeEvaluator(spec: ExplorationSpec): Evaluator {
  switch (spec.kind) {
    case 'product':
      return productEvaluator(spec.factors)
    case 'zip':
    case 'points':
      return productEvaluator([spec.columns])
    case 'concat':
      return concatEvaluator(spec.parts)
    default:
      return assertNever(spec)
  }
}

/** A point is a number whose digits are the factors' indices, the last factor being the lowest digit. */
function productEvaluator(factors: readonly Factor[]): Evaluator {
  const readers = new Map<string, RangeReader>()
  let stride = factors.reduce((product, factor) => product * factorLength(factor), 1)
  const length = stride
  for (const factor of factors) {
    const digitCount = factorLength(factor)
    stride /= digitCount
    const digitStride = stride
    for (const { name, range } of factor) {
      const read = rangeReader(range)
      readers.set(name, (run) => read(Math.floor(run / digitStride) % digitCount))
    }
  }
  return { names: [...readers.keys()], length, readers }
}

function factorLength(factor: Factor): number {
  const [column] = factor
  return column === undefined ? 1 : rangeLength(column.range)
}

function concatEvaluator(parts: readonly ExplorationSpec[]): Evaluator {
  const evaluated = parts.map(evaluatorOf)
  const starts: number[] = []
  let length = 0
  for (const part of evaluated) {
    starts.push(length)
    length += part.length
  }
  const names = evaluated[0]?.names ?? []
  const readers = new Map<string, RangeReader>()
  for (const name of names) {
    const partReaders = evaluated.map((part) => part.readers.get(name) as RangeReader)
    readers.set(name, (run) => {
      const part = partAt(starts, run)
      return (partReaders[part] as RangeReader)(run - (starts[part] as number))
    })
  }
  return { names, length, readers }
}

/** The last part that starts at or before the run, by bisection: an evolution may concatenate thousands. */
function partAt(starts: readonly number[], run: RunIndex): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] as number) <= run) low = middle
    else high = middle - 1
  }
  return low
}
