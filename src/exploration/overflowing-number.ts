/** Numbers that a person wrote and no float64 holds: every reader of JSON, YAML and TOML makes Infinity of them in silence. */
import { cutText } from '../values/cut-text.ts'

export interface OverflowingNumber {
  /** As written: `1e400`. */
  readonly text: string
  readonly position: number
}

/** A number that stands by itself: not in quotes, and no part of a word. */
const NUMBER = /(?<![\w."'+-])[+-]?\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?(?![\w."'])/gi
/** Shorter ones without an exponent are finite. */
const LENGTH_MIN = 3

/**
 * The first number of a text that is too large, when the text was read as a value that holds an infinity. What is written
 * as `inf`, `.inf` or `Infinity` is meant.
 */
export function overflowingNumber(text: string, read: unknown): OverflowingNumber | undefined {
  if (!holdsInfinity(read)) return undefined
  for (const { 0: found, index } of text.matchAll(NUMBER)) {
    if (found.length < LENGTH_MIN || Number.isFinite(Number(found.replaceAll('_', '')))) continue
    return { text: found, position: index }
  }
  return undefined
}

/** What is said of it. */
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
