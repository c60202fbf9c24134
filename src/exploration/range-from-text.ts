import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { rawValue } from '../values/raw-value.ts'
import type { Scalar } from '../values/stored-value.ts'
import { isPooled } from './explored-object.ts'
import { arange, type GeneratedRange, type Range, rangeLength, rangeReader } from './range.ts'
import { floatFromText, objectFromText, valueFromText } from './value-from-text.ts'
import { pooled } from './value-pool.ts'

/**
 * The range of one parameter from written values. Lists and arrays are in JSON. For a numeric parameter, `start:stop` and
 * `start:stop:step` mean numbers, with the stop excluded. For others, a colon is an ordinary character.
 *
 * @param where names the text in messages, like `--explore x=1,a`
 * @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`
 */
export function rangeFromTexts(
  elements: readonly { readonly text: string; readonly isQuoted: boolean }[],
  parameter: Parameter,
  where: string,
): Range {
  if (isPooled(parameter)) {
    const values = elements.map(({ text, isQuoted }) =>
      pooled(rawValue(objectFromText(text, parameter, where, { isQuoted }))),
    )
    return { kind: 'objects', values }
  }
  const parts = elements.map(({ text, isQuoted }) =>
    isNumeric(parameter) && !isQuoted && text.includes(':')
      ? stepsFromText(text, where)
      : (valueFromText(text, parameter, where, { isQuoted }) as Scalar),
  )
  const [only] = parts
  if (parts.length === 1 && typeof only === 'object') return only
  return {
    kind: 'values',
    values: parts.flatMap((part) => (typeof part === 'object' ? stepValues(part, parameter, where) : [part])),
  }
}

/** Steps alone are computed when read. Steps next to other values are written out, so their count is limited. */
const MIXED_STEPS_MAX = 1_000_000

function isNumeric({ stored }: Parameter): boolean {
  return stored.form === 'scalar' && (stored.dtype === 'float64' || stored.dtype === 'int64')
}

function stepsFromText(text: string, where: string): GeneratedRange {
  const parts = text.split(':')
  const [start, stop, step = 1] = parts.map((part) => floatFromText(part.trim()))
  if (parts.length > 3 || start === undefined || stop === undefined) throw notSteps(text, where)
  if (parts.some((part) => floatFromText(part.trim()) === undefined)) throw notSteps(text, where)
  try {
    return arange(start, stop, step)
  } catch (error) {
    if (!(error instanceof PypetError)) throw error
    const isTurned = error.code === 'PYPET_EXPLORATION_EMPTY' && start !== stop
    const hint = isTurned ? `Change the sign of the step: ${start}:${stop}:${-step}.` : error.hint
    const found =
      error.code === 'PYPET_EXPLORATION_EMPTY'
        ? 'holds no value: the stop is excluded'
        : step !== 0 && [start, stop, step].every(Number.isFinite)
          ? 'holds more values than can be counted'
          : 'needs finite numbers and a step other than 0'
    throw new PypetError(error.code, `${where}: ${text} (start:stop:step) ${found}`, { where, hint })
  }
}

function notSteps(text: string, where: string): PypetError {
  return new PypetError(
    'PYPET_EXPLORATION_INVALID',
    `${where}: ${JSON.stringify(text)} is not start:stop:step in numbers`,
    {
      where,
      hint: 'Write 0:1:0.1, or 0:10 for steps of 1; the stop is excluded.',
    },
  )
}

function stepValues(range: GeneratedRange, parameter: Parameter, where: string): Scalar[] {
  const length = rangeLength(range)
  if (length > MIXED_STEPS_MAX) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where}: ${length} steps are too many next to other values`,
      {
        where,
        hint: `Use start:stop:step alone, or with at most ${MIXED_STEPS_MAX} values.`,
      },
    )
  }
  const read = rangeReader(range)
  const isBigint = typeof parameter.value === 'bigint'
  return Array.from({ length }, (_, index) => {
    const value = read(index)
    // A fraction stays a number, and the type check then reports it.
    return isBigint && Number.isSafeInteger(value) ? BigInt(value) : value
  })
}
