/** How values become positions between 0 and 1, and which of them get a label. */

export type Scale = NumberScale | CategoryScale

export interface NumberScale {
  readonly kind: 'linear' | 'log'
  /** Finite, the smaller one first, and never equal. Positive if the scale is logarithmic. */
  readonly domain: readonly [minimum: number, maximum: number]
}

/** Values are the indices of the names. Each name has a band of the same width. */
export interface CategoryScale {
  readonly kind: 'category'
  readonly names: readonly string[]
}

export interface Tick {
  readonly value: number
  /** Of the whole axis, from 0 to 1. */
  readonly position: number
  readonly text: string
}

/** The scale of values, of which some may be NaN. */
export function numberScale(values: Iterable<number>, kind: NumberScale['kind'] = 'linear'): NumberScale {
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (!Number.isFinite(value) || (kind === 'log' && value <= 0)) continue
    if (value < minimum) minimum = value
    if (value > maximum) maximum = value
  }
  if (minimum > maximum) return { kind: 'linear', domain: [0, 1] }
  if (minimum < maximum) return { kind, domain: [minimum, maximum] }
  return { kind: 'linear', domain: around(minimum) }
}

/** A domain for one value. */
function around(value: number): readonly [number, number] {
  if (value === 0) return [-1, 1]
  const [low, high] = [value * 0.9, value * 1.1].toSorted((a, b) => a - b) as [number, number]
  // Next to the largest number and next to zero, there is no room on both sides.
  return low < high && Number.isFinite(low) && Number.isFinite(high)
    ? [low, high]
    : [Math.min(0, value), Math.max(0, value)]
}

/** Extends a linear scale to the ticks around it. */
export function roundedScale(scale: NumberScale, tickCount: number): NumberScale {
  if (scale.kind === 'log') return scale
  const step = tickStep(scale.domain, tickCount)
  const [minimum, maximum] = scale.domain
  const low = Math.floor(minimum / step + 1e-9) * step
  const high = Math.ceil(maximum / step - 1e-9) * step
  return Number.isFinite(low) && Number.isFinite(high) && low < high
    ? { kind: 'linear', domain: [low, high] }
    : scale
}

/**
 * Bounds of about `count` bins, of the same width on the axis: from one round number to another if the scale is linear.
 */
export function binEdges(scale: NumberScale, count: number): Float64Array {
  const [low, high] = roundedScale(scale, count).domain
  const step = tickStep(scale.domain, count)
  const rounded = Math.round((high - low) / step)
  const isRound = scale.kind === 'linear' && rounded >= 1 && rounded <= 2 * count + 2
  const bins = isRound ? rounded : count
  return Float64Array.from({ length: bins + 1 }, (_, index) => {
    const share = index / bins
    if (index === 0 || index === bins) return index === 0 ? low : high
    return scale.kind === 'log'
      ? Math.min(high, Math.exp(Math.log(low) * (1 - share) + Math.log(high) * share))
      : low * (1 - share) + high * share
  })
}

/** From 0 to 1, or NaN if the value is not in the domain. */
export function positionOf(scale: Scale, value: number): number {
  if (scale.kind === 'category') return (value + 0.5) / Math.max(1, scale.names.length)
  const [minimum, maximum] = scale.domain
  if (!(value >= minimum && value <= maximum)) return Number.NaN
  if (scale.kind === 'log' && Math.log(minimum) < Math.log(maximum))
    return (Math.log(value) - Math.log(minimum)) / (Math.log(maximum) - Math.log(minimum))
  const size = maximum - minimum
  if (Number.isFinite(size)) return (value - minimum) / size
  // Halves, because the difference of two large numbers may be infinite.
  return (value / 2 - minimum / 2) / (maximum / 2 - minimum / 2)
}

/** Values with equal ratios, at least three, as `logspace` makes them. */
export function isLogSpaced(distinct: readonly number[]): boolean {
  const sorted = distinct.toSorted((a, b) => a - b)
  const [first = 0, second = 0] = sorted
  if (sorted.length < 3 || first <= 0) return false
  const ratio = second / first
  return sorted.slice(1).every((value, index) => {
    const found = value / (sorted[index] as number)
    return Math.abs(found / ratio - 1) <= RATIO_TOLERANCE
  })
}

const RATIO_TOLERANCE = 1e-6

/** Many values over several powers of ten, half of them below the middle of a logarithmic axis, as drawn by `log`. */
export function isLogDrawn(sorted: Float64Array): boolean {
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)]
  if (sorted.length < DRAWN_MIN || first <= 0 || last / first < DRAWN_RATIO_MIN) return false
  const middle = positionOf({ kind: 'log', domain: [first, last] }, sorted[sorted.length >> 1] as number)
  return Math.abs(middle - 0.5) < 0.2
}

