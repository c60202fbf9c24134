import { STREAMS, wordsReader } from './philox.ts'
import { SOBOL_DIRECTIONS } from './sobol-directions.ts'

/** Bits of a coordinate, and so the logarithm of the number of points in the sequence. */
const BITS = 32

/**
 * Reads one coordinate of Sobol's sequence, from 0 to 1 (exclusive). Points come in the usual order of the Gray code of
 * their index (Antonov and Saleev), so the first 2^k points are those of the plain order.
 *
 * @param dimension from 0 to `SOBOL_DIMENSIONS_MAX` (exclusive)
 * @param shift 32 bits that are flipped in every point (a digital shift, which keeps the points as even); 0 for none
 */
export function sobolReader(dimension: number, shift: number): (index: number) => number {
  const directions = directionsOf(dimension)
  return (index) => {
    let bits = shift
    let gray = index ^ (index >>> 1)
    for (let bit = 0; gray !== 0; bit += 1, gray >>>= 1) {
      if ((gray & 1) === 1) bits ^= directions[bit] as number
    }
    return (bits >>> 0) * 2 ** -BITS
  }
}

/** The shift of one parameter for a seed; 0 without a seed. */
export function digitalShift(seed: number | undefined, name: string): number {
  if (seed === undefined) return 0
  return wordsReader({ seed, name, stream: STREAMS.shift })(0)[0] as number
}

/** The direction numbers v: each m at its place within 32 bits, by the recurrence of the polynomial. */
function directionsOf(dimension: number): Uint32Array {
  const directions = new Uint32Array(BITS)
  const given = SOBOL_DIRECTIONS[dimension - 1]
  if (given === undefined) return directions.map((_, bit) => 2 ** (BITS - 1 - bit))
  const { polynomial, initial } = given
  const degree = initial.length
  for (let bit = 0; bit < BITS; bit += 1) {
    if (bit < degree) {
      directions[bit] = (initial[bit] as number) * 2 ** (BITS - 1 - bit)
      continue
    }
    const before = directions[bit - degree] as number
    let next = before ^ (before >>> degree)
    for (let term = 1; term < degree; term += 1) {
      if (((polynomial >>> (degree - 1 - term)) & 1) === 1) next ^= directions[bit - term] as number
    }
    directions[bit] = next
  }
  return directions
}
