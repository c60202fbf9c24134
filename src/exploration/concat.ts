import { PypetError } from '../errors.ts'
import { type Exploration, type ExplorationDraft, exploration, explorationNames } from './exploration.ts'

/**
 * Joins explorations one after the other. All must explore the same parameters.
 *
 * `concat(cartesianProduct({ x: [1, 2], y: [3, 4] }), points([{ x: 9, y: 9 }]))` has five points.
 *
 * @throws PypetError `PYPET_EXPLORATION_LENGTH` if one explores other parameters than the first,
 *   `PYPET_EXPLORATION_EMPTY` without arguments
 */
export function concat<Values, Draft extends ExplorationDraft>(
  ...explorations: readonly [Exploration<Values, Draft>, ...Exploration<Values, Draft>[]]
): Exploration<Values, Joined<Draft>> {
  return exploration(
    concatSpec(
      explorations.map((part) => part.spec),
      'explore',
    ),
  )
}

interface Joined<Draft> {
  readonly kind: 'concat'
  readonly parts: readonly Draft[]
}

export function concatSpec<Draft extends ExplorationDraft>(
  parts: readonly Draft[],
  where: string,
): Joined<Draft> {
  const [first, ...others] = parts
  if (first === undefined) {
    throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where}: no exploration to concatenate`, {
      where,
      hint: 'Give at least one.',
    })
  }
  const names = explorationNames(first)
  others.forEach((part, index) => {
    assertSameNames(names, explorationNames(part), `${where}[${index + 1}]`)
  })
  return { kind: 'concat', parts: [...parts] }
}

function assertSameNames(names: readonly string[], found: readonly string[], where: string): void {
  const missing = names.filter((name) => !found.includes(name))
  const extra = found.filter((name) => !names.includes(name))
  if (missing.length === 0 && extra.length === 0) return
  const difference = [
    ...(missing.length > 0 ? [`lacks ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`explores ${extra.join(', ')}, which the first does not`] : []),
  ].join(' and ')
  throw new PypetError(
    'PYPET_EXPLORATION_LENGTH',
    `${where} ${difference}; every run needs a value of every parameter`,
    { where, hint: `Explore in each part: ${names.join(', ')}.` },
  )
}
