import { PypetError } from '../errors.ts'
import { flattenParameters, type Parameter, parameter } from '../run/parameter.ts'
import { dtypeOf } from '../values/stored-value.ts'
import { integer } from '../values/value-forms.ts'
import { type Exploration, type ExplorationDraft, exploration, explorationNames } from './exploration.ts'

/** The parameter that counts the repeats of a point. pypet's users call it this when they merge. */
const TRIAL = 'trial'

/**
 * Repeats every point several times. The repeats of a point follow each other. An int64 parameter counts them from 0, so
 * they are separate points, with their own random numbers. It is called `trial` and need not be declared.
 * A job that declares it, `trial: integer(0)`, gets its type.
 *
 * `repeat(cartesianProduct({ x: [1, 2] }), 3)` has six points.
 *
 * @param options.parameter another name than `trial`
 * @throws PypetError `PYPET_EXPLORATION_INVALID`, `PYPET_NAME_TAKEN`
 */
export function repeat<Values>(
  explored: Exploration<Values>,
  count: number,
  options: { readonly parameter?: string } = {},
): Exploration<Values> {
  return exploration(repeatDraft(explored.spec, count, 'repeat', options.parameter))
}

/** @throws PypetError like `repeat` */
export function repeatDraft(
  of: ExplorationDraft,
  count: unknown,
  where: string,
  name: string = TRIAL,
): ExplorationDraft {
  if (!Number.isSafeInteger(count) || (count as number) < 1) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where}: expected a whole number >= 1, found ${String(count)}`,
      {
        where,
        hint: 'Give the number of runs per point.',
      },
    )
  }
  if (!explorationNames(of).includes(name)) return { kind: 'repeat', of, count: count as number, name }
  throw new PypetError(
    'PYPET_NAME_TAKEN',
    `${where}: ${name} would count the repeats of a point, but is already explored`,
    { where, hint: `Remove the range of ${name} or the repeat, or explore another parameter.` },
  )
}

/**
 * The declared parameters, and undeclared ones that count repeats.
 *
 * @throws PypetError `PYPET_NAME_TAKEN` if a parameter or group of that name is something else
 */
export function withTrialParameters(
  parameters: readonly Parameter[],
  draft: ExplorationDraft | undefined,
): readonly Parameter[] {
  const names = draft === undefined ? new Set<string>() : trialNames(draft)
  const missing = [...names].filter((name) => !isDeclared(name, parameters))
  if (missing.length === 0) return parameters
  const tree = missing.map((name) => [name, parameter(integer(0), { comment: 'Repeat of the point' })])
  return [...parameters, ...flattenParameters(Object.fromEntries(tree), 'repeat')]
}

function trialNames(draft: ExplorationDraft): Set<string> {
  if (draft.kind === 'concat') return new Set(draft.parts.flatMap((part) => [...trialNames(part)]))
  if (!('of' in draft)) return new Set()
  const names = trialNames(draft.of)
  return draft.kind === 'repeat' ? names.add(draft.name) : names
}

function isDeclared(name: string, parameters: readonly Parameter[]): boolean {
  const found = parameters.find(
    (candidate) => candidate.name === name || candidate.name.startsWith(`${name}.`),
  )
  if (found === undefined) return false
  const isInteger = found.stored.form === 'scalar' && dtypeOf(found.stored) === 'int64'
  if (found.name === name && isInteger) return true
  const what = found.name === name ? `a ${dtypeOf(found.stored) ?? found.stored.form}` : 'a group'
  throw new PypetError(
    'PYPET_NAME_TAKEN',
    `repeat: ${name} counts the repeats of a point, but the experiment declares it as ${what}`,
    {
      where: `parameters.${name}`,
      hint: `Declare it as ${name}: integer(0), or rename it.`,
    },
  )
}
