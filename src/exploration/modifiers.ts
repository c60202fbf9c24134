/** Modifiers of an exploration in flags and config files: conditions, formulas, filters, repeats. */
import type { Parameter } from '../run/parameter.ts'
import { deriveDraft } from './derive.ts'
import { type ExplorationDraft, explorationNames, type PointFunction } from './exploration.ts'
import { requireParameter } from './explored-parameter.ts'
import { conditionFromText, formulaFromText } from './expression.ts'
import { hiddenFrom, onlyIfDraft } from './only-if.ts'
import { repeatDraft } from './repeat.ts'
import { asFunction, whereDraft } from './where.ts'

/** A text, or a function in a config file that is code. */
export interface Modifier {
  readonly given: unknown
  /** Its name in messages: `--where x < y`, `explore.where`. */
  readonly where: string
}

export interface NamedModifier extends Modifier {
  readonly name: string
}

export interface Modifiers {
  readonly onlyIf: readonly NamedModifier[]
  readonly derive: readonly NamedModifier[]
  /** All of them must be true. */
  readonly filters: readonly Modifier[]
  readonly repeat: Modifier | undefined
}

/**
 * Applies conditions, then formulas, then filters, then repeats. A formula sees the default of a parameter that is not
 * explored in a point, a filter sees the results of formulas, and the remaining points are repeated.
 *
 * @throws PypetError like `onlyIf`, `derive`, `repeat`, `conditionFromText` and `formulaFromText`
 */
export function modified(
  draft: ExplorationDraft,
  { onlyIf, derive, filters, repeat }: Modifiers,
  parameters: readonly Parameter[],
): ExplorationDraft {
  let result = draft
  if (onlyIf.length > 0) {
    const explored = explorationNames(result)
    const conditions = onlyIf.map(({ name, given, where }, index) => ({
      name,
      where,
      ...condition(given, { parameters, explored, hidden: hiddenFrom(onlyIf, index), where }),
    }))
    result = onlyIfDraft(result, conditions)
  }
  if (derive.length > 0) {
    const explored = explorationNames(result)
    const formulas = derive.map(({ name, given, where }, index) => {
      const context = {
        parameters,
        explored: [...explored, ...derive.slice(0, index).map((before) => before.name)],
        hidden: hiddenFrom(derive, index),
        where,
      }
      const parameter = requireParameter(parameters, name, where)
      const evaluation =
        typeof given === 'string'
          ? formulaFromText(given, parameter, context)
          : { call: asFunction(given, where) }
      return { name, where, ...evaluation }
    })
    result = deriveDraft(result, formulas)
  }
  for (const { given, where } of filters) {
    const context = { parameters, explored: explorationNames(result), hidden: [], where }
    result = whereDraft(result, { where, ...condition(given, context) })
  }
  return repeat === undefined ? result : repeatDraft(result, repeat.given, repeat.where)
}

function condition(
  given: unknown,
  context: Parameters<typeof conditionFromText>[1],
): Pick<PointFunction, 'call' | 'reads'> {
  return typeof given === 'string'
    ? conditionFromText(given, context)
    : { call: asFunction(given, context.where) }
}
