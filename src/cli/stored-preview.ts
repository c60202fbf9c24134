/** Values of a run, each as a short text. */
import { formatCount } from '../reporting/quantity.ts'
import { summariseArray } from '../results/array-summary.ts'
import { printable } from '../values/printable.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { sparkline } from './sparkline.ts'
import { cellText, storedText } from './value-text.ts'

const DIGITS = 6

/**
 * Arrays of numbers by their course, their range and their mean, everything else by its first elements.
 *
 * @param width most characters of the course
 */
export function previewOf(value: StoredValue, width: number): string {
  const summary = summariseArray(value, width)
  if (summary === undefined || summary.minimum === undefined) return printable(storedText(value))
  const { minimum, maximum, mean, line, nanCount } = summary
  const [least, middle, most] = [minimum, mean, maximum].map((number) => cellText(number as number, DIGITS))
  const range = `${least} .. ${most}, mean ${middle}`
  const missing = nanCount === 0 ? '' : `, ${formatCount(nanCount)} NaN`
  return `${line === undefined ? '' : `${sparkline(line)}  `}${range}${missing}`
}
