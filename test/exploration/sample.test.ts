import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Exploration } from '../../src/exploration/exploration.ts'
import { permutationReader } from '../../src/exploration/keyed-permutation.ts'
import { philox4x32, STREAMS, uniformReader } from '../../src/exploration/philox.ts'
import { planRuns } from '../../src/exploration/plan.ts'
import { arange } from '../../src/exploration/range.ts'
import { runPoint } from '../../src/exploration/run-point.ts'
import { latinHypercube, random, sobol } from '../../src/exploration/sample.ts'
import { between, choice, logBetween } from '../../src/exploration/sample-range.ts'
import { SOBOL_DIMENSIONS_MAX } from '../../src/exploration/sobol-directions.ts'
import { sobolReader } from '../../src/exploration/sobol-sequence.ts'
import { findUniquePoints } from '../../src/exploration/unique.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'
import { SCIPY_SOBOL } from './scipy-sobol.ts'

const parameters = flattenParameters(
  { x: 1, y: 1, n: integer(3), big: 1n, on: true, kind: 'a', list: [1], neuron: { tau: 20 } },
  'parameters',
)
const planOf = ({ spec }: Pick<Exploration, 'spec'>) => planRuns({ parameters, exploration: spec })
const pointsOf = (explored: Pick<Exploration, 'spec'>) => {
  const plan = planOf(explored)
  return Array.from({ length: plan.runCount }, (_, run) => runPoint(plan, run))
}
const columnOf = (explored: Pick<Exploration, 'spec'>, name: string) =>
  pointsOf(explored).map((point) => point[name])

