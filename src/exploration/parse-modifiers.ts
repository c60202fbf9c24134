/** Modifiers next to an exploration in a config file: `{ product: {..}, where: "x < y" }`. */
import { PypetError } from '../errors.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { namedEntries } from './columns.ts'
import type { Modifier, Modifiers, NamedModifier } from './modifiers.ts'

export const MODIFIERS = ['where', 'onlyIf', 'derive', 'repeat'] as const

/**
 * `where` is a condition or a list of conditions, `onlyIf` and `derive` are conditions and formulas by parameter, `repeat`
 * is a number. Conditions and formulas are texts, or functions if the config file is code.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`
 */
export function modifiersFrom(value: Readonly<Record<string, unknown>>, where: string): Modifiers {
  return {
    onlyIf: named(value.onlyIf, `${where}.onlyIf`),
    derive: named(value.derive, `${where}.derive`),
    filters: filters(value.where, `${where}.where`),
    repeat: value.repeat === undefined ? undefined : { given: value.repeat, where: `${where}.repeat` },
  }
}

function filters(given: unknown, where: string): readonly Modifier[] {
  if (given === undefined) return []
  const list = Array.isArray(given) ? given : [given]
  return list.map((filter, index) => {
    const path = Array.isArray(given) ? `${where}[${index}]` : where
    return { given: textOrFunction(filter, path), where: path }
  })
}

function named(given: unknown, where: string): readonly NamedModifier[] {
  if (given === undefined) return []
  if (!isPlainObject(given)) {
    throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: expected texts by parameter name`, {
      where,
      hint: 'Write { tau: "x > 1" }.',
    })
  }
  return Array.from(
    namedEntries(given, () => true),
    ([name, entry]) => {
      const path = `${where}.${name}`
      return { name, given: textOrFunction(entry, path), where: path }
    },
  )
}

function textOrFunction(given: unknown, where: string): unknown {
  if (typeof given === 'string' || typeof given === 'function') return given
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: expected a text, found ${typeof given}`, {
    where,
    hint: 'Write an expression in quotes, like "x < y".',
  })
}
