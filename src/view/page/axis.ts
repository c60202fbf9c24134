/** An axis of a picture: which numbers it shows, where, and its ticks. */
import { shortText } from './number-text.ts'
import type { PageColumn } from './page-column.ts'

export interface Axis {
  readonly title: string
  readonly isLog: boolean
  /** Undefined for numbers. */
  readonly categories: readonly string[] | undefined
  /** All numbers, if there are only few. */
  readonly few: readonly number[] | undefined
  readonly from: number
  readonly to: number
  /** From 0 to 1 for numbers on the axis. */
  place(number: number): number
  number(place: number): number
}

export interface Tick {
  readonly place: number
  readonly label: string
}

/** Positive values over three decades are drawn on a log scale unless the user says otherwise. */
export const LOG_FACTOR = 1000
/** Fewer values than this have a tick each. */
const FEW_MAX = 10

export function axisOf(column: PageColumn, scale: 'log' | 'linear' | undefined): Axis {
  const { categories } = column
  if (categories !== undefined)
    return linearAxis(column, categories, -0.5, Math.max(1, categories.length) - 0.5)
  const [least, most] = column.range
  const canLog = least > 0
  const isLog = canLog && (scale === 'log' || (scale === undefined && most / least >= LOG_FACTOR))
  if (!isLog) {
    const margin = least === most ? Math.abs(least) / 2 || 0.5 : 0
    return linearAxis(column, undefined, least - margin, most + margin)
  }
  const [from, to] = least === most ? [least / 2, least * 2] : [least, most]
  const [lower, span] = [Math.log(from), Math.log(to) - Math.log(from)]
  return {
    title: titleOf(column, true),
    isLog,
    categories: undefined,
    few: column.distinct(FEW_MAX),
    from,
    to,
    place: (number) => (Math.log(number) - lower) / span,
    number: (place) => Math.exp(lower + place * span),
  }
}

function linearAxis(
  column: PageColumn,
  categories: readonly string[] | undefined,
  from: number,
  to: number,
): Axis {
  return {
    title: titleOf(column, false),
    isLog: false,
    categories,
    few: column.distinct(FEW_MAX),
    from,
    to,
    place: (number) => (number - from) / (to - from),
    number: (place) => from + place * (to - from),
  }
}

/** Round numbers, or categories. At most about as many as wanted. */
export function ticksOf(axis: Axis, wanted: number): Tick[] {
  const { categories } = axis
  if (categories !== undefined) {
    const step = Math.max(1, Math.ceil(categories.length / Math.max(1, wanted)))
    return categories.flatMap((label, at) => (at % step === 0 ? [{ place: axis.place(at), label }] : []))
  }
  if (axis.few !== undefined && axis.few.length <= wanted) {
    return axis.few.map((number) => ({ place: axis.place(number), label: shortText(number) }))
  }
  return (axis.isLog ? logTicks(axis, wanted) : roundNumbers(axis.from, axis.to, wanted)).map((number) => ({
    place: axis.place(number),
    label: shortText(number),
  }))
}

export function roundNumbers(from: number, to: number, wanted: number): number[] {
  const rough = (to - from) / Math.max(1, wanted)
  if (!(rough > 0) || !Number.isFinite(rough)) return [from]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999) ?? rough
  const numbers: number[] = []
  for (let at = Math.ceil(from / step - 1e-9); at * step <= to + step * 1e-9; at += 1) {
    numbers.push(Number((at * step).toPrecision(12)))
  }
  return numbers
}

function logTicks({ from, to }: Axis, wanted: number): number[] {
  const decades = Math.log10(to / from)
  if (decades < 1) return roundNumbers(from, to, wanted)
  const step = Math.max(1, Math.ceil(decades / Math.max(1, wanted)))
  const first = Math.ceil(Math.log10(from) - 1e-9)
  const numbers: number[] = []
  for (let power = first; 10 ** power <= to * (1 + 1e-9); power += step) numbers.push(10 ** power)
  return numbers
}

/** `T [K]`. */
function titleOf({ info: { name, unit } }: PageColumn, isLog: boolean): string {
  return `${name}${unit === '' ? '' : ` [${unit}]`}${isLog ? ' (log)' : ''}`
}
