/** Numbers with units, in readable form: counts, runs, durations, rates, bytes. Independent of the locale. */

/** `12,000`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 point`, `12,000 points`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** `1 run`, `12,000 runs`. */
export function formatRuns(count: number): string {
  return plural(count, 'run')
}

/** As many ranges as fit on a line. */
const RANGES_SHOWN_MAX = 8

/**
 * `run 3, runs 5 to 9, and 12 more ranges`; empty for none.
 *
 * @param bounds of half-open ranges, as of `RunSet.toRanges`: `[3, 4, 5, 10]`
 */
export function formatRanges(bounds: readonly number[]): string {
  const texts: string[] = []
  for (let index = 0; index < bounds.length && texts.length < RANGES_SHOWN_MAX; index += 2) {
    const [start = 0, end = 0] = bounds.slice(index, index + 2)
    texts.push(end - start === 1 ? `run ${start}` : `runs ${start} to ${end - 1}`)
  }
  const more = bounds.length / 2 - texts.length
  if (more > 0) texts.push(`and ${formatCount(more)} more ranges`)
  return texts.join(', ')
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** At most two units: `1.2 ms`, `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 05 min`, `3 d 04 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs > 0 && durationMs < 9.95) return `${trimZeros(durationMs.toFixed(1))} ms`
  if (durationMs < 9_995) return `${trimZeros((durationMs / SECOND_MS).toFixed(2))} s`
  if (durationMs < MINUTE_MS - 50) return `${trimZeros((durationMs / SECOND_MS).toFixed(1))} s`
  if (durationMs < HOUR_MS - SECOND_MS / 2) return twoUnits(durationMs, MINUTE_MS, 'min', SECOND_MS, 's')
  if (durationMs < DAY_MS - MINUTE_MS / 2) return twoUnits(durationMs, HOUR_MS, 'h', MINUTE_MS, 'min')
  return twoUnits(durationMs, DAY_MS, 'd', HOUR_MS, 'h')
}

/** The same without fractions, for an estimate: `10 s`, `3 min 05 s`; below a second `1 s`. */
export function formatRemaining(durationMs: number): string {
  return formatDuration(Math.max(1, Math.round(durationMs / SECOND_MS)) * SECOND_MS)
}

/** `1,234 runs/s`, `12.3 runs/s`; slow ones as `4.5 runs/min` or `2 runs/h`. */
export function formatRate(runsPerSecond: number): string {
  if (runsPerSecond >= 1) return `${threeDigits(runsPerSecond)} runs/s`
  if (runsPerSecond * 60 >= 1) return `${threeDigits(runsPerSecond * 60)} runs/min`
  return `${threeDigits(runsPerSecond * 3600)} runs/h`
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Decimal units, as for disks: `999 B`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  let scaled = bytes
  let unit = 0
  // 999.5 would round to `1000`, so it belongs to the next unit.
  while (scaled >= 999.5 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1000
    unit += 1
  }
  return `${unit === 0 ? scaled : threeDigits(scaled)} ${BYTE_UNITS[unit]}`
}

function twoUnits(
  durationMs: number,
  largeMs: number,
  large: string,
  smallMs: number,
  small: string,
): string {
  const smallCount = Math.round(durationMs / smallMs)
  const perLarge = largeMs / smallMs
  const rest = String(smallCount % perLarge).padStart(2, '0')
  return `${formatCount(Math.floor(smallCount / perLarge))} ${large} ${rest} ${small}`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return formatCount(Math.round(value))
  return trimZeros(value.toFixed(value >= 9.995 ? 1 : 2))
}

function trimZeros(decimal: string): string {
  return decimal.replace(/\.?0+$/, '')
}
