import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cartesianProduct, zip } from '../../src/exploration/cartesian.ts'
import { concat } from '../../src/exploration/concat.ts'
import {
  type ExplorationSpec,
  explorationLength,
  explorationNames,
  explorationReader,
} from '../../src/exploration/exploration.ts'
import { points } from '../../src/exploration/points.ts'
import { arange } from '../../src/exploration/range.ts'
import { findUniquePoints } from '../../src/exploration/unique.ts'
import { explorationPoint } from './exploration-point.ts'

const columnOf = (spec: ExplorationSpec, name: string) =>
  Array.from({ length: explorationLength(spec) }, (_, run) => explorationReader(spec, name)(run))

describe('cartesianProduct', () => {
  test('C01: the last parameter varies fastest', () => {
    const { spec } = cartesianProduct({ p: [1, 2, 3], q: [42, 52.5] })
    expect(columnOf(spec, 'p')).toEqual([1, 1, 2, 2, 3, 3])
    expect(columnOf(spec, 'q')).toEqual([42, 52.5, 42, 52.5, 42, 52.5])
  })

  test.each([[[['r'], ['p', 'q']]], [['r', ['p', 'q']]], [['parameters.r', ['p', 'parameters.q']]]])(
    'C02: parameters of one combined group advance together: %j',
    (groups) => {
      const { spec } = cartesianProduct(
        { p: [42, 52.5], q: ['a', 'b'], r: [1, 2, 3] },
        groups as ['r', ['p', 'q']],
      )
      expect(explorationNames(spec)).toEqual(['r', 'p', 'q'])
      expect(columnOf(spec, 'r')).toEqual([1, 1, 2, 2, 3, 3])
      expect(columnOf(spec, 'p')).toEqual([42, 52.5, 42, 52.5, 42, 52.5])
      expect(columnOf(spec, 'q')).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
    },
  )

  test('groups of unequal lengths, forgotten, unknown and repeated names are refused', () => {
    const ranges = { p: [1, 2], q: [1, 2, 3], r: [1] }
    expect(() => cartesianProduct(ranges, ['r', ['p', 'q']])).toThrow(
      expect.objectContaining({
        code: 'PYPET_EXPLORATION_LENGTH',
        message: expect.stringMatching(/p has 2.* q has 3/),
      }),
    )
    expect(() => cartesianProduct(ranges, ['p', 'q'])).toThrow(/no combined group names r/)
    expect(() => cartesianProduct(ranges, ['p', 'q', 'r', 'z' as 'r'])).toThrow(
      expect.objectContaining({ code: 'PYPET_PARAMETER_UNKNOWN' }),
    )
    expect(() => cartesianProduct(ranges, ['p', 'q', 'r', 'p'])).toThrow(
      expect.objectContaining({ code: 'PYPET_NAME_TAKEN' }),
    )
  })

  test('nested, dotted and full names are the same', () => {
    const nested = cartesianProduct({ neuron: { tau: [1, 2] }, x: [3] })
    expect(cartesianProduct({ 'neuron.tau': [1, 2], x: [3] }).spec).toEqual(nested.spec)
    expect(cartesianProduct({ 'parameters.neuron.tau': [1, 2], parameters: { x: [3] } }).spec).toEqual(
      nested.spec,
    )
  })

  test('one name twice is refused', () => {
    expect(() => cartesianProduct({ 'neuron.tau': [1], neuron: { tau: [2] } })).toThrow(
      expect.objectContaining({ code: 'PYPET_NAME_TAKEN', where: 'explore.neuron.tau' }),
    )
    expect(() => cartesianProduct({ x: [1], 'parameters.x': [2] })).toThrow(
      expect.objectContaining({ code: 'PYPET_NAME_TAKEN' }),
    )
  })

  test('an empty range, a missing range and no range at all are refused', () => {
    expect(() => cartesianProduct({ x: [1], y: [] })).toThrow(
      expect.objectContaining({ code: 'PYPET_EXPLORATION_EMPTY', where: 'explore.y' }),
    )
    expect(() => cartesianProduct({ x: undefined as never })).toThrow(
      expect.objectContaining({ code: 'PYPET_EXPLORATION_INVALID', where: 'explore.x' }),
    )
    expect(() => cartesianProduct({})).toThrow(expect.objectContaining({ code: 'PYPET_EXPLORATION_EMPTY' }))
  })

  test('every combination comes once, in the order of nested loops', () => {
    const lists = fc.array(fc.integer(), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(lists, lists, lists, (a, b, c) => {
        const { spec } = cartesianProduct({ a, b, c })
        const expected = a.flatMap((x) => b.flatMap((y) => c.map((z) => ({ a: x, b: y, c: z }))))
        const found = Array.from({ length: explorationLength(spec) }, (_, run) => explorationPoint(spec, run))
        expect(found).toEqual(expected)
      }),
    )
  })

  test('ten million points are held as their ranges', () => {
    const { spec } = cartesianProduct({ a: arange(1000), b: arange(0, 100, 0.1), c: arange(10) })
    expect(explorationLength(spec)).toBe(10_000_000)
    expect(JSON.stringify(spec).length).toBeLessThan(500)
    expect(explorationPoint(spec, 9_999_999)).toEqual({ a: 999, b: 99.9, c: 9 })
    expect(explorationPoint(spec, 1_234_567)).toEqual({ a: 123, b: 45.6, c: 7 })
  })
})