describe('the generator', () => {
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[-1, -1, -1, -1], [-1, -1], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('gives the published words for the counter %j', (counter, key, expected) => {
    const words = new Uint32Array(4)
    philox4x32(new Uint32Array(counter), new Uint32Array(key), words)
    expect([...words].map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(expected)
  })

  test('is even, and streams of other names, seeds and purposes have nothing in common', () => {
    const count = 20_000
    const columns = [
      uniformReader({ seed: 0, name: 'x', stream: STREAMS.uniform }),
      uniformReader({ seed: 0, name: 'y', stream: STREAMS.uniform }),
      uniformReader({ seed: 1, name: 'x', stream: STREAMS.uniform }),
      uniformReader({ seed: 2 ** 32, name: 'x', stream: STREAMS.uniform }),
      uniformReader({ seed: 0, name: 'x', stream: STREAMS.jitter }),
    ].map((read) => Array.from({ length: count }, (_, index) => read(index) - 0.5))
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / count
    for (const [index, column] of columns.entries()) {
      expect(Math.abs(mean(column))).toBeLessThan(0.01)
      expect(mean(column.map((value) => value ** 2))).toBeCloseTo(1 / 12, 2)
      for (const other of columns.slice(index + 1)) {
        expect(Math.abs(mean(column.map((value, at) => value * (other[at] as number))))).toBeLessThan(0.005)
      }
    }
  })
})

describe('a shuffle that is held nowhere', () => {
  test('has every place once, whatever the length, the seed and the name', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.maxSafeNat(), fc.string(), (length, seed, name) => {
        const read = permutationReader(seed, name, length)
        expect(new Set(Array.from({ length }, (_, index) => read(index))).size).toBe(length)
      }),
      { numRuns: 60 },
    )
  })

  test('has every order of three about equally often', () => {
    const counts = new Map<string, number>()
    for (let seed = 0; seed < 6000; seed += 1) {
      const read = permutationReader(seed, 'x', 3)
      const order = [0, 1, 2].map(read).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210'])
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  test('reaches the largest length', () => {
    const read = permutationReader(5, 'x', 2 ** 31 - 1)
    for (const index of [0, 1, 2 ** 31 - 2]) {
      expect(read(index)).toBeGreaterThanOrEqual(0)
      expect(read(index)).toBeLessThan(2 ** 31 - 1)
    }
  })
})

describe('sobol', () => {
  test.each(SCIPY_SOBOL)('has the point %i of SciPy in all its dimensions', (index, coordinates) => {
    const found = coordinates.map((_, dimension) => sobolReader(dimension, 0)(index) * 2 ** 14)
    expect(coordinates).toHaveLength(SOBOL_DIMENSIONS_MAX)
    expect(found).toEqual(coordinates)
  })

  test('begins at the lower bounds, and fills them in the order of declaration', () => {
    expect(pointsOf(sobol({ x: [0, 1], y: [10, 20] }, { count: 4 }))).toEqual([
      { x: 0, y: 10 },
      { x: 0.5, y: 15 },
      { x: 0.75, y: 12.5 },
      { x: 0.25, y: 17.5 },
    ])
  })

  test('with a seed all points of a parameter are shifted by the same bits, and stay as even', () => {
    const bitsOf = (column: readonly unknown[]) => column.map((value) => (value as number) * 2 ** 32)
    const plain = bitsOf(columnOf(sobol({ x: [0, 1] }, { count: 256 }), 'x'))
    const shifted = bitsOf(columnOf(sobol({ x: [0, 1] }, { count: 256, seed: 7 }), 'x'))
    const shifts = new Set(plain.map((bits, index) => (bits ^ (shifted[index] as number)) >>> 0))
    expect(shifts.size).toBe(1)
    expect(shifts).not.toContain(0)
    expect(new Set(shifted.map((bits) => Math.floor(bits / 2 ** 24))).size).toBe(256)
  })

  test('a larger count adds points', () => {
    const bounds = { x: [0, 1], n: [1, 6] } as const
    expect(pointsOf(sobol(bounds, { count: 20, seed: 3 })).slice(0, 9)).toEqual(
      pointsOf(sobol(bounds, { count: 9, seed: 3 })),
    )
  })
})

describe('latinHypercube', () => {
  test('has one point in each part of each parameter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.maxSafeNat(), (count, seed) => {
        const explored = latinHypercube({ x: [0, count], y: [0, count] }, { count, seed })
        for (const name of ['x', 'y']) {
          const parts = columnOf(explored, name).map((value) => Math.floor(value as number))
          expect(new Set(parts).size).toBe(count)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('the parameters are shuffled apart', () => {
    const explored = pointsOf(latinHypercube({ x: [0, 1], y: [0, 1] }, { count: 1000 }))
    const correlation =
      explored.reduce((sum, { x, y }) => sum + ((x as number) - 0.5) * ((y as number) - 0.5), 0) / 1000
    expect(Math.abs(correlation)).toBeLessThan(0.01)
  })
})

/** Of a million points of seed 1 the last, worked out in Python by Philox4x32-10 with whole numbers of any length. */
const LAST_OF_A_MILLION = {
  random: { x: 0.03488289147973356, n: 5 },
  latinHypercube: { x: 0.48087603112048477, n: 7 },
  sobol: { x: 0.3821084164083004, n: 9 },
}

describe.each([
  ['random', random],
  ['latinHypercube', latinHypercube],
  ['sobol', sobol],
] as const)('%s', (method, sample) => {
  test('the same seed gives the same points, another one others', () => {
    const bounds = { x: [0, 1], neuron: { tau: [5, 6] } } as const
    const first = pointsOf(sample(bounds, { count: 50, seed: 2 }))
    expect(pointsOf(sample(bounds, { count: 50, seed: 2 }))).toEqual(first)
    expect(pointsOf(sample(bounds, { count: 50, seed: 3 }))).not.toEqual(first)
    for (const point of first) expect(point['neuron.tau']).toSatisfy((tau: number) => tau >= 5 && tau <= 6)
  })

  test('float64 stays below the upper bound, int64 takes whole numbers with both bounds, bigints as such', () => {
    const explored = sample(
      { x: [-1, 1], n: [1, 3], big: [-1n, 1n], y: logBetween(0.01, 100) },
      { count: 512, seed: 1 },
    )
    const [x, n, big, y] = ['x', 'n', 'big', 'y'].map((name) => columnOf(explored, name))
    for (const value of x as number[]) expect(value).toSatisfy((number: number) => number >= -1 && number < 1)
    expect([...new Set(n)].sort()).toEqual([1, 2, 3])
    expect(new Set(big)).toEqual(new Set([-1n, 0n, 1n]))
    // As many below 1 as above, where a linear scale has one in a hundred.
    const small = (y as number[]).filter((value) => value < 1).length
    expect(Math.abs(small - 256)).toBeLessThan(60)
    for (const value of y as number[])
      expect(value).toSatisfy((number: number) => number >= 0.01 && number <= 100)
  })

  test('whole numbers on a logarithmic scale stay within their bounds', () => {
    const found = columnOf(sample({ n: logBetween(1, 1000) }, { count: 400, seed: 1 }), 'n') as number[]
    for (const value of found)
      expect(value).toSatisfy((n: number) => Number.isInteger(n) && n >= 1 && n <= 1000)
    expect(found.filter((value) => value <= 31).length).toBeGreaterThan(150)
  })

  test('a list is chosen from, each value about as often', () => {
    const explored = sample(
      { kind: choice(['a', 'b', 'c']), on: [true, false], x: arange(0, 10, 5), n: choice([7, 9]) },
      { count: 600, seed: 4 },
    )
    const kinds = columnOf(explored, 'kind')
    for (const kind of ['a', 'b', 'c']) {
      expect(Math.abs(kinds.filter((found) => found === kind).length - 200)).toBeLessThan(60)
    }
    expect(new Set(columnOf(explored, 'on'))).toEqual(new Set([true, false]))
    expect(new Set(columnOf(explored, 'x'))).toEqual(new Set([0, 5]))
    expect(new Set(columnOf(explored, 'n'))).toEqual(new Set([7, 9]))
  })

  test('any point of a million is read alone', () => {
    const plan = planOf(sample({ x: [0, 1], n: [0, 9] }, { count: 1_000_000, seed: 1 }))
    expect(plan.runCount).toBe(1_000_000)
    expect(JSON.stringify(plan.exploration).length).toBeLessThan(400)
    expect(runPoint(plan, 999_999)).toEqual(LAST_OF_A_MILLION[method])
    expect(runPoint(structuredClone(plan), 999_999)).toEqual(LAST_OF_A_MILLION[method])
  })

  test('another parameter and another order leave the draws of the others', () => {
    if (method === 'sobol') return // Its dimensions are counted.
    const first = columnOf(sample({ x: [0, 1], y: [0, 1] }, { count: 30, seed: 5 }), 'y')
    expect(columnOf(sample({ y: [0, 1] }, { count: 30, seed: 5 }), 'y')).toEqual(first)
    expect(columnOf(sample({ y: [0, 1], n: [1, 2], x: [0, 1] }, { count: 30, seed: 5 }), 'y')).toEqual(first)
  })
})

test('a larger count of random points adds some', () => {
  expect(pointsOf(random({ x: [0, 1] }, { count: 40 })).slice(0, 10)).toEqual(
    pointsOf(random({ x: [0, 1] }, { count: 10, seed: 0 })),
  )
})

test('unique points of a sampler are found without knowing the parameters', () => {
  expect(findUniquePoints(random({ on: [true, false] }, { count: 50 }))).toHaveLength(2)
})

const names = Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`p${index}`, [0, 1] as const]))

