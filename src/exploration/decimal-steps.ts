/**
 * Evenly spaced numbers, counted in the decimals that the user wrote. 0.1 is not exact as a double, so adding doubles
 * drifts (0.30000000000000004) and may gain or lose the last value. Counting whole tenths does not.
 */

export interface DecimalSteps {
  readonly start: number
  readonly step: number
  readonly length: number
}

/** Number of values `start`, `start + step`, … before `stop`; 0 if the step leads away from it. */
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
    // Dividing two exact doubles rounds only once, so it gives the nearest double.
    const [firstNumber, strideNumber, scale] = [Number(first), Number(stride), Number(`1e${places}`)]
    return (index) => (firstNumber + index * strideNumber) / scale
  }
  return (index) => Number(`${first + stride * BigInt(index)}e-${places}`)
}

/** 10^22 is the largest power of ten that is exact as a double. */
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

/** The shortest decimal that reads back as the number, which is what the user wrote. */
function decimalOf(number: number): { mantissa: bigint; places: number } {
  const [coefficient = '0', exponent = '0'] = String(number).split('e')
  const [whole = '0', fraction = ''] = coefficient.split('.')
  return { mantissa: BigInt(whole + fraction), places: fraction.length - Number(exponent) }
}

function isSafe(mantissa: bigint): boolean {
  return mantissa <= Number.MAX_SAFE_INTEGER && mantissa >= Number.MIN_SAFE_INTEGER
}
