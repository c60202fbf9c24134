/** When two values are the same: what expanding, merging and finding unique points go by. */
import { expect, test } from 'vitest'
import { toStoredValue } from '../../src/values/value.ts'
import { valueKey } from '../../src/values/value-key.ts'

const keyOf = (value: unknown) => valueKey(toStoredValue(value, 'value'))

test('values that differ in form, element type, shape or a bit have different keys', () => {
  const large = (last: number) => {
    const array = new Float64Array(1000)
    array[999] = last
    return array
  }
  const values = [
    1,
    -1,
    0,
    -0,
    1n,
    '1',
    true,
    null,
    new Date(1),
    { re: 1, im: 0 },
    [],
    [1],
    [0],
    [-0],
    [1n],
    ['1'],
    [true],
    [1, 2],
    [2, 1],
    ['ab', 'c'],
    ['a', 'bc'],
    ['abc'],
    Float64Array.of(1),
    Float32Array.of(1),
    Float64Array.of(1, 2),
    Uint8Array.of(1),
    Int8Array.of(1),
    Uint8Array.of(1, 0),
    Uint8Array.of(1, 0, 0, 0),
    { data: Float64Array.of(1, 2), shape: [1, 2] },
    { data: Float64Array.of(1, 2), shape: [2, 1] },
    { data: Float64Array.of(1, 2), shape: [1], dtype: 'complex128' },
    large(1),
    large(2),
    { a: 1 },
    { b: 1 },
    { indptr: [0, 1], indices: [0], data: [1], shape: [1, 1] },
    { indptr: [0, 1], indices: [0], data: [2], shape: [1, 1] },
  ]
  const keys = values.map(keyOf)
  expect(new Set(keys).size).toBe(values.length)
})

test('equal values have one key, wherever their bytes lie', () => {
  const bytes = new Uint8Array(3 + 40)
  const numbers = Float64Array.of(1, 2, 3, 4, 5)
  bytes.set(new Uint8Array(numbers.buffer), 3)
  expect(keyOf(bytes.subarray(3))).toBe(keyOf(new Uint8Array(numbers.buffer)))
  expect(keyOf([Number.NaN])).toBe(keyOf([-Number.NaN]))
  expect(keyOf(new Float64Array(100_000))).toBe(keyOf(new Float64Array(100_000)))
})
