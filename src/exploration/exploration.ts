/**
 * An exploration says which values the explored parameters have in each run. It is plain data, because the
 * main process, the writer and the `.cnt` file all hold it. It is evaluated point by
 * point, because a product of ten million points must not cost ten million objects.
 */
import { assertNever, PypetError } from '../errors.ts'
import type { RunIndex } from '../values/path.ts'
import type { Scalar } from '../values/stored-value.ts'
import { type Range, type RangeReader, rangeLength, rangeReader } from './range.ts'
import type { SampleRange } from './sample-range.ts'
import { type SampledColumn, type Sampling, sampleReader } from './sample-reader.ts'
import type { PoolPart } from './value-pool.ts'

/** One parameter, by its dotted name below `parameters`, and the values it takes. */
export interface Column {
  readonly name: string
  readonly range: Range
}

/** The columns of a factor advance together, so they have the same length. */
export type Factor = readonly Column[]

export type ExplorationSpec =
  /** Every combination of the factors. The last one varies fastest. */
  | { readonly kind: 'product'; readonly factors: readonly Factor[] }
  /** All columns advance together. */
  | { readonly kind: 'zip'; readonly columns: readonly Column[] }
  /** The same, written point by point. */
  | { readonly kind: 'points'; readonly columns: readonly Column[] }
  /** Explorations one after the other. All explore the same names. */
  | { readonly kind: 'concat'; readonly parts: readonly ExplorationSpec[] }
  /** Points spread over bounds. Like everything here, they are computed from their number. */
  | (Sampling & { readonly kind: 'sample'; readonly columns: readonly SampledColumn[] })
  /** Every point several times in a row. A parameter that counts from 0 distinguishes the repeats. */
  | (Repeating & { readonly of: ExplorationSpec })
  /** Some of the points, after a filter. */
  | { readonly kind: 'select'; readonly of: ExplorationSpec; readonly runs: Uint32Array }
  /** Some parameters have their default in points where a condition was false. */
  | {
      readonly kind: 'partial'
      readonly of: ExplorationSpec
      readonly columns: readonly PartialColumn[]
    }
  /** Further parameters, with values computed from the points. */
  | { readonly kind: 'derived'; readonly of: ExplorationSpec; readonly columns: readonly Column[] }
  /** Some parameters are explored with lists or arrays. `of` has their numbers, and the pools have the values. */
  | { readonly kind: 'pooled'; readonly of: ExplorationSpec; readonly pools: Pools }

/** Pools by the dotted names of the parameters. */
export type Pools = Readonly<Record<string, PoolPart>>

interface Repeating {
  readonly kind: 'repeat'
  readonly count: number
  /** The parameter that counts the repeats. */
  readonly name: string
}

/** A parameter that is explored only in some points. */
export interface PartialColumn {
  readonly name: string
  /** One bit per point, the lowest first: 1 if the parameter is explored there. */
  readonly isExplored: Uint8Array
  /** The value in the other points; the number of a list or an array. */
  readonly otherwise: Scalar
}

/**
 * An exploration as it is written in code, with functions. `settle` calls them once, when the declared parameters are
 * known, and only data remains.
 */
export type ExplorationDraft =
  | ExplorationSpec
  | { readonly kind: 'concat'; readonly parts: readonly ExplorationDraft[] }
  | (Repeating & { readonly of: ExplorationDraft })
  /** The types of the parameters decide whether numbers are whole. */
  | (Sampling & {
      readonly kind: 'sampler'
      readonly columns: readonly { readonly name: string; readonly range: SampleRange }[]
    })
  | { readonly kind: 'where'; readonly of: ExplorationDraft; readonly condition: PointFunction }
  | {
      readonly kind: 'only-if'
      readonly of: ExplorationDraft
      readonly conditions: readonly NamedFunction[]
    }
  | { readonly kind: 'derive'; readonly of: ExplorationDraft; readonly formulas: readonly NamedFunction[] }

/** A condition or formula of a point. Its result is checked where it is called. */
export interface PointFunction {
  /** Its name in messages: `explore.where`, `--where x < y`. */
  readonly where: string
  readonly call: (point: Point) => unknown
  /** The names that it reads. All by default. */
  readonly reads?: readonly string[] | undefined
}

export interface NamedFunction extends PointFunction {
  readonly name: string
}

/** The values of one point by dotted name, as a user sees them. */
export type Point = Readonly<Record<string, unknown>>

const EXPLORATION: unique symbol = Symbol.for('pypet-ts.exploration') as never
declare const EXPLORES: unique symbol

/**
 * An exploration as builders return it. `Values` tells the compiler the names it explores and their
 * types: `{ x: number; 'neuron.tau': number }`.
 */
export interface Exploration<
  Values = Readonly<Record<string, Scalar>>,
  Draft extends ExplorationDraft = ExplorationDraft,
> {
  readonly [EXPLORATION]: true
  readonly spec: Draft
  /** Never set. The names forbid unknown parameters. The partial values allow exploring only some. */
  readonly [EXPLORES]?: { readonly names: keyof Values; readonly values: Partial<Values> }
}

/** Wraps a checked spec. Called by builders. */
export function exploration<Values, Draft extends ExplorationDraft = ExplorationDraft>(
  spec: Draft,
): Exploration<Values, Draft> {
  return Object.freeze({ [EXPLORATION]: true as const, spec })
}