describe('zip', () => {
  test('ranges advance side by side', () => {
    const { spec } = zip({
      x: [1, 2, 3],
      neuron: { tau: new Float64Array([4, 5, 6]) },
      b: [true, false, true],
    })
    expect(explorationPoint(spec, 1)).toEqual({ x: 2, 'neuron.tau': 5, b: false })
    expect(explorationLength(spec)).toBe(3)
  })

  test('one name twice is refused', () => {
    expect(() => zip({ x: [1], 'parameters.x': [2] })).toThrow(
      expect.objectContaining({ code: 'PYPET_NAME_TAKEN', where: 'explore.x' }),
    )
  })

  test('C05: unequal lengths are refused, naming both', () => {
    expect(() => zip({ x: [1, 2, 3], y: [1, 2, 3, 4] })).toThrow(
      expect.objectContaining({
        code: 'PYPET_EXPLORATION_LENGTH',
        message: 'explore: x has 3 values but y has 4 values, and they advance together',
        where: 'explore.y',
      }),
    )
  })
})

describe('points', () => {
  test('explicit points come in their order, whatever the order of their names', () => {
    const { spec } = points([{ x: 1, neuron: { tau: 2 } }, { 'neuron.tau': 4, x: 3 } as never])
    expect(explorationPoint(spec, 0)).toEqual({ x: 1, 'neuron.tau': 2 })
    expect(explorationPoint(spec, 1)).toEqual({ x: 3, 'neuron.tau': 4 })
  })

  test.each([
    [[], 'PYPET_EXPLORATION_EMPTY', 'explore'],
    [[{}], 'PYPET_EXPLORATION_EMPTY', 'explore[0]'],
    [[{ x: 1, y: 2 }, { x: 1 }], 'PYPET_EXPLORATION_LENGTH', 'explore[1]'],
    [[{ x: 1 }, { x: 1, y: 2 }], 'PYPET_EXPLORATION_LENGTH', 'explore[1]'],
    [[{ x: 1 }, 5], 'PYPET_EXPLORATION_INVALID', 'explore[1]'],
    [[{ x: null }], 'PYPET_PARAMETER_TYPE', 'explore[0].x'],
    [[{ 'a.b': 1, a: { b: 1 } }], 'PYPET_NAME_TAKEN', 'explore[0].a.b'],
  ])('%j is refused with %s at %s', (list, code, where) => {
    expect(() => points(list as never)).toThrow(expect.objectContaining({ code, where }))
  })
})

