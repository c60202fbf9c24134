/** Turns the unknown data of a config file into a checked exploration. Only this file does so. */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { dtypeOf } from '../values/stored-value.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { type CombinedGroups, productSpec, zipSpec } from './cartesian.ts'
import { namedColumns } from './columns.ts'
import { concatSpec } from './concat.ts'
import { type Column, type ExplorationDraft, type ExplorationSpec, isExploration } from './exploration.ts'
import { isPooled, shown } from './explored-object.ts'
import { checkRange, requireParameter, typedRange } from './explored-parameter.ts'
import { modified } from './modifiers.ts'
import { elementsOf } from './parse-flag.ts'
import { MODIFIERS, modifiersFrom } from './parse-modifiers.ts'
import { samplerFrom } from './parse-sampler.ts'
import { pointsSpec } from './points.ts'
import { arange, isRangeInput, linspace, logspace, type Range, toRange } from './range.ts'
import { rangeFromTexts } from './range-from-text.ts'

export interface ParseExplorationOptions {
  /** Their types decide what text and numbers mean. */
  readonly parameters: readonly Parameter[]
  /** The source of the data, such as a file name. Messages start with it. */
  readonly origin: string
  /** The path of the data within the source. `explore` by default. */
  readonly where?: string
}

/**
 * Reads one of these forms:
 * - a mapping `{ x: [..], y: [..] }` of ranges of one length, like pypet's `f_explore`
 * - `{ product: {..}, combined: [..] }`, `{ zip: {..} }` or `{ points: [{..}, ..] }`
 * - `{ concat: [..] }` of any of these forms
 * - `{ sobol: {..}, count: 100, seed: 1 }`, also with `random` and `latinHypercube` (see `samplerFrom`)
 * - an exploration built by code
 *
 * `where`, `onlyIf`, `derive` and `repeat` may be added to each (see `modifiersFrom`). A range is a list,
 * `{ linspace: [start, stop, num] }`, `{ arange: [start, stop, step] }`, `{ logspace: [start, stop, num] }` or, for
 * numbers, `"0:1:0.1"`. Whole numbers and strings of digits become bigints if the parameter's default is one.
 *
 * If a parameter or group has one of these words as its name, such as `points`, the name wins.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_LENGTH`,
 *   `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`, `PYPET_NAME_TAKEN`; `where` is a path like
 *   `explore.product.neuron.tau[3]`
 */
export function parseExploration(value: unknown, options: ParseExplorationOptions): ExplorationDraft {
  try {
    return parseNode(value, options.where ?? 'explore', options.parameters)
  } catch (error) {
    if (!(error instanceof PypetError)) throw error
    throw new PypetError(error.code, `${options.origin}: ${error.message}`, {
      hint: error.hint,
      where: error.where,
    })
  }
}

const OPERATIONS = ['product', 'zip', 'points', 'concat', 'random', 'latinHypercube', 'sobol'] as const
type Operation = (typeof OPERATIONS)[number]

/** Keys that belong to one operation. */
const OWN_KEYS: { readonly [Name in Operation]?: readonly string[] } = {
  product: ['combined'],
  random: ['count', 'seed'],
  latinHypercube: ['count', 'seed'],
  sobol: ['count', 'seed'],
}

function parseNode(value: unknown, where: string, parameters: readonly Parameter[]): ExplorationDraft {
  if (isExploration(value)) return value.spec
  if (!isPlainObject(value) || isRangeInput(value)) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where} is not an exploration: found ${described(value)}`,
      {
        where,
        hint: 'Write ranges by parameter name, or one of { product }, { zip }, { points }, { concat }, { sobol }.',
      },
    )
  }
  const operation = operationOf(value, where, parameters)
  if (operation === undefined) {
    assertNoModifier(value, where, parameters)
    return zipSpec(columnsFrom(value, where, parameters), where)
  }
  const draft = parseOperation(operation, value, where, parameters)
  return modified(draft, modifiersFrom(value, where), parameters)
}

function parseOperation(
  operation: Operation,
  value: Readonly<Record<string, unknown>>,
  where: string,
  parameters: readonly Parameter[],
): ExplorationDraft {
  const inner = value[operation]
  const path = `${where}.${operation}`
  switch (operation) {
    case 'product':
      return productSpec(columnsFrom(inner, path, parameters), combinedFrom(value.combined, where), path)
    case 'zip':
      return zipSpec(columnsFrom(inner, path, parameters), path)
    case 'points':
      return typedPoints(pointsSpec(inner, path), path, parameters)
    case 'concat':
      return concatSpec(
        listOf(inner, path).map((part, index) => parseNode(part, `${path}[${index}]`, parameters)),
        path,
      )
    case 'random':
    case 'latinHypercube':
    case 'sobol': {
      const isNamed = (name: string) => isDeclared(name, parameters)
      return samplerFrom(operation, inner, value, { where, parameters, isDeclared: isNamed })
    }
  }
}

/** Among ranges by name, `where` would be a parameter. */
function assertNoModifier(
  value: Readonly<Record<string, unknown>>,
  where: string,
  parameters: readonly Parameter[],
): void {
  const word = MODIFIERS.find((modifier) => modifier in value && !isDeclared(modifier, parameters))
  if (word === undefined) return
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where} has ${word} among the ranges`, {
    where: `${where}.${word}`,
    hint: `Name the operation: { zip: { .. }, ${word}: .. } or { product: { .. }, ${word}: .. }.`,
  })
}

