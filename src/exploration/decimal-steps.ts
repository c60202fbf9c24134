/**
 * Evenly spaced numbers, counted in the decimals a person wrote. 0.1 is no double, so adding doubles
 * drifts (0.30000000000000004) and may gain or lose the last value; counting whole tenths does neither.
 */

export interface DecimalSteps {
  readonly start: number
  readonly step: number
  readonly length: number
}

/** How many of `start`, `start + step`, … lie before `stop`; 0 when the step leads away from it. */
export function decimalStepCount(start: number, stop: number, step: number): number {
  const { mantissas } = alignedDecimals([start, stop, step])
  const [first, end, stride] = mantissas as [bigint, bigint, bigint]
  const distance = end - first
  if (distance === 0n || distance > 0n !== stride > 0n) return 0
  const whole = distance / stride
  return Number(whole * stride === distance ? whole : whole + 1n)
}

/** Each value is the double nearest to the exact decimal `start + index × step`. */
export function decimalStepReader({ start, step, length }: DecimalSteps): (index: number) => number {
  const { mantissas, places } = alignedDecimals([start, step])
  const [first, stride] = mantissas as [bigint, bigint]
  const last = first + stride * BigInt(length)
  if (places <= EXACT_POWER_MAX && isSafe(first) && isSafe(stride) && isSafe(last)) {
    // One division of two exact doubles is rounded once, so it gives the nearest double.
    const [firstNumber, strideNumber, scale] = [Number(first), Number(stride), Number(`1e${places}`)]
    return (index) => (firstNumber + index * strideNumber) / scale
  }
  return (index) => Number(`${first + stride * BigInt(index)}e-${places}`)
}

/** 10^22 is the largest power of ten that is a double. */
const EXACT_POWER_MAX = 22

/** The numbers as whole multiples of 10^-places. */
function alignedDecimals(numbers: readonly number[]): { mantissas: bigint[]; places: number } {
  const decimals = numbers.map(decimalOf)
  const places = Math.max(0, ...decimals.map((decimal) => decimal.places))
  return {
    mantissas: decimals.map((decimal) => decimal.mantissa * 10n ** BigInt(places - decimal.places)),
    places,
  }
}

/** The shortest decimal that reads back as the number: what the person wrote. */
function decimalOf(number: number): { mantissa: bigint; places: number } {
  const [coefficient = '0', exponent = '0'] = String(number).split('e')
  const [whole = '0', fraction = ''] = coefficient.split('.')
  return { mantissa: BigInt(whole + fraction), places: fraction.length - Number(exponent) }
}

function isSafe(mantissa: bigint): boolean {
  return mantissa <= Number.MAX_SAFE_INTEGER && mantissa >= Number.MIN_SAFE_INTEGER
}
