/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011). It computes the
 * draw at any place of any stream without the earlier draws, so the last point of a million is as cheap as the first.
 */

/** The purpose of a stream. Streams with the same seed and name but different purposes are independent. */
export const STREAMS = { uniform: 0, jitter: 1, permutation: 2, shift: 3 } as const
type Stream = (typeof STREAMS)[keyof typeof STREAMS]

export interface StreamKey {
  /** A whole number from 0 to 2^53 - 1. */
  readonly seed: number
  /** The name of the parameter. Adding or reordering other parameters therefore changes nothing here. */
  readonly name: string
  readonly stream: Stream
}

/** Reads the number at an index of a stream: from 0 to 1 (exclusive), a multiple of 2^-53. */
export function uniformReader(key: StreamKey): (index: number) => number {
  const read = wordsReader(key)
  return (index) => {
    const words = read(index)
    return ((words[0] as number) >>> 5) * 2 ** -27 + ((words[1] as number) >>> 6) * 2 ** -53
  }
}

/** Reads four 32-bit words at an index of a stream. The next call overwrites the array. */
export function wordsReader({ seed, name, stream }: StreamKey): (index: number) => Uint32Array {
  const [low, high] = nameWords(name)
  const key = new Uint32Array([seed % 2 ** 32, Math.floor(seed / 2 ** 32)])
  const counter = new Uint32Array([0, stream, low, high])
  const words = new Uint32Array(4)
  return (index) => {
    counter[0] = index
    philox4x32(counter, key, words)
    return words
  }
}

const ROUNDS = 10
const MULTIPLIER_A = 0xd2511f53
const MULTIPLIER_B = 0xcd9e8d57
const WEYL_A = 0x9e3779b9
const WEYL_B = 0xbb67ae85

/** The block of four words for a counter of four words and a key of two. */
export function philox4x32(counter: Uint32Array, key: Uint32Array, into: Uint32Array): void {
  let [c0, c1, c2, c3] = counter as unknown as [number, number, number, number]
  let [k0, k1] = key as unknown as [number, number]
  for (let round = 0; round < ROUNDS; round += 1) {
    const highA = highProduct(MULTIPLIER_A, c0)
    const lowA = Math.imul(MULTIPLIER_A, c0)
    const highB = highProduct(MULTIPLIER_B, c2)
    const lowB = Math.imul(MULTIPLIER_B, c2)
    c0 = (highB ^ c1 ^ k0) >>> 0
    c1 = lowB >>> 0
    c2 = (highA ^ c3 ^ k1) >>> 0
    c3 = lowA >>> 0
    k0 = (k0 + WEYL_A) >>> 0
    k1 = (k1 + WEYL_B) >>> 0
  }
  into[0] = c0
  into[1] = c1
  into[2] = c2
  into[3] = c3
}

/** The upper 32 bits of a product of two words. Halves of 16 bits keep every step exact. */
function highProduct(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  return aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16)
}

/** A name as two words: FNV-1a with two offsets, and a final step that spreads short names over all bits. */
function nameWords(name: string): readonly [number, number] {
  let low = 0x811c9dc5
  let high = 0x050c5d1f
  for (let index = 0; index < name.length; index += 1) {
    const unit = name.charCodeAt(index)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x01000193)
  }
  return [mixed(low), mixed(high)]
}

/** The final step of MurmurHash3: a bijection of words in which every bit affects every bit. */
export function mixed(word: number): number {
  let bits = word
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