function operationOf(
  value: Readonly<Record<string, unknown>>,
  where: string,
  parameters: readonly Parameter[],
): Operation | undefined {
  const operation = OPERATIONS.find((word) => word in value && !isDeclared(word, parameters))
  if (operation === undefined) return undefined
  const allowed: readonly string[] = [operation, ...(OWN_KEYS[operation] ?? []), ...MODIFIERS]
  const other = Object.keys(value).find((key) => !allowed.includes(key))
  if (other === undefined) return operation
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where} has ${other} next to ${operation}`, {
    where: `${where}.${other}`,
    hint: `Put ${other} inside ${operation}, or join two explorations with { concat: [..] }.`,
  })
}

function isDeclared(name: string, parameters: readonly Parameter[]): boolean {
  return parameters.some((parameter) => parameter.name === name || parameter.name.startsWith(`${name}.`))
}

function combinedFrom(value: unknown, where: string): CombinedGroups | undefined {
  if (value === undefined) return undefined
  const path = `${where}.combined`
  for (const [index, group] of listOf(value, path).entries()) {
    if (typeof group === 'string') continue
    if (listOf(group, `${path}[${index}]`).every((name) => typeof name === 'string')) continue
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${path}[${index}] holds something that is not a name`,
      {
        where: `${path}[${index}]`,
        hint: 'Write names and lists of names, like ["r", ["p", "q"]].',
      },
    )
  }
  return value as CombinedGroups
}

function columnsFrom(tree: unknown, where: string, parameters: readonly Parameter[]): Column[] {
  return namedColumns(tree, where, {
    noun: 'ranges',
    isInput: (entry, name) => isRangeInput(entry) || generatorOf(entry, name, parameters) !== undefined,
    read(entry, name, path) {
      const parameter = requireParameter(parameters, name, path)
      const range = typedRange(rangeFrom(entry, parameter, path, parameters), parameter)
      checkRange(range, parameter, (index) => `${path}[${index}]`)
      return range
    },
  })
}

function rangeFrom(
  entry: unknown,
  parameter: Parameter,
  where: string,
  parameters: readonly Parameter[],
): Range {
  if (typeof entry === 'string') return rangeFromString(entry, parameter, where)
  if (!isPlainObject(entry) || isRangeInput(entry)) return toRange(entry, where)
  const generator = generatorOf(entry, parameter.name, parameters) as Generator
  return generatedRange(generator, entry[generator], `${where}.${generator}`)
}

function rangeFromString(text: string, parameter: Parameter, where: string): Range {
  const dtype = dtypeOf(parameter.stored)
  if (isPooled(parameter)) return rangeFromTexts(elementsOf(text, where), parameter, where)
  if (dtype === 'str' || dtype === 'bool') return toRange(text, where)
  return rangeFromTexts(
    text.split(',').map((element) => ({ text: element.trim(), isQuoted: false })),
    parameter,
    where,
  )
}

const GENERATORS = { linspace, arange, logspace } as const
type Generator = keyof typeof GENERATORS

/** `{ linspace: [..] }`, unless the parameter is a group with a child of that name. */
function generatorOf(entry: unknown, name: string, parameters: readonly Parameter[]): Generator | undefined {
  if (!isPlainObject(entry) || name === '') return undefined
  const [word, ...others] = Object.keys(entry)
  if (word === undefined || others.length > 0 || !Object.hasOwn(GENERATORS, word)) return undefined
  return isDeclared(`${name}.${word}`, parameters) ? undefined : (word as Generator)
}

function generatedRange(generator: Generator, written: unknown, where: string): Range {
  const numbers = listOf(written, where)
  const isWellFormed =
    numbers.every((number) => typeof number === 'number') && numbers.length >= 2 && numbers.length <= 3
  if (!isWellFormed) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where}: expected two or three numbers, found [${numbers.map(described).join(', ')}]`,
      {
        where,
        hint: `Write { ${generator}: [start, stop, ${generator === 'arange' ? 'step' : 'num'}] }.`,
      },
    )
  }
  try {
    return GENERATORS[generator](...(numbers as [number, number, number?]))
  } catch (error) {
    if (!(error instanceof PypetError)) throw error
    throw new PypetError(error.code, `${where}: ${error.message}`, { where, hint: error.hint })
  }
}

function typedPoints(
  spec: ExplorationSpec,
  where: string,
  parameters: readonly Parameter[],
): ExplorationSpec {
  if (spec.kind !== 'points') return spec
  const columns = spec.columns.map(({ name, range }) => {
    const parameter = requireParameter(parameters, name, `${where}[0].${name}`)
    const typed = typedRange(range, parameter)
    checkRange(typed, parameter, (index) => `${where}[${index}].${name}`)
    return { name, range: typed }
  })
  return { kind: 'points', columns }
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: expected a list, found ${described(value)}`, {
    where,
    hint: 'Write [ .. ].',
  })
}

function described(value: unknown): string {
  return value === undefined ? 'nothing' : shown(value)
}