describe('concat', () => {
  test('explorations follow each other, and names may stand in another order', () => {
    const { spec } = concat(
      cartesianProduct({ x: [1, 2], y: [3, 4] }),
      points([{ y: 9, x: 8 }]),
      concat(zip({ x: [5, 6], y: [7, 8] })),
    )
    expect(columnOf(spec, 'x')).toEqual([1, 1, 2, 2, 8, 5, 6])
    expect(columnOf(spec, 'y')).toEqual([3, 4, 3, 4, 9, 7, 8])
  })

  test('other names are refused, saying which', () => {
    expect(() => concat(zip({ x: [1], y: [2] }), zip({ x: [1], z: [2] }) as never)).toThrow(
      expect.objectContaining({
        code: 'PYPET_EXPLORATION_LENGTH',
        message: expect.stringMatching(/explore\[1\] lacks y and explores z/),
      }),
    )
  })

  test('a later exploration of more names is refused too', () => {
    expect(() => concat(zip({ x: [1] }), zip({ x: [1], z: [2] }) as never)).toThrow(
      expect.objectContaining({
        code: 'PYPET_EXPLORATION_LENGTH',
        message: expect.stringMatching(/explore\[1\] explores z, which the first does not/),
      }),
    )
  })

  test('thousands of parts are read at their borders', () => {
    const parts = Array.from({ length: 3000 }, (_, index) => zip({ x: [index, index + 0.5] }))
    const { spec } = concat(...(parts as [(typeof parts)[0]]))
    expect(explorationLength(spec)).toBe(6000)
    expect([0, 1, 2, 5999].map((run) => explorationReader(spec, 'x')(run))).toEqual([0, 0.5, 1, 2999.5])
  })
})

describe('findUniquePoints', () => {
  test('C03: equal points are found, with their runs', () => {
    const unique = findUniquePoints(zip({ p: [1, 2, 1, 2, 1, 2], q: ['a', 'a', 'a', 'a', 'b', 'b'] }))
    expect(unique.map(({ point, runs }) => [point.p, point.q, runs])).toEqual([
      [1, 'a', [0, 2]],
      [2, 'a', [1, 3]],
      [1, 'b', [4]],
      [2, 'b', [5]],
    ])
  })

  test('values of different types or with commas and quotes stay apart, NaN equals NaN, and 0 is not -0', () => {
    expect(findUniquePoints(zip({ p: ['a,"b', 'a'], q: ['c', '"b,c'] }))).toHaveLength(2)
    expect(findUniquePoints(zip({ p: [Number.NaN, Number.NaN, 0, -0] }))).toHaveLength(3)
    expect(findUniquePoints(zip({ p: [1n, 2n, 1n] }))).toHaveLength(2)
  })

  test('keys of equal points are equal across explorations', () => {
    const [first] = findUniquePoints(zip({ x: [1], y: ['a'] }))
    const found = findUniquePoints(cartesianProduct({ x: [2, 1], y: ['b', 'a'] })).map(({ key }) => key)
    expect(found.indexOf(first?.key as string)).toBe(3)
  })
})

test('an exploration survives structured cloning and JSON', () => {
  const { spec } = concat(cartesianProduct({ x: [1, 2], y: arange(0, 1, 0.1) }), points([{ x: 1, y: 2 }]))
  for (const copy of [structuredClone(spec), JSON.parse(JSON.stringify(spec)) as ExplorationSpec]) {
    expect(explorationPoint(copy, 13)).toEqual(explorationPoint(spec, 13))
    expect(explorationLength(copy)).toBe(21)
  }
})

test('reading a parameter that is not explored is an error naming those that are', () => {
  expect(() => explorationReader(zip({ x: [1] }).spec, 'y')).toThrow(
    expect.objectContaining({ code: 'PYPET_PARAMETER_UNKNOWN', hint: 'Explored parameters: x.' }),
  )
})
