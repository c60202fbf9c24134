/** What expressions compute from the elements of an array, and tables from the values of a group. */

import { exact } from '../values/exact-integer.ts'

export type Elements = ArrayLike<number | bigint>

/** Of numbers; NaN if there are none. */
export const ARRAY_REDUCTIONS: Readonly<Record<string, (elements: Elements) => number | bigint>> = {
  mean,
  std: (elements) => Math.sqrt(variance(elements)),
  var: variance,
  sum,
  min: (elements) => extreme(elements, (one, other) => one < other),
  max: (elements) => extreme(elements, (one, other) => one > other),
  median: (elements) => quantile(elements, 0.5),
  length: (elements) => elements.length,
}

/** NaN if one of the elements is. Large integers are exact. */
function extreme(
  elements: Elements,
  isBetter: (one: number | bigint, other: number | bigint) => boolean,
): number | bigint {
  let best: number | bigint | undefined
  for (let at = 0; at < elements.length; at += 1) {
    const element = elements[at] as number | bigint
    if (Number.isNaN(element)) return Number.NaN
    if (best === undefined || isBetter(element, best)) best = element
  }
  return typeof best === 'bigint' ? exact(best) : Number(best ?? Number.NaN)
}

export function sum(elements: Elements): number {
  let total = 0
  for (let at = 0; at < elements.length; at += 1) total += Number(elements[at])
  return total
}

export function mean(elements: Elements): number {
  return elements.length === 0 ? Number.NaN : sum(elements) / elements.length
}

/** Of a sample: divided by one less than the number of elements, as in pandas and R. */
export function variance(elements: Elements): number {
  if (elements.length < 2) return Number.NaN
  const middle = mean(elements)
  let squares = 0
  for (let at = 0; at < elements.length; at += 1) squares += (Number(elements[at]) - middle) ** 2
  return squares / (elements.length - 1)
}

/** Interpolated linearly, as numpy does by default. */
export function quantile(elements: Elements, fraction: number): number {
  if (elements.length === 0) return Number.NaN
  const sorted = Float64Array.from(elements, Number).sort()
  if (Number.isNaN(sorted.at(-1))) return Number.NaN
  const place = fraction * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number]
  return low + (high - low) * (place - Math.floor(place))
}
