/** A sampler from a config file: `{ sobol: { x: [0, 1] }, count: 100 }`. */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { dtypeOf } from '../values/stored-value.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { namedColumns } from './columns.ts'
import type { ExplorationDraft } from './exploration.ts'
import { checkBounds, checkRange, requireParameter, typedRange } from './explored-parameter.ts'
import { toRange } from './range.ts'
import { sampleOptions, samplerOf } from './sample.ts'
import { bounded, isSampleInput, type SampleMethod, type SampleRange, toSampleRange } from './sample-range.ts'
import { sampleRangeFromTexts } from './sample-range-from-text.ts'

/** Whether a group of parameters has this name. The name then wins over the word. */
export type IsDeclared = (name: string) => boolean

/**
 * Bounds are `[low, high]`, `"0:1"`, `"0.001:10:log"`, `{ between: [low, high] }` or `{ logBetween: [low, high] }`. A list
 * to choose from is `{ choice: [..] }`, `"1,2,3"`, or a list of texts or booleans.
 *
 * @param given count and seed
 * @throws PypetError like `sobol`, `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`
 */
export function samplerFrom(
  method: SampleMethod,
  bounds: unknown,
  given: Readonly<Record<string, unknown>>,
  {
    where,
    parameters,
    isDeclared,
  }: { readonly where: string; readonly parameters: readonly Parameter[]; readonly isDeclared: IsDeclared },
): ExplorationDraft {
  const path = `${where}.${method}`
  const columns = namedColumns(bounds, path, {
    noun: 'bounds',
    isInput: (entry, name) => isSampleInput(entry) || wordOf(entry, name, isDeclared) !== undefined,
    read(entry, name, place) {
      const parameter = requireParameter(parameters, name, place)
      return checked(rangeFrom(entry, parameter, place, isDeclared), parameter, place)
    },
  })
  const { count, seed } = given
  const options = sampleOptions({ count, ...(seed !== undefined && { seed }) }, where)
  return samplerOf(method, columns, options, path)
}

function checked(range: SampleRange, parameter: Parameter, where: string): SampleRange {
  if (range.kind === 'between') {
    checkBounds(range, parameter, where)
    return range
  }
  const typed = typedRange(range.range, parameter)
  checkRange(typed, parameter, (index) => `${where}[${index}]`)
  return { kind: 'choice', range: typed }
}

const WORDS = ['between', 'logBetween', 'choice'] as const
type Word = (typeof WORDS)[number]

/** `{ choice: [..] }`, unless the parameter is a group with a child of that name. */
function wordOf(entry: unknown, name: string, isDeclared: IsDeclared): Word | undefined {
  if (!isPlainObject(entry) || name === '') return undefined
  const [key, ...others] = Object.keys(entry)
  const word = others.length === 0 ? WORDS.find((candidate) => candidate === key) : undefined
  return word === undefined || isDeclared(`${name}.${word}`) ? undefined : word
}

function rangeFrom(entry: unknown, parameter: Parameter, where: string, isDeclared: IsDeclared): SampleRange {
  if (typeof entry === 'string') {
    const dtype = dtypeOf(parameter.stored)
    const texts = dtype === 'str' ? [entry] : entry.split(',')
    return sampleRangeFromTexts(
      texts.map((text) => ({ text: text.trim(), isQuoted: false })),
      parameter,
      where,
    )
  }
  if (!isPlainObject(entry) || isSampleInput(entry)) return toSampleRange(entry, where)
  const word = wordOf(entry, parameter.name, isDeclared) as Word
  const path = `${where}.${word}`
  const list = entry[word]
  if (!Array.isArray(list)) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${path}: expected a list, found ${typeof list}`, {
      where: path,
      hint: word === 'choice' ? 'Write [1, 2, 3].' : 'Write [low, high].',
    })
  }
  if (word === 'choice') return { kind: 'choice', range: toRange(list, path) }
  const [low, high] = list
  if (list.length === 2 && typeof low === 'number' && typeof high === 'number') {
    return bounded(low, high, word === 'logBetween' ? 'log' : 'linear', path)
  }
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${path}: bounds are two numbers`, {
    where: path,
    hint: 'Write [low, high].',
  })
}
