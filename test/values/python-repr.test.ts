import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pythonFloat, pythonRepr } from '../../src/values/python-repr.ts'
import { toStoredValue } from '../../src/values/value.ts'
import { integer } from '../../src/values/value-forms.ts'
import { text } from '../run/arbitrary-record.ts'

const repr = (value: unknown, lengthMax?: number) => pythonRepr(toStoredValue(value, 'value'), lengthMax)

// Expected texts were printed by Python 3.11.
test.each([
  [0, '0.0'],
  [-0, '-0.0'],
  [1, '1.0'],
  [-1.5, '-1.5'],
  [0.1 + 0.2, '0.30000000000000004'],
  [1e15, '1000000000000000.0'],
  [9999999999999998, '9999999999999998.0'],
  [1e16, '1e+16'],
  [1.5e16, '1.5e+16'],
  [123456789012345680, '1.2345678901234568e+17'],
  [1e100, '1e+100'],
  [0.0001, '0.0001'],
  [0.00012345, '0.00012345'],
  [-0.00012345, '-0.00012345'],
  [0.00001, '1e-05'],
  [1e-7, '1e-07'],
  [5e-324, '5e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [Number.NaN, 'nan'],
  [Number.POSITIVE_INFINITY, 'inf'],
  [Number.NEGATIVE_INFINITY, '-inf'],
])('the float %d is %s', (value, expected) => {
  expect(pythonFloat(value)).toBe(expected)
})

test('every float reads back as itself and looks like a float', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(pythonFloat(value))).toBe(value)
      expect(pythonFloat(value)).toMatch(/^-?\d+\.\d+$|^-?\d(\.\d+)?e[+-]\d\d+$/)
    }),
  )
})

test.each(
  (
    [
      [integer(3), '3'],
      [12345678901234567890n / 2n, '6172839450617283945'],
      [true, 'True'],
      [false, 'False'],
      ['', "''"],
      ['a', "'a'"],
      ["it's", '"it\'s"'],
      [`'"`, `'\\'"'`],
      ['"', `'"'`],
      ['a\\b\n\r\t', "'a\\\\b\\n\\r\\t'"],
      ['\x01\x7f\xa0', "'\\x01\\x7f\\xa0'"],
      ['ü 😀', "'ü 😀'"],
      ['\u2028\ufeff\u{e0001}', "'\\u2028\\ufeff\\U000e0001'"],
      [[], '[]'],
      [[1, 2.5], '[1.0, 2.5]'],
      [[1n, 2n], '[1, 2]'],
      [[true, false], '[True, False]'],
      [['a', "b'"], `['a', "b'"]`],
      [new Float64Array([1, 2.5, Number.NaN]), 'array([1., 2.5, nan])'],
      [new Float64Array(0), 'array([])'],
      [new Int32Array([1, -2]), 'array([1, -2], dtype=int32)'],
      [new BigInt64Array([1n]), 'array([1])'],
      [new Float32Array([0.1, 3]), 'array([0.1, 3.], dtype=float32)'],
      [{ data: new Float64Array([1, 2, 3, 4]), shape: [2, 2] }, 'array([[1., 2.], [3., 4.]])'],
      [{ data: new Float64Array([7]), shape: [] }, 'array(7.)'],
      [{ data: new Float64Array(0), shape: [0, 3] }, 'array([], shape=(0, 3))'],
    ] as [unknown, string][]
  ).map(([value, expected]) => ({ value, expected })),
)('$expected', ({ value, expected }) => {
  expect(repr(value)).toBe(expected)
})

test('long arrays show their edges', () => {
  expect(repr(Float64Array.from({ length: 1001 }, (_, index) => index))).toBe(
    'array([0., 1., 2., ..., 998., 999., 1000.])',
  )
  const matrix = { data: Uint8Array.from({ length: 4000 }, (_, index) => index % 10), shape: [1000, 4] }
  expect(repr(matrix)).toBe(
    'array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1], ..., [8, 9, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9]], dtype=uint8)',
  )
})

test('text longer than asked for is cut, and a long list costs what is shown', () => {
  expect(repr('abcdefghij', 8)).toBe("'abcd...")
  expect(repr('abcdef', 8)).toBe("'abcdef'")
  expect(repr([1, 2, 3], 15)).toBe('[1.0, 2.0, 3.0]')
  expect(repr([1, 2, 3], 14)).toBe('[1.0, 2.0, ...')
  let reads = 0
  const values = new Proxy(
    Array.from({ length: 100_000 }, () => 1),
    {
      get(target, key, receiver) {
        reads += 1
        return Reflect.get(target, key, receiver)
      },
    },
  )
  expect(pythonRepr({ form: 'list', dtype: 'float64', values }, 20)).toBe('[1.0, 1.0, 1.0, 1...')
  expect(reads).toBeLessThan(100)
})

test('of a long text no more is escaped than what is shown', () => {
  fc.assert(
    fc.property(text(), fc.integer({ min: 3, max: 20 }), (whole, lengthMax) => {
      const full = repr(whole)
      const cut = full.length > lengthMax ? `${full.slice(0, lengthMax - 3)}...` : full
      expect(repr(whole, lengthMax)).toBe(cut)
    }),
  )
  // Escaped as a whole it would be longer than a string can be.
  expect(repr('\x01'.repeat(2 ** 28), 12)).toBe("'\\x01\\x01...")
})
