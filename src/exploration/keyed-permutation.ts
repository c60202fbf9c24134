import { mixed, STREAMS, wordsReader } from './philox.ts'

/** Enough to make any count look shuffled. Four would do for long ranges, but short ones have few bits to mix. */
const ROUNDS = 10

/**
 * A shuffle of 0 to `length - 1` that is read one place at a time and not kept in memory. It is a Feistel network over the
 * next power of two, repeated until the result is within the length (at most twice on average).
 *
 * @param length from 1 to 2^31
 */
export function permutationReader(seed: number, name: string, length: number): (index: number) => number {
  const bits = Math.max(2, 32 - Math.clz32(length - 1))
  const leftBits = bits >>> 1
  const rightBits = bits - leftBits
  const leftMask = 2 ** leftBits - 1
  const rightMask = 2 ** rightBits - 1
  const words = wordsReader({ seed, name, stream: STREAMS.permutation })
  const keys = Uint32Array.from({ length: ROUNDS }, (_, round) => words(round)[0] as number)
  return (index) => {
    let place = index
    do {
      let left = place >>> rightBits
      let right = place & rightMask
      for (let round = 0; round < ROUNDS; round += 2) {
        left ^= mixed(right ^ (keys[round] as number)) & leftMask
        right ^= mixed(left ^ (keys[round + 1] as number)) & rightMask
      }
      place = ((left << rightBits) | right) >>> 0
    } while (place >= length)
    return place
  }
}
