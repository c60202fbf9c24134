import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { dtypeOf } from '../values/stored-value.ts'
import { checkBounds, checkRange } from './explored-parameter.ts'
import { rangeFromTexts } from './range-from-text.ts'
import { bounded, type SampleRange } from './sample-range.ts'
import { floatFromText } from './value-from-text.ts'

/**
 * The written values or bounds of one sampled parameter: `0:1` are bounds, `1e-3:10:log` bounds on a logarithmic scale.
 * Anything else, `1,2,3` or `0:1:0.1`, is a list to choose from.
 *
 * @param where names the text in messages, like `--explore x=0:1`
 * @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_EXPLORATION_INVALID`, and like `rangeFromTexts`
 */
export function sampleRangeFromTexts(
  elements: readonly { readonly text: string; readonly isQuoted: boolean }[],
  parameter: Parameter,
  where: string,
): SampleRange {
  const bounds = boundsFrom(elements, parameter, where)
  if (bounds !== undefined) {
    checkBounds(bounds, parameter, where)
    return bounds
  }
  const range = rangeFromTexts(elements, parameter, where)
  checkRange(range, parameter, () => where)
  return { kind: 'choice', range }
}

function boundsFrom(
  elements: readonly { readonly text: string; readonly isQuoted: boolean }[],
  parameter: Parameter,
  where: string,
) {
  const [only] = elements
  const dtype = dtypeOf(parameter.stored)
  if (only === undefined || elements.length > 1 || only.isQuoted) return undefined
  if (dtype !== 'float64' && dtype !== 'int64') return undefined
  const [first, second, third, ...others] = only.text.split(':').map((part) => part.trim())
  if (first === undefined || second === undefined) return undefined
  if (others.length > 0 || (third !== undefined && floatFromText(third) !== undefined)) return undefined
  const [low, high] = [floatFromText(first), floatFromText(second)]
  if (low !== undefined && high !== undefined && (third === undefined || third === 'log')) {
    return bounded(low, high, third === 'log' ? 'log' : 'linear', where)
  }
  throw new PypetError('PYPET_EXPLORATION_INVALID', `${where}: ${JSON.stringify(only.text)} are not bounds`, {
    where,
    hint: 'Write 0:1, or 0.001:10:log for a logarithmic scale, or 1,2,3 for a list to choose from.',
  })
}
