/** All flags for explorations: `--explore`, `--sample`, `--only-if`, `--derive`, `--where`, and `--repeat`. */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import type { ExplorationDraft } from './exploration.ts'
import { requireParameter } from './explored-parameter.ts'
import { type Modifier, modified, type NamedModifier } from './modifiers.ts'
import { parseExploreFlag, parseExploreFlags, splitFlag } from './parse-flag.ts'
import { type SampleOptions, type Sampler, sampleOptions, samplerOf } from './sample.ts'
import type { SampleMethod } from './sample-range.ts'
import { sampleRangeFromTexts } from './sample-range-from-text.ts'

/** The texts of the flags, as they were given. */
export interface ExploreTexts {
  /** `x=1,2,3`. Replaces the exploration of config file and experiment. */
  readonly explore?: readonly string[] | undefined
  /** `sobol:100`. Then `--explore` gives bounds. */
  readonly sample?: string | undefined
  /** `tau: mode == "slow"`. */
  readonly onlyIf?: readonly string[] | undefined
  /** `z = x * 2`. */
  readonly derive?: readonly string[] | undefined
  /** `x < y`. */
  readonly where?: readonly string[] | undefined
}

/**
 * The exploration from the flags, or the declared exploration as the flags change it. Undefined if nothing is
 * explored.
 *
 * @param declared the exploration of config file or experiment. It is read only if the flags do not replace it
 * @param repeat the option `repeat` and where it was given
 * @throws PypetError `PYPET_USAGE`, and like `parseExploreFlags`, `sobol` and `modified`. Each message names the flag
 */
export function explorationFromFlags(
  texts: ExploreTexts,
  parameters: readonly Parameter[],
  {
    declared,
    repeat,
  }: {
    readonly declared: () => ExplorationDraft | undefined
    readonly repeat: Modifier & { readonly given: number }
  },
): ExplorationDraft | undefined {
  const { explore = [], sample } = texts
  const explored =
    sample === undefined
      ? (parseExploreFlags(explore, parameters) ?? declared())
      : sampled(sample, explore, parameters, declared)
  const modifiers = {
    onlyIf: (texts.onlyIf ?? []).map((text) => namedModifier(text, '--only-if', ':', `'tau: x > 1'`)),
    derive: (texts.derive ?? []).map((text) => namedModifier(text, '--derive', '=', `'z = x * 2'`)),
    filters: (texts.where ?? []).map((text) => ({ given: text, where: `--where ${text}` })),
    repeat: repeat.given > 1 ? repeat : undefined,
  }
  const [first] = [...modifiers.onlyIf, ...modifiers.derive, ...modifiers.filters]
  if (explored === undefined && first !== undefined) throw nothingExplored(first.where)
  // Without an exploration there is one point, the defaults, which may be repeated.
  if (explored === undefined && modifiers.repeat === undefined) return undefined
  return modified(explored ?? { kind: 'product', factors: [] }, modifiers, parameters)
}

const METHODS: Readonly<Record<string, SampleMethod>> = {
  random: 'random',
  lhs: 'latinHypercube',
  latinHypercube: 'latinHypercube',
  sobol: 'sobol',
}

/**
 * Parses `--sample`: a method, a count, and an optional seed.
 *
 * @throws PypetError `PYPET_USAGE`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`
 */
function parseSampleFlag(text: string): {
  readonly method: SampleMethod
  readonly options: SampleOptions
} {
  const where = `--sample ${text}`
  const hint = 'Write --sample sobol:100, lhs:100 or random:100; a seed may follow, as in random:100:7.'
  const refuse = (found: string) => new PypetError('PYPET_USAGE', `${where}: ${found}`, { where, hint })
  const [word = '', count, seed, ...others] = text.split(':').map((part) => part.trim())
  const method = Object.hasOwn(METHODS, word) ? METHODS[word] : undefined
  if (method === undefined) throw refuse(`${JSON.stringify(word)} is not a sampling method`)
  if (count === undefined) throw refuse('the number of points is missing')
  if (others.length > 0) throw refuse('found more than a method, a count and a seed')
  for (const part of [count, seed]) {
    if (part !== undefined && !/^\d+$/.test(part))
      throw refuse(`${JSON.stringify(part)} is not a whole number`)
  }
  const options = { count: Number(count), ...(seed !== undefined && { seed: Number(seed) }) }
  return { method, options: sampleOptions(options, where, () => where) }
}

function sampled(
  text: string,
  explore: readonly string[],
  parameters: readonly Parameter[],
  declared: () => ExplorationDraft | undefined,
): ExplorationDraft {
  const where = `--sample ${text}`
  const { method, options } = parseSampleFlag(text)
  if (explore.length === 0) {
    const draft = declared()
    const again = draft && resampled(draft, (columns) => samplerOf(method, columns, options, where))
    if (again !== undefined) return again
    throw new PypetError('PYPET_USAGE', `${where}: no bounds to sample`, {
      where,
      hint: 'Give them with --explore x=0:1, one flag per parameter.',
    })
  }
  const columns = explore.map((written) => {
    const flag = parseExploreFlag(written)
    const parameter = requireParameter(parameters, flag.name, flag.where)
    return { name: flag.name, range: sampleRangeFromTexts(flag.elements, parameter, flag.where) }
  })
  return samplerOf(method, columns, options, '--explore')
}

/** The draft with another sampler below its modifiers; undefined if it has no sampler. */
function resampled(
  draft: ExplorationDraft,
  sampler: (columns: Sampler['columns']) => Sampler,
): ExplorationDraft | undefined {
  switch (draft.kind) {
    case 'sampler':
      return sampler(draft.columns)
    case 'where':
    case 'only-if':
    case 'derive':
    case 'repeat': {
      const of = resampled(draft.of, sampler)
      return of === undefined ? undefined : { ...draft, of }
    }
    default:
      return undefined
  }
}

function namedModifier(text: string, flag: string, separator: string, example: string): NamedModifier {
  const where = `${flag} ${text}`
  const { name, right } = splitFlag(text, where, separator, `${flag} ${example}`)
  return { name, given: right, where }
}

function nothingExplored(where: string): PypetError {
  return new PypetError('PYPET_EXPLORATION_EMPTY', `${where}: nothing is explored`, {
    where,
    hint: "Give ranges with --explore 'x=1,2,3'.",
  })
}
