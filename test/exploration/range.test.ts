import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  arange,
  linspace,
  logspace,
  type Range,
  rangeLength,
  rangeReader,
  toRange,
} from '../../src/exploration/range.ts'
import { integer } from '../../src/values/value-forms.ts'

const valuesOf = (range: Range) =>
  Array.from({ length: rangeLength(range) }, (_, index) => rangeReader(range)(index))

describe('arange', () => {
  test('0 to 1 by 0.1 is exactly ten values as they are written', () => {
    expect(valuesOf(arange(0, 1, 0.1)).map(String)).toEqual(
      '0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9'.split(' '),
    )
  })

  test.each([
    { call: [5], expected: [0, 1, 2, 3, 4] },
    { call: [2, 5], expected: [2, 3, 4] },
    { call: [1, 1.3, 0.1], expected: [1, 1.1, 1.2] },
    { call: [0, 1, 0.3], expected: [0, 0.3, 0.6, 0.9] },
    { call: [5, 0, -2], expected: [5, 3, 1] },
    { call: [-0.2, 0.2, 0.1], expected: [-0.2, -0.1, 0, 0.1] },
    { call: [1e-7, 4e-7, 1e-7], expected: [1e-7, 2e-7, 3e-7] },
    { call: [1e21, 1.3e21, 1e20], expected: [1e21, 1.1e21, 1.2e21] },
    { call: [2 ** 53, 2 ** 53 + 6, 2], expected: [2 ** 53, 2 ** 53 + 2, 2 ** 53 + 4] },
    { call: [0, 3e-30, 1e-30], expected: [0, 1e-30, 2e-30] },
  ] as const)('arange($call) is $expected', ({ call, expected }) => {
    expect(valuesOf(arange(...(call as [number, number, number])))).toEqual(expected)
  })

  test('any decimal grid gives the doubles nearest to its decimals, and as many as fit before the stop', () => {
    const grid = fc.record({
      first: fc.integer({ min: -1e6, max: 1e6 }),
      step: fc.integer({ min: -1e4, max: 1e4 }).filter((step) => step !== 0),
      length: fc.integer({ min: 1, max: 50 }),
      places: fc.integer({ min: 0, max: 12 }),
    })
    fc.assert(
      fc.property(grid, ({ first, step, length, places }) => {
        const decimal = (mantissa: number) => Number(`${mantissa}e-${places}`)
        const range = arange(decimal(first), decimal(first + step * length), decimal(step))
        const expected = Array.from({ length }, (_, index) => decimal(first + index * step) + 0)
        expect(valuesOf(range)).toEqual(expected)
      }),
    )
  })

  test('more digits than a double counts exactly still give the nearest doubles', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10n ** 16n, max: 9n * 10n ** 16n }), (digits) => {
        const start = Number(`0.${digits}`)
        const written = String(start).slice(2).padEnd(20, '0')
        const expected = Array.from({ length: 9 }, (_, index) =>
          Number(`${BigInt(written) + BigInt(index) * 10n ** 17n}e-20`),
        )
        expect(valuesOf(arange(start, start + 0.0085, 0.001)).slice(0, 9)).toEqual(expected)
      }),
    )
  })

  test('a zero step and a step away from the stop are refused', () => {
    expect(() => arange(0, 1, 0)).toThrow(expect.objectContaining({ code: 'PYPET_EXPLORATION_INVALID' }))
    expect(() => arange(5, 0)).toThrow(
      expect.objectContaining({
        code: 'PYPET_EXPLORATION_EMPTY',
        hint: 'Change the sign of the step: arange(5, 0, -1).',
      }),
    )
    expect(() => arange(1, 1)).toThrow(expect.objectContaining({ code: 'PYPET_EXPLORATION_EMPTY' }))
    expect(() => arange(0, Number.POSITIVE_INFINITY)).toThrow(/stop is Infinity/)
  })

  test.each([
    [0, 1e300, 1e-300],
    [0, 1, 1e-300],
    [0, 2 ** 53, 1],
  ])('arange(%d, %d, %d) has too many values to be counted', (start, stop, step) => {
    expect(() => arange(start, stop, step)).toThrow(
      expect.objectContaining({
        code: 'PYPET_EXPLORATION_INVALID',
        message: expect.stringContaining('more values than can be counted'),
      }),
    )
  })

  test('a range of a billion values costs nothing until it is read', () => {
    const range = arange(0, 1e9, 1)
    expect(rangeLength(range)).toBe(1e9)
    expect(rangeReader(range)(999_999_999)).toBe(999_999_999)
  })
})