export function isExploration(value: unknown): value is Exploration {
  return typeof value === 'object' && value !== null && EXPLORATION in value
}

/** The explored names: of a product in the order of its factors, otherwise in the order of declaration. */
export function explorationNames(draft: ExplorationDraft): readonly string[] {
  switch (draft.kind) {
    case 'product':
      return draft.factors.flat().map(({ name }) => name)
    case 'concat':
      return draft.parts[0] === undefined ? [] : explorationNames(draft.parts[0])
    case 'repeat':
      return [...explorationNames(draft.of), draft.name]
    case 'derived':
      return [...explorationNames(draft.of), ...draft.columns.map(({ name }) => name)]
    case 'derive':
      return [...explorationNames(draft.of), ...draft.formulas.map(({ name }) => name)]
    case 'select':
    case 'partial':
    case 'pooled':
    case 'where':
    case 'only-if':
      return explorationNames(draft.of)
    default:
      return draft.columns.map(({ name }) => name)
  }
}

/** Number of points, and so of runs. */
export function explorationLength(spec: ExplorationSpec): number {
  return evaluatorOf(spec).length
}

/**
 * Reads the value of one parameter by run. Make one reader to read many runs.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN` if the name is not explored
 */
export function explorationReader(spec: ExplorationSpec, name: string): RangeReader {
  const evaluator = evaluatorOf(spec)
  const reader = evaluator.readers.get(name)
  if (reader !== undefined) return reader
  throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${name} is not explored`, {
    where: name,
    hint: `Explored parameters: ${explorationNames(spec).join(', ')}.`,
  })
}

interface Evaluator {
  readonly length: number
  readonly readers: ReadonlyMap<string, RangeReader>
}

/** Specs are immutable data, so what is computed from one is kept outside it. */
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
      return concatEvaluator(spec.parts, explorationNames(spec))
    case 'sample':
      return sampleEvaluator(spec)
    case 'repeat':
      return repeatEvaluator(spec)
    case 'select':
      return selectEvaluator(spec)
    case 'partial':
      return partialEvaluator(spec)
    case 'derived':
      return derivedEvaluator(spec)
    case 'pooled':
      return evaluatorOf(spec.of)
    default:
      return assertNever(spec)
  }
}

/** A point is a number whose digits are the indices of the factors. The last factor is the lowest digit. */
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
  return { length, readers }
}

function factorLength(factor: Factor): number {
  const [column] = factor
  return column === undefined ? 1 : rangeLength(column.range)
}

function concatEvaluator(parts: readonly ExplorationSpec[], names: readonly string[]): Evaluator {
  const evaluated = parts.map(evaluatorOf)
  const starts: number[] = []
  let length = 0
  for (const part of evaluated) {
    starts.push(length)
    length += part.length
  }
  const readers = new Map<string, RangeReader>()
  for (const name of names) {
    const partReaders = evaluated.map((part) => part.readers.get(name) as RangeReader)
    readers.set(name, (run) => {
      const part = partAt(starts, run)
      return (partReaders[part] as RangeReader)(run - (starts[part] as number))
    })
  }
  return { length, readers }
}

/** The last part that starts at or before the run, by bisection. An evolution may concatenate thousands of parts. */
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

type Spec<Kind extends ExplorationSpec['kind']> = Extract<ExplorationSpec, { readonly kind: Kind }>

function sampleEvaluator(spec: Spec<'sample'>): Evaluator {
  const readers = spec.columns.map((column, dimension) => [
    column.name,
    sampleReader(spec, column, dimension),
  ])
  return { length: spec.count, readers: new Map(readers as [string, RangeReader][]) }
}

function repeatEvaluator({ of, count, name }: Spec<'repeat'>): Evaluator {
  const { length, readers } = evaluatorOf(of)
  const repeated = mapped(readers, (read) => (run) => read(Math.floor(run / count)))
  return { length: length * count, readers: repeated.set(name, (run) => run % count) }
}

function selectEvaluator({ of, runs }: Spec<'select'>): Evaluator {
  const { readers } = evaluatorOf(of)
  return { length: runs.length, readers: mapped(readers, (read) => (run) => read(runs[run] as number)) }
}

function partialEvaluator({ of, columns }: Spec<'partial'>): Evaluator {
  const { length, readers } = evaluatorOf(of)
  const partial = new Map(readers)
  for (const { name, isExplored, otherwise } of columns) {
    const read = readers.get(name) as RangeReader
    partial.set(name, (run) => (isSet(isExplored, run) ? read(run) : otherwise))
  }
  return { length, readers: partial }
}

function isSet(bits: Uint8Array, index: number): boolean {
  return (((bits[index >>> 3] as number) >>> (index & 7)) & 1) === 1
}

function derivedEvaluator({ of, columns }: Spec<'derived'>): Evaluator {
  const { length, readers } = evaluatorOf(of)
  const derived = new Map(readers)
  for (const { name, range } of columns) derived.set(name, rangeReader(range))
  return { length, readers: derived }
}

function mapped(
  readers: ReadonlyMap<string, RangeReader>,
  change: (read: RangeReader) => RangeReader,
): Map<string, RangeReader> {
  return new Map([...readers].map(([name, read]) => [name, change(read)]))
}
