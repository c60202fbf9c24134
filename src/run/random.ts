/**
 * `traj.random`: distributions over a stream of 32-bit words. They use only operations that IEEE 754 defines to the last bit
 * (`+ - * /` and the square root), so a stream gives the same numbers on every machine and in every version of Node.js.
 */
import { PypetError } from '../errors.ts'
import type { TypedArray } from '../values/typed-array.ts'

/**
 * Random numbers of one run. An array holds the same numbers as single calls in sequence.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` for arguments that do not describe a distribution
 */
export interface RunRandom {
  /** A number from `low` (inclusive) to `high` (exclusive), from 53 random bits. */
  uniform(low?: number, high?: number): number
  uniform(low: number, high: number, length: number): Float64Array
  /** A number from the normal distribution with this mean and standard deviation. */
  normal(mean?: number, sd?: number): number
  normal(mean: number, sd: number, length: number): Float64Array
  /** A whole number from `low` to `high` (exclusive). Each is equally likely, without the bias of a remainder. */
  integers(low: number, high: number): number
  integers(low: number, high: number, length: number): Float64Array
  /** True with this probability. */
  bool(probability?: number): boolean
  /** One element. Each is equally likely. */
  choice<Element>(elements: ArrayLike<Element>): Element
  /** Shuffles the elements in place and returns the same array. */
  shuffle<Elements extends unknown[] | TypedArray>(elements: Elements): Elements
  /**
   * A separate stream that does not depend on draws from other streams. The same name returns the same stream, which
   * continues where it was.
   */
  stream(name: string): RunRandom
}

/** The source of words. Each call of `next` returns the next 32 random bits. */
export interface WordStream {
  next(): number
}

/** Numbers are drawn ahead, few at first. Most jobs need few, and jobs that need many avoid the cost of each call. */
const AHEAD_MIN = 4
const AHEAD_MAX = 256

/** @param open makes the generator of a named stream */
export function randomOf(words: WordStream, open: (name: string) => RunRandom): RunRandom {
  const streams = new Map<string, RunRandom>()
  let ahead = new Float64Array(0)
  let used = 0
  /** 53 bits as a whole number. Every method draws only these, so numbers drawn ahead stay in the order of the stream. */
  const bits53 = (): number => {
    if (used === ahead.length) {
      if (ahead.length < AHEAD_MAX) ahead = new Float64Array(Math.max(AHEAD_MIN, ahead.length * 4))
      fillBits53(ahead, words)
      used = 0
    }
    const bits = ahead[used] as number
    used += 1
    return bits
  }
  /** In [0, 1). */
  const unit = () => bits53() / 2 ** 53
  const below = (count: number): number => {
    // Numbers from here on would make the first ones more likely.
    const end = 2 ** 53 - (2 ** 53 % count)
    for (;;) {
      const bits = bits53()
      if (bits < end) return bits % count
    }
  }
  const between = (low: number, high: number): number => {
    const value = low + (high - low) * unit()
    // Rounding may give the excluded end.
    return value < high ? value : low
  }
  /** Marsaglia's polar method. Its second number is dropped, so that each call is independent. */
  const standardNormal = (): number => {
    for (;;) {
      const x = 2 * unit() - 1
      const y = 2 * unit() - 1
      const square = x * x + y * y
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * logarithm(square)) / square)
    }
  }
  const random = {
    uniform(low = 0, high = 1, length?: number) {
      assertFinite('uniform', 'low', low)
      assertFinite('uniform', 'high', high)
      if (!(low <= high) || !Number.isFinite(high - low)) throw refused('uniform', `from ${low} to ${high}`)
      if (length === undefined) return between(low, high)
      return filled('uniform', length, () => between(low, high))
    },
    normal(mean = 0, sd = 1, length?: number) {
      assertFinite('normal', 'mean', mean)
      assertFinite('normal', 'sd', sd)
      if (sd < 0) throw refused('normal', `a standard deviation of ${sd}`)
      if (length === undefined) return mean + sd * standardNormal()
      return filled('normal', length, () => mean + sd * standardNormal())
    },
    integers(low: number, high: number, length?: number) {
      const isRange = Number.isSafeInteger(low) && Number.isSafeInteger(high) && high > low
      if (!isRange || high - low > 2 ** 53) throw refused('integers', `from ${low} to ${high}`)
      if (length === undefined) return low + below(high - low)
      return filled('integers', length, () => low + below(high - low))
    },
    bool(probability = 0.5) {
      if (!(probability >= 0 && probability <= 1)) throw refused('bool', `a probability of ${probability}`)
      return unit() < probability
    },
    choice<Element>(elements: ArrayLike<Element>): Element {
      if (!(elements?.length > 0)) throw refused('choice', 'nothing to choose from')
      return elements[below(elements.length)] as Element
    },
    shuffle<Elements extends unknown[] | TypedArray>(elements: Elements): Elements {
      if (!Array.isArray(elements) && !ArrayBuffer.isView(elements))
        throw refused('shuffle', 'something that is not an array')
      for (let last = elements.length - 1; last > 0; last -= 1) {
        const other = below(last + 1)
        const kept = elements[last] as never
        elements[last] = elements[other] as never
        elements[other] = kept
      }
      return elements
    },
    stream(name: string): RunRandom {
      if (typeof name !== 'string') throw refused('stream', `the name ${String(name)}`)
      const known = streams.get(name) ?? open(name)
      streams.set(name, known)
      return known
    },
  }
  return random as RunRandom
}