const DRAWN_MIN = 16
const DRAWN_RATIO_MIN = 100

/** At most about `count` ticks, none of them outside. */
export function ticksOf(scale: Scale, count: number): readonly Tick[] {
  if (scale.kind === 'category') return categoryTicks(scale, count)
  const values = scale.kind === 'log' ? logTicks(scale.domain, count) : linearTicks(scale.domain, count)
  const texts = numberTexts(values)
  return values.map((value, index) => ({
    value,
    position: positionOf(scale, value),
    text: texts[index] as string,
  }))
}

function categoryTicks(scale: CategoryScale, count: number): readonly Tick[] {
  const every = Math.max(1, Math.ceil(scale.names.length / Math.max(1, count)))
  return scale.names.flatMap((text, index) =>
    index % every === 0 ? [{ value: index, position: positionOf(scale, index), text }] : [],
  )
}

/** 1, 2 or 5 times a power of ten. */
function tickStep([minimum, maximum]: NumberScale['domain'], count: number): number {
  const raw = maximum / Math.max(1, count) - minimum / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(raw))
  const factor = [1, 2, 5, 10].find((each) => each * power >= raw * 0.999) ?? 10
  return factor * power
}

function linearTicks(domain: NumberScale['domain'], count: number): number[] {
  const step = tickStep(domain, count)
  const [minimum, maximum] = domain
  const first = Math.ceil(minimum / step - 1e-9)
  const last = Math.floor(maximum / step + 1e-9)
  // Numbers that differ in their last digits only, or that are next to zero.
  if (!(step > 0) || !Number.isFinite(step) || !(last - first <= 2 * count + 2)) return [minimum, maximum]
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => asWritten((first + index) * step))
  const inside = ticks.filter((value) => value >= minimum && value <= maximum)
  return inside.length === 0 ? [minimum, maximum] : inside
}

/** Powers of ten, and 2 and 5 times these if there is room. A narrow domain gets the ticks of a linear one. */
function logTicks(domain: NumberScale['domain'], count: number): number[] {
  const [minimum, maximum] = domain
  const first = Math.floor(Math.log10(minimum))
  const last = Math.ceil(Math.log10(maximum))
  for (const factors of [[1, 2, 5], [1]]) {
    const ticks: number[] = []
    for (let power = first; power <= last; power += 1) {
      for (const factor of factors) ticks.push(Number(`${factor}e${power}`))
    }
    const inside = ticks.filter(
      (value) => Number.isFinite(value) && value >= minimum * (1 - 1e-9) && value <= maximum * (1 + 1e-9),
    )
    const clamped = inside.map((value) => Math.min(maximum, Math.max(minimum, value)))
    if (clamped.length < 2) break
    if (clamped.length <= count) return clamped
    if (factors.length > 1) continue
    const every = Math.ceil(clamped.length / Math.max(1, count))
    return clamped.filter((_, index) => index % every === 0)
  }
  return linearTicks(domain, count)
}

/** Without the rounding noise of a product. */
function asWritten(value: number): number {
  const rounded = Number(value.toPrecision(12))
  return Math.abs(rounded) < Number.MIN_VALUE ? 0 : rounded
}

/** Numbers with the same number of decimals, or with exponents if they are very large or small. */
function numberTexts(values: readonly number[]): readonly string[] {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const smallest = values.reduce(
    (least, value) => (value === 0 ? least : Math.min(least, Math.abs(value))),
    largest,
  )
  if (largest >= 1e6 || (largest > 0 && largest < 1e-3) || smallest < 1e-5) return values.map(shortNumber)
  const decimals = Math.max(0, ...values.map(decimalsOf))
  // A logarithmic axis has many sizes; there each number is as short as it can be.
  const isWide = smallest > 0 && largest / smallest >= 100 && decimals > 1
  return values.map((value) => (isWide ? shortNumber(value) : value.toFixed(decimals)))
}

function decimalsOf(value: number): number {
  const text = String(Number(value.toPrecision(6)))
  return text.includes('e') || !text.includes('.') ? 0 : text.length - text.indexOf('.') - 1
}

const SIGNIFICANT_DIGITS = 6

/** `0.1`, `1e-7`, `2.5e+9`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const short = Number(value.toPrecision(SIGNIFICANT_DIGITS))
  const size = Math.abs(short)
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(short)
  return short.toExponential().replace('e+', 'e')
}
