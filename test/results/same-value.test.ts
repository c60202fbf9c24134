import { describe, expect, test } from 'vitest'
import { differenceOf, isSameValue } from '../../src/results/same-value.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'

const float = (value: number): StoredValue => ({ form: 'scalar', dtype: 'float64', value })
const integer = (value: bigint): StoredValue => ({ form: 'scalar', dtype: 'int64', value })
const text = (value: string): StoredValue => ({ form: 'scalar', dtype: 'str', value })
const array = (shape: number[], ...data: number[]): StoredValue => ({
  form: 'ndarray',
  dtype: 'float64',
  shape,
  data: Float64Array.from(data),
})

describe('the same', () => {
  test.each<[StoredValue | undefined, StoredValue | undefined, boolean]>([
    [float(1), float(1), true],
    [float(1), integer(1n), true],
    [integer(2n ** 60n), integer(2n ** 60n + 1n), false],
    [float(Number.NaN), float(Number.NaN), true],
    [float(0), text('0'), false],
    [text('a'), text('a'), true],
    [undefined, float(1), false],
    [undefined, undefined, true],
    [{ form: 'null' }, { form: 'null' }, true],
    [array([2], 1, Number.NaN), array([2], 1, Number.NaN), true],
    [array([2], 1, 2), array([2, 1], 1, 2), false],
    [array([2], 1, 2), array([2], 1, 3), false],
  ])('%o and %o: %s', (one, other, isSame) => {
    expect(isSameValue(one, other)).toBe(isSame)
  })
})

describe('the difference', () => {
  test('of numbers has a sign, and is relative to the size of the first', () => {
    expect(differenceOf(float(-2), float(-1))).toEqual({ absolute: 1, relative: 0.5, at: undefined })
    expect(differenceOf(float(0), float(-1))).toEqual({ absolute: -1, relative: undefined, at: undefined })
    expect(differenceOf(integer(2n ** 60n), integer(2n ** 60n + 1n))?.absolute).toBe(1)
  })

  test('of arrays is the largest one, and where', () => {
    const one = array([2, 3], 1, 2, 3, 4, 5, 6)
    expect(differenceOf(one, array([2, 3], 1, 2, 4, 2, 5, 6))).toEqual({
      absolute: 2,
      relative: 0.5,
      at: [1, 0],
    })
    expect(differenceOf(one, array([2, 3], 1, 2, 3, 4, Number.NaN, 60))).toEqual({
      absolute: Number.NaN,
      relative: undefined,
      at: [1, 1],
    })
  })

  test('of other values, and of arrays of other shapes, is none', () => {
    expect(differenceOf(text('a'), text('b'))).toBeUndefined()
    expect(differenceOf(array([1], 1), array([2], 1, 2))).toBeUndefined()
    expect(differenceOf(float(1), undefined)).toBeUndefined()
    expect(differenceOf(float(1), array([1], 2))).toBeUndefined()
  })
})
