/** The distributions of `traj.random`, over a generator with a fixed state. */
import { describe, expect, test } from 'vitest'
import { isPypetError } from '../../src/errors.ts'
import { runSeeds } from '../../src/executors/run-seeds.ts'

const random = () => runSeeds({ seed: 7, parameters: [] })({}).random
const COUNT = 20_000

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
const moment = (values: Float64Array, power: number) => mean(values.map((value) => value ** power))

/** The largest distance between what was drawn and the distribution function (Kolmogorov and Smirnov). */
function distance(values: Float64Array, distribution: (value: number) => number): number {
  const sorted = values.slice().sort()
  return sorted.reduce((most, value, index) => {
    const at = distribution(value)
    return Math.max(most, at - index / sorted.length, (index + 1) / sorted.length - at)
  }, 0)
}

/** Abramowitz and Stegun 26.2.17, to 7.5e-8. */
function normalDistribution(value: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(value))
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const upper = (Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
  return value < 0 ? upper : 1 - upper
}

/** Exceeded once in a thousand times. */
const DISTANCE_MAX = 1.95 / Math.sqrt(COUNT)

describe('what is drawn has the distribution that it is named for', () => {
  test('uniform', () => {
    const values = random().uniform(0, 1, COUNT)
    expect(distance(values, (value) => value)).toBeLessThan(DISTANCE_MAX)
    expect(Math.abs(mean(values) - 1 / 2)).toBeLessThan(0.008)
    expect(Math.abs(moment(values, 2) - 1 / 3)).toBeLessThan(0.008)
  })

  test('normal', () => {
    const values = random().normal(0, 1, COUNT)
    expect(distance(values, normalDistribution)).toBeLessThan(DISTANCE_MAX)
    expect(Math.abs(mean(values))).toBeLessThan(0.024)
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(0.034)
    expect(Math.abs(moment(values, 3))).toBeLessThan(0.1)
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(0.25)
  })

  test('integers: each is equally likely, also where the count is no power of two', () => {
    const counts = new Array(10).fill(0)
    for (const value of random().integers(-3, 7, COUNT)) counts[value + 3] += 1
    const chiSquared = counts.reduce((sum, found) => sum + (found - COUNT / 10) ** 2 / (COUNT / 10), 0)
    expect(chiSquared).toBeLessThan(27.9)
  })

  test('shuffle: each order is equally likely, and no element is lost', () => {
    const found = new Map<string, number>()
    const { shuffle } = random()
    for (let time = 0; time < 6000; time += 1) {
      const order = shuffle([1, 2, 3]).join('')
      found.set(order, (found.get(order) ?? 0) + 1)
    }
    expect([...found.keys()].sort()).toEqual(['123', '132', '213', '231', '312', '321'])
    for (const times of found.values()) expect(Math.abs(times - 1000)).toBeLessThan(100)
  })

  test('successive numbers and neighbouring streams are not correlated', () => {
    const draw = random()
    const first = draw.stream('a').normal(0, 1, COUNT)
    const second = draw.stream('b').normal(0, 1, COUNT)
    expect(Math.abs(mean(first.map((value, index) => value * (second[index] as number))))).toBeLessThan(0.024)
    expect(Math.abs(mean(first.map((value, index) => value * (first[index + 1] ?? 0))))).toBeLessThan(0.024)
  })
})

describe('calls', () => {
  test('an array holds what as many single calls give', () => {
    const [many, single] = [random(), random()]
    const pairs = [
      [many.uniform(2, 5, 9), () => single.uniform(2, 5)],
      [many.normal(1, 3, 9), () => single.normal(1, 3)],
      [many.integers(0, 99, 9), () => single.integers(0, 99)],
    ] as const
    for (const [array, draw] of pairs) expect([...array]).toEqual(Array.from({ length: 9 }, draw))
  })

  test('the named streams go on where they were, whatever is drawn from others', () => {
    const [first, second] = [random(), random()]
    const whole = first.stream('noise').uniform(0, 1, 4)
    const halves = [...second.stream('noise').uniform(0, 1, 2)]
    second.normal(0, 1, 10)
    second.stream('other').bool()
    halves.push(...second.stream('noise').uniform(0, 1, 2))
    expect(halves).toEqual([...whole])
    expect(first.stream('a').stream('b').uniform()).not.toBe(first.stream('b').uniform())
  })

  test('shuffle returns the array that it was given; choice and bool obey their arguments', () => {
    const draw = random()
    const array = Int16Array.of(1, 2, 3, 4)
    expect(draw.shuffle(array)).toBe(array)
    expect([...array].sort()).toEqual([1, 2, 3, 4])
    expect(['x', 'y']).toContain(draw.choice(['x', 'y']))
    expect([draw.bool(0), draw.bool(1)]).toEqual([false, true])
    expect(draw.uniform(3, 3)).toBe(3)
    expect(draw.integers(Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER + 1)).toBe(Number.MIN_SAFE_INTEGER)
  })

  test.each([
    ['uniform(2, 1)', () => random().uniform(2, 1)],
    ['uniform(0, Infinity)', () => random().uniform(0, Number.POSITIVE_INFINITY)],
    ['uniform(-1e308, 1e308)', () => random().uniform(-1e308, 1e308)],
    ["uniform('0')", () => random().uniform('0' as never)],
    ['uniform(0, 1, -1)', () => random().uniform(0, 1, -1)],
    ['uniform(0, 1, 1.5)', () => random().uniform(0, 1, 1.5)],
    ['normal(NaN)', () => random().normal(Number.NaN)],
    ['normal(0, -1)', () => random().normal(0, -1)],
    ['integers(0)', () => random().integers(0, undefined as never)],
    ['integers(1, 1)', () => random().integers(1, 1)],
    ['integers(0, 2.5)', () => random().integers(0, 2.5)],
    ['integers(-2^53 + 1, 2^53 - 1)', () => random().integers(-(2 ** 53) + 1, 2 ** 53 - 1)],
    ['bool(2)', () => random().bool(2)],
    ['choice([])', () => random().choice([])],
    ['shuffle(undefined)', () => random().shuffle(undefined as never)],
    ['stream(1)', () => random().stream(1 as never)],
  ])('%s is refused by name', (call, draw) => {
    const method = `traj.random.${call.slice(0, call.indexOf('('))}`
    expect(draw).toThrow(expect.objectContaining({ code: 'PYPET_VALUE_UNSUPPORTED', where: method }))
    try {
      draw()
    } catch (error) {
      expect(isPypetError(error) && error.hint).toBeTruthy()
    }
  })
})
