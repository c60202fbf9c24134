/** Orders, groups and lists of rows. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupRows } from '../../src/results/aggregate.ts'
import { ARRAY_REDUCTIONS, quantile } from '../../src/results/array-reductions.ts'
import { blockOf, cellReader, sliceRows, storedAt, takeRows } from '../../src/results/block.ts'
import { sortRows } from '../../src/results/sort-rows.ts'
import { splitList } from '../../src/results/split-list.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'

const scalar = (value: number | string | boolean | bigint): StoredValue => {
  const dtype = { number: 'float64', string: 'str', boolean: 'bool', bigint: 'int64' } as const
  return { form: 'scalar', dtype: dtype[typeof value as 'number'], value }
}
const someNumber = fc.option(fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 })), { nil: undefined })
const someValue = fc.option(
  fc.oneof(fc.double(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean(), fc.string()),
  { nil: undefined },
)
const stored = (value: number | string | boolean | bigint | undefined) =>
  value === undefined ? undefined : scalar(value)

describe('a block', () => {
  test('gives back what it was made of, whole, in slices and in another order', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.array(someNumber), fc.array(someValue))), (lists) => {
        for (const list of lists) {
          const block = blockOf(list.map(stored))
          const expected = list.map((value) =>
            typeof value === 'bigint' && Number.isSafeInteger(Number(value))
              ? Number(value)
              : (value ?? null),
          )
          const read = cellReader(block)
          expect(list.map((_, row) => read(row))).toEqual(expected)
          const middle = Math.floor(list.length / 2)
          const slice = cellReader(sliceRows(block, middle, list.length))
          expect(list.slice(middle).map((_, row) => slice(row))).toEqual(expected.slice(middle))
          const backwards = Uint32Array.from(list, (_, row) => list.length - 1 - row)
          const taken = cellReader(takeRows(block, backwards))
          expect(list.map((_, row) => taken(row))).toEqual(expected.toReversed())
          const again = blockOf(list.map((_, row) => storedAt(block)(row)))
          expect(list.map((_, row) => cellReader(again)(row))).toEqual(expected)
        }
      }),
    )
  })
})

describe('an order', () => {
  test('is that of the values, with missing ones last, and rows that are equal keep theirs', () => {
    fc.assert(
      fc.property(fc.array(someNumber), fc.boolean(), fc.nat({ max: 5 }), (list, isDescending, limit) => {
        const order = [...sortRows([{ block: blockOf(list.map(stored)), isDescending }], list.length)]
        expect([...order].sort((one, other) => one - other)).toEqual(list.map((_, row) => row))
        const isLast = (row: number | undefined) =>
          row === undefined || list[row] === undefined || Number.isNaN(list[row])
        for (const [place, row] of order.entries()) {
          const next = order[place + 1]
          if (next === undefined || isLast(next)) continue
          expect(isLast(row)).toBe(false)
          const [one, other] = [list[row] as number, list[next] as number]
          if (one === other) expect(row).toBeLessThan(next)
          else expect(one < other).toBe(!isDescending)
        }
        const first = sortRows([{ block: blockOf(list.map(stored)), isDescending }], list.length, limit)
        expect([...first].slice(0, limit)).toEqual(order.slice(0, limit))
      }),
    )
  })

  test('of many rows with a limit begins like the whole order', () => {
    const values = Float64Array.from({ length: 20_000 }, (_, row) => Math.imul(row, 2654435761) % 1000)
    const key = {
      block: { present: undefined, form: 'number', dtype: 'float64', values },
      isDescending: true,
    } as const
    const whole = sortRows([key], values.length)
    for (const limit of [0, 1, 10, 1500])
      expect(sortRows([key], values.length, limit).slice(0, limit)).toEqual(whole.slice(0, limit))
  })
})

test('rows are in one group exactly if their values are equal', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(someValue, someNumber)), (rows) => {
      const keys = [0, 1].map((at) => blockOf(rows.map((row) => stored(row[at as 0]))))
      const { groupOf, first } = groupRows(keys, rows.length)
      const texts = rows.map((_, row) =>
        keys
          .map((key) => {
            const cell = cellReader(key)(row)
            return `${typeof cell} ${cell}`
          })
          .join('|'),
      )
      for (const [row, group] of groupOf.entries()) expect(texts[first[group] as number]).toBe(texts[row])
      expect(first.length).toBe(new Set(texts).size)
    }),
  )
})

test.each([
  ['x, z', ['x', 'z']],
  ['mean(z, 2), "a,b"', ['mean(z, 2)', '"a,b"']],
  ['x in [1, 2], `a,b`', ['x in [1, 2]', '`a,b`']],
])('%s is a list of %j', (text, parts) => {
  expect(splitList(text, 'here')).toEqual(parts)
})

test('statistics are those of numpy, with the divisor of a sample', () => {
  const values = [3, 1, 4, 1, 5]
  expect(
    Object.fromEntries(Object.entries(ARRAY_REDUCTIONS).map(([name, compute]) => [name, compute(values)])),
  ).toEqual({
    mean: 2.8,
    std: expect.closeTo(1.7888543819998317, 14),
    var: expect.closeTo(3.2, 14),
    sum: 14,
    min: 1,
    max: 5,
    median: 3,
    length: 5,
  })
  expect([0, 0.1, 0.5, 0.9, 1].map((fraction) => quantile(values, fraction))).toEqual([
    1,
    1,
    3,
    expect.closeTo(4.6, 14),
    5,
  ])
  expect(ARRAY_REDUCTIONS.mean?.([])).toBeNaN()
})