describe('linspace and logspace', () => {
  test('the values are those of numpy', () => {
    expect(valuesOf(linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(valuesOf(linspace(0, 1, 11))[3]).toBe(0.30000000000000004)
    expect(valuesOf(linspace(2, 1, 3))).toEqual([2, 1.5, 1])
    expect(valuesOf(linspace(7, 9, 1))).toEqual([7])
    expect(valuesOf(logspace(-5, 1, 7))).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10])
    expect(valuesOf(logspace(0, 3, 4, 2))).toEqual([1, 2, 4, 8])
    expect(valuesOf(logspace(0, 1, 3))[1]).toBe(3.1622776601683795)
  })

  test('the last value is the stop itself', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }), (stop) => {
        expect(rangeReader(linspace(0.1, stop, 7))(6)).toBe(stop)
      }),
    )
  })

  test('counts that are no whole number above 0 are refused', () => {
    expect(() => linspace(0, 1, 0)).toThrow(expect.objectContaining({ code: 'PYPET_EXPLORATION_EMPTY' }))
    expect(() => logspace(0, 1, 2.5)).toThrow(expect.objectContaining({ code: 'PYPET_EXPLORATION_INVALID' }))
    expect(() => linspace(Number.NaN, 1)).toThrow(
      expect.objectContaining({ code: 'PYPET_EXPLORATION_INVALID' }),
    )
  })
})

describe('toRange', () => {
  test('a list is copied, so changing it later changes nothing', () => {
    const list = [1, 2]
    const range = toRange(list, 'explore.x')
    list[0] = 9
    expect(valuesOf(range)).toEqual([1, 2])
    const typed = new Float64Array([1, 2])
    const typedRange = toRange(typed, 'explore.x')
    typed[0] = 9
    expect(valuesOf(typedRange)).toEqual([1, 2])
  })

  test('integers are unwrapped, so the range is plain data', () => {
    const range = toRange([integer(1), integer(2)], 'explore.n')
    expect(structuredClone(range)).toEqual({ kind: 'values', values: [1, 2] })
  })

  test.each([
    [[1, null], 'PYPET_PARAMETER_TYPE', 'explore.x[1]'],
    [[() => 1], 'PYPET_PARAMETER_TYPE', 'explore.x[0]'],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested.
    [[1, , 3], 'PYPET_PARAMETER_TYPE', 'explore.x[1]'],
    [[], 'PYPET_EXPLORATION_EMPTY', 'explore.x'],
    [new Float64Array(0), 'PYPET_EXPLORATION_EMPTY', 'explore.x'],
    ['abc', 'PYPET_EXPLORATION_INVALID', 'explore.x'],
    [5, 'PYPET_EXPLORATION_INVALID', 'explore.x'],
    [new DataView(new ArrayBuffer(8)), 'PYPET_EXPLORATION_INVALID', 'explore.x'],
  ])('%j is refused with %s at %s', (input, code, where) => {
    expect(() => toRange(input, 'explore.x')).toThrow(expect.objectContaining({ code, where }))
  })

  test('a reader survives structured cloning of its range', () => {
    for (const range of [
      arange(0, 1, 0.1),
      linspace(0, 1, 4),
      logspace(0, 2, 3),
      toRange([1n], 'explore.x'),
    ]) {
      const cloned = rangeReader(structuredClone(range))
      expect(cloned(0)).toEqual(rangeReader(range)(0))
    }
  })
})