test.each([
  ['PYPET_EXPLORATION_INVALID', 'explore.x', '0 and 1', () => random({ x: [1, 0] }, { count: 1 })],
  ['PYPET_EXPLORATION_INVALID', 'explore.x', '--set', () => random({ x: [1, 1] }, { count: 1 })],
  ['PYPET_EXPLORATION_INVALID', 'explore.x', 'finite', () => random({ x: [0, Infinity] }, { count: 1 })],
  [
    'PYPET_EXPLORATION_INVALID',
    'explore.x',
    'choice(',
    () => random({ x: [1, 2, 3] as never }, { count: 1 }),
  ],
  ['PYPET_EXPLORATION_INVALID', 'explore.x', 'list', () => random({ x: 'a' as never }, { count: 1 })],
  ['PYPET_EXPLORATION_EMPTY', 'explore.x', 'at least one', () => random({ x: [] }, { count: 1 })],
  ['PYPET_EXPLORATION_EMPTY', 'explore', 'x: [0, 1]', () => random({}, { count: 1 })],
  ['PYPET_EXPLORATION_INVALID', 'explore', 'x: [0, 1]', () => random([] as never, { count: 1 })],
  [
    'PYPET_NAME_TAKEN',
    'explore.x',
    'Keep',
    () => random({ x: [0, 1], 'parameters.x': [0, 1] }, { count: 1 }),
  ],
  ['PYPET_EXPLORATION_INVALID', 'explore.count', 'count: 100', () => random({ x: [0, 1] }, {} as never)],
  ['PYPET_EXPLORATION_EMPTY', 'explore.count', 'at least one', () => random({ x: [0, 1] }, { count: 0 })],
  ['PYPET_EXPLORATION_INVALID', 'explore.count', 'whole', () => random({ x: [0, 1] }, { count: 1.5 })],
  ['PYPET_EXPLORATION_INVALID', 'explore.count', 'whole', () => random({ x: [0, 1] }, { count: 2 ** 31 })],
  ['PYPET_EXPLORATION_INVALID', 'explore.seed', '2^53', () => sobol({ x: [0, 1] }, { count: 1, seed: -1 })],
  [
    'PYPET_EXPLORATION_INVALID',
    'explore.seeds',
    'seed?',
    () => sobol({ x: [0, 1] }, { count: 1, seeds: 1 } as never),
  ],
  ['PYPET_EXPLORATION_INVALID', 'explore', 'hypercube', () => sobol(names, { count: 1 })],
  ['PYPET_EXPLORATION_INVALID', 'logBetween(0, 1)', 'linear', () => logBetween(0, 1)],
  ['PYPET_EXPLORATION_INVALID', 'between(2, 1)', '1 and 2', () => between(2, 1)],
  ['PYPET_EXPLORATION_EMPTY', 'choice', 'at least one', () => choice([])],
  ['PYPET_PARAMETER_TYPE', 'choice[0]', 'numbers', () => choice([{}] as never)],
  ['PYPET_PARAMETER_TYPE', 'explore.kind', 'list', () => planOf(random({ kind: [0, 1] }, { count: 1 }))],
  ['PYPET_PARAMETER_TYPE', 'explore.n', 'whole numbers', () => planOf(random({ n: [0.5, 1] }, { count: 1 }))],
  [
    'PYPET_PARAMETER_TYPE',
    'explore.list',
    'list to choose',
    () => planOf(random({ list: [0, 1] }, { count: 1 })),
  ],
  [
    'PYPET_PARAMETER_TYPE',
    'explore.n[1]',
    'whole',
    () => planOf(random({ n: choice([1, 1.5]) }, { count: 1 })),
  ],
  [
    'PYPET_PARAMETER_UNKNOWN',
    'explore.tau',
    'neuron.tau',
    () => planOf(random({ tau: [0, 1] }, { count: 1 })),
  ],
])('a wrong sampler is refused with %s at %s, and the hint %s', (code, where, hint, make) => {
  expect(make).toThrow(expect.objectContaining({ code, where, hint: expect.stringContaining(hint) }))
})