/** Takes two words each, without their lowest bits, which are the weakest. */
function fillBits53(into: Float64Array, words: WordStream): void {
  for (let index = 0; index < into.length; index += 1) {
    const high27 = words.next() >>> 5
    const low26 = words.next() >>> 6
    into[index] = high27 * 2 ** 26 + low26
  }
}

function filled(method: string, length: number, draw: () => number): Float64Array {
  if (!Number.isSafeInteger(length) || length < 0) throw refused(method, `a length of ${length}`)
  const values = new Float64Array(length)
  for (let index = 0; index < length; index += 1) values[index] = draw()
  return values
}

/**
 * The natural logarithm, to two units in the last place. `Math.log` may differ between engines, and so would every
 * result based on a normal number.
 */
function logarithm(value: number): number {
  let mantissa = value
  let exponent = 0
  // Exact, since only the exponent changes. No value here is below 2^-106.
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2
    exponent -= 1
  }
  const s = (mantissa - 1) / (mantissa + 1)
  const square = s * s
  let sum = 0
  // log(m) = 2 (s + s³/3 + s⁵/5 + …). The remaining terms are below 2^-53 of the sum.
  for (let index = 0; index < INVERSES.length; index += 1) sum = (sum + (INVERSES[index] as number)) * square
  return 2 * s * (1 + sum) + exponent * Math.LN2
}

/** Inverses of the odd numbers from 23 down to 3. */
const INVERSES = Float64Array.from({ length: 11 }, (_, index) => 1 / (23 - 2 * index))

function assertFinite(method: string, name: string, value: unknown): void {
  if (!Number.isFinite(value)) throw refused(method, `${name} is ${String(value)}`)
}

function refused(method: string, found: string): PypetError {
  return new PypetError('PYPET_VALUE_UNSUPPORTED', `traj.random.${method} cannot draw: ${found}`, {
    where: `traj.random.${method}`,
    hint: HINTS[method],
  })
}

const HINTS: Readonly<Record<string, string>> = {
  uniform: 'Give two finite numbers, the lower one first: uniform(0, 1), or uniform(0, 1, length).',
  normal: 'Give a mean and a standard deviation >= 0: normal(0, 1), or normal(0, 1, length).',
  integers:
    'Give two whole numbers; the higher one is excluded: integers(0, 10), or integers(0, 10, length).',
  bool: 'Give a number from 0 to 1.',
  choice: 'Give a list or an array with elements.',
  shuffle: 'Give an array, or a typed array.',
  stream: "Give a text: stream('noise').",
}
