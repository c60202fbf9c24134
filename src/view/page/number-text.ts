/** Numbers as text. */
import type { NumericDtype } from '../../values/typed-array.ts'

const SHORT_DIGITS = 4

/** Four significant digits; integers whole. */
export function shortText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value)
  const size = Math.abs(value)
  const text =
    size >= 1e-3 && size < 1e7 ? value.toPrecision(SHORT_DIGITS) : value.toExponential(SHORT_DIGITS - 1)
  return text.includes('e') ? text.replace('e+', 'e') : withoutZeros(text)
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** The shortest text that reads back as the same number of its type. */
export function exactText(value: number, dtype: NumericDtype): string {
  if (Object.is(value, -0)) return '-0'
  if (dtype !== 'float32' || !Number.isFinite(value)) return String(value)
  for (let digits = 6; digits < 9; digits += 1) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(Number(value.toPrecision(9)))
}

/** `12,000`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 run`, `12,000 runs`. */
export function runsText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'run' : 'runs'}`
}

/** `84 ms`, `3.2 s`, `2 min 05 s`, `1 h 20 min`. */
export function durationText(seconds: number): string {
  if (seconds < 1) return `${shortText(Number((seconds * 1000).toPrecision(3)))} ms`
  if (seconds < 60) return `${shortText(Number(seconds.toPrecision(3)))} s`
  const two = (part: number) => String(Math.floor(part)).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${two((seconds % 86_400) / 3600)} h`
}

/** `512 bytes`, `1.5 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1e4) return `${countText(bytes)} bytes`
  const [unit, size] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return `${shortText(Number((bytes / Number(size)).toPrecision(2)))} ${unit}`
}

/** A time in seconds since 1970, as it is here and as it is everywhere. A file may hold one that is none. */
export function timeTexts(seconds: number): { readonly text: string; readonly full: string } {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return { text: String(seconds), full: 'not a time' }
  return { text: date.toLocaleString(), full: date.toISOString() }
}
