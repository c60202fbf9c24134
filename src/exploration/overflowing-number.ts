/** Finds written numbers that are too large for a float64. Readers of JSON, YAML and TOML silently turn them into Infinity. */
import { cutText } from '../values/cut-text.ts'

export interface OverflowingNumber {
  /** As written: `1e400`. */
  readonly text: string
  readonly position: number
}

/** A separate number: not in quotes and not part of a word. */
const NUMBER = /(?<![\w."'+-])[+-]?\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?(?![\w."'])/gi
/** Shorter numbers without an exponent are finite. */
const LENGTH_MIN = 3

/**
 * The first number in a text that is too large, if reading the text gave an infinity. `inf`, `.inf` and `Infinity` are
 * intended, and do not count.
 */
export function overflowingNumber(text: string, read: unknown): OverflowingNumber | undefined {
  if (!holdsInfinity(read)) return undefined
  for (const { 0: found, index } of text.matchAll(NUMBER)) {
    if (found.length < LENGTH_MIN || Number.isFinite(Number(found.replaceAll('_', '')))) continue
    return { text: found, position: index }
  }
  return undefined
}

/** The description in messages. */
export function describeOverflow(text: string): string {
  const shown = cutText(text, 24)
  return `${shown} is beyond the largest number, ${Number.MAX_VALUE}`
}

function holdsInfinity(value: unknown): boolean {
  if (typeof value === 'number')
    return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(holdsInfinity)
}
