import fc from 'fast-check'
import { expect, test } from 'vitest'
import { binEdges, numberScale, positionOf, roundedScale, ticksOf } from '../../src/plot/scale.ts'

const textsOf = (values: number[], count: number, kind?: 'log') =>
  ticksOf(numberScale(values, kind), count).map(({ text }) => text)

test('ticks are round numbers with the same number of decimals', () => {
  expect(textsOf([0, 1], 5)).toEqual(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'])
  expect(textsOf([-3, 42], 5)).toEqual(['0', '10', '20', '30', '40'])
  expect(textsOf([0, 5e7], 5)).toEqual(['0', '1e7', '2e7', '3e7', '4e7', '5e7'])
  expect(textsOf([1e-7, 5e-7], 3)).toEqual(['2e-7', '4e-7'])
})

test('ticks of a logarithmic axis are powers of ten, and 2 and 5 times these if there is room', () => {
  expect(textsOf([0.001, 1], 5, 'log')).toEqual(['0.001', '0.01', '0.1', '1'])
  expect(textsOf([1, 16], 8, 'log')).toEqual(['1', '2', '5', '10'])
  expect(textsOf([1e-12, 1e12], 6, 'log').length).toBeLessThanOrEqual(6)
})

test('a single value has room around it', () => {
  expect(numberScale([5]).domain).toEqual([4.5, 5.5])
  expect(numberScale([0]).domain).toEqual([-1, 1])
  expect(numberScale([]).domain).toEqual([0, 1])
})

test('a rounded scale ends at ticks', () => {
  expect(roundedScale(numberScale([0.13, 0.87]), 5).domain).toEqual([0, 1])
})

test('for any numbers, the domain is finite, ticks are on the axis, and bins cover it', () => {
  const numbers = fc.array(
    fc.oneof(fc.double(), fc.constantFrom(0, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 1 + 2e-16)),
  )
  const property = fc.property(
    numbers,
    fc.constantFrom('linear', 'log'),
    fc.integer({ min: 1, max: 40 }),
    (values, kind, count) => {
      const scale = numberScale(values, kind)
      for (const each of [scale, roundedScale(scale, count)]) {
        expect(each.domain.every(Number.isFinite)).toBe(true)
        expect(each.domain[0]).toBeLessThan(each.domain[1])
        const ticks = ticksOf(each, count)
        expect(ticks.length).toBeLessThanOrEqual(2 * count + 3)
        for (const { position } of ticks) {
          expect(position).toBeGreaterThanOrEqual(0)
          expect(position).toBeLessThanOrEqual(1)
        }
      }
      for (const value of values.filter(Number.isFinite)) {
        const position = positionOf(scale, value)
        if (!Number.isNaN(position)) expect(position >= 0 && position <= 1).toBe(true)
      }
      const edges = binEdges(scale, count)
      expect(edges.every(Number.isFinite)).toBe(true)
      expect(edges.length).toBeGreaterThan(1)
    },
  )
  fc.assert(property, { numRuns: 500 })
})
