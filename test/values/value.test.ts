import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { typeName } from '../../src/values/stored-value.ts'
import { userValue } from '../../src/values/user-value.ts'
import { checkComment, toStoredValue } from '../../src/values/value.ts'
import { integer, isInteger } from '../../src/values/value-forms.ts'

const stored = (value: unknown) => toStoredValue(value, 'results.z')

function refusal(value: unknown) {
  let thrown: unknown
  try {
    stored(value)
  } catch (error) {
    thrown = error
  }
  return thrown as { code: string; message: string; where: string; hint: string }
}

describe('scalars', () => {
  test.each([
    [1.5, 'float64', 1.5],
    [3, 'float64', 3],
    [-0, 'float64', -0],
    [Number.NaN, 'float64', Number.NaN],
    [5n, 'int64', 5n],
    [-(2n ** 63n), 'int64', -(2n ** 63n)],
    [2n ** 63n - 1n, 'int64', 2n ** 63n - 1n],
    [true, 'bool', true],
    ['', 'str', ''],
    ['漢字 🧠', 'str', '漢字 🧠'],
    [integer(7), 'int64', 7],
  ])('%s is a %s', (value, dtype, expected) => {
    expect(stored(value)).toEqual({ form: 'scalar', dtype, value: expected })
  })

  test('integer marks whole numbers up to 2^53 and refuses others', () => {
    expect(isInteger(integer(-3))).toBe(true)
    expect(isInteger(3)).toBe(false)
    for (const value of [1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => integer(value)).toThrow(expect.objectContaining({ code: 'PYPET_VALUE_UNSUPPORTED' }))
    }
  })
})

describe('lists', () => {
  test.each([
    [[1, 2.5], 'float64', [1, 2.5]],
    [[1n, 2n], 'int64', [1n, 2n]],
    [[integer(1), integer(2)], 'int64', [1, 2]],
    [[true, false], 'bool', [true, false]],
    [['a', ''], 'str', ['a', '']],
    [[], 'float64', []],
  ])('%o is a list of %s', (value, dtype, values) => {
    expect(stored(value)).toEqual({ form: 'list', dtype, values })
  })
})

describe('lists of lists', () => {
  test.each([
    [
      [
        [1, 2, 3],
        [4, 5.5, Number.NaN],
      ],
      'float64',
      [2, 3],
      Float64Array.of(1, 2, 3, 4, 5.5, Number.NaN),
    ],
    [
      [
        [[1], [2]],
        [[3], [4]],
      ],
      'float64',
      [2, 2, 1],
      Float64Array.of(1, 2, 3, 4),
    ],
    [
      [
        [true, false],
        [false, true],
      ],
      'bool',
      [2, 2],
      Uint8Array.of(1, 0, 0, 1),
    ],
    [
      [
        ['a', ''],
        ['漢', 'b'],
      ],
      'str',
      [2, 2],
      ['a', '', '漢', 'b'],
    ],
    [[[integer(1)], [integer(-2)]], 'int64', [2, 1], BigInt64Array.of(1n, -2n)],
    [[[1n, 2n]], 'int64', [1, 2], BigInt64Array.of(1n, 2n)],
    [[[{ re: 1, im: 2 }], [{ re: 3, im: 4 }]], 'complex128', [2, 1], Float64Array.of(1, 2, 3, 4)],
    [[[], []], 'float64', [2, 0], new Float64Array(0)],
    [[[]], 'float64', [1, 0], new Float64Array(0)],
  ])('%o is an array of %s with the shape %j', (value, dtype, shape, data) => {
    const array = stored(value)
    expect(array).toMatchObject({ form: 'ndarray', dtype, shape, data, isNested: true })
    const isInteger = dtype === 'int64' && typeof value[0]?.[0] === 'object'
    if (!isInteger) expect(userValue(array)).toEqual(value)
    else expect(userValue(array)).toEqual([[1], [-2]])
  })

  test.each([
    [[[1, 2], [3]], 'results.z[1]', 'a row of 1, where others have 2'],
    [[[1, 2], 3], 'results.z[1]', 'a float64, where others are rows of 2'],
    [
      [
        [1, 2],
        [3, [4]],
      ],
      'results.z[1][1]',
      'a list of 1, where others are float64',
    ],
    [
      [
        [[1], [2]],
        [[3], [4, 5]],
      ],
      'results.z[1][1]',
      'a row of 2, where others have 1',
    ],
    [
      [
        [[1], [2]],
        [[3], [4], [5]],
      ],
      'results.z[1]',
      'a row of 3, where others have 2',
    ],
    [
      [
        [1, 2],
        [3, '4'],
      ],
      'results.z[1][1]',
      'a str, where others are float64',
    ],
    [[['a'], [1]], 'results.z[1][0]', 'a float64, where others are str'],
    [
      [
        [1, 2],
        [3, undefined],
      ],
      'results.z[1][1]',
      'undefined, where others are float64',
    ],
    [[[true], [null]], 'results.z[1][0]', 'null, where others are bool'],
    [[['a'], ['b\0']], 'results.z[1][0]', 'NUL'],
    [[[integer(1), 2.5]], 'results.z[0][1]', 'a float64, where others are int64'],
    [[[{ a: 1 }]], 'results.z[0][0]', 'a record'],
    [[[() => 1]], 'results.z[0][0]', 'a function'],
  ])('%o is refused with the place that differs', (value, where, found) => {
    const error = refusal(value)
    expect(error).toMatchObject({ code: 'PYPET_VALUE_UNSUPPORTED', where })
    expect(error.message).toContain(found)
    expect(error.hint).toContain('Allowed here')
  })

  test.each([
    [2n ** 63n, '9223372036854775808n', 'An int64 ranges from'],
    [new Date(Number.NaN), 'an invalid date', 'or store null'],
    [new Map(), 'an instance of Map', 'Store Object.fromEntries(map)'],
  ])('%o, with what to store instead', (value, found, hint) => {
    const error = refusal(value)
    expect(error).toMatchObject({ code: 'PYPET_VALUE_UNSUPPORTED', where: 'results.z' })
    expect(error.message).toContain(found)
    expect(error.hint).toContain(hint)
  })

  test('rows that hold themselves, or are typed arrays, are refused', () => {
    const ring: unknown[] = []
    ring.push(ring)
    expect(refusal(ring).message).toContain('lists nested more than 32 deep')
    expect(refusal([[1], Float64Array.of(1)]).message).toContain('a float64 array [1]')
  })
})

describe('arrays', () => {
  test.each([
    [Float64Array, 'float64'],
    [Float32Array, 'float32'],
    [Int8Array, 'int8'],
    [Int16Array, 'int16'],
    [Int32Array, 'int32'],
    [Uint8Array, 'uint8'],
    [Uint8ClampedArray, 'uint8'],
    [Uint16Array, 'uint16'],
    [Uint32Array, 'uint32'],
  ])('%o has the dtype %s and is not copied', (TypedArray, dtype) => {
    const data = TypedArray.of(1, 2, 3)
    const value = stored(data)
    expect(value).toMatchObject({ form: 'ndarray', dtype, shape: [3] })
    expect((value as { data: unknown }).data).toBe(data)
  })

  test('64-bit arrays and buffers keep their types', () => {
    expect(stored(BigInt64Array.of(1n))).toMatchObject({ dtype: 'int64', shape: [1] })
    expect(stored(BigUint64Array.of(1n))).toMatchObject({ dtype: 'uint64', shape: [1] })
    expect(stored(Buffer.from('abc'))).toMatchObject({ dtype: 'uint8', shape: [3] })
  })

  test.each([
    [[2, 3], 6],
    [[], 1],
    [[0, 3], 0],
    [[3, 0], 0],
  ])('an array of the shape %j has %i elements', (shape, length) => {
    const value = stored({ data: new Float32Array(length), shape })
    expect(value).toMatchObject({ form: 'ndarray', dtype: 'float32', shape })
  })

  test('a plain array of numbers with a shape is float64', () => {
    expect(stored({ data: [1, 2], shape: [2, 1] })).toEqual({
      form: 'ndarray',
      dtype: 'float64',
      shape: [2, 1],
      data: Float64Array.of(1, 2),
    })
  })

  test('a contiguous view is not copied, any other is gathered into C order', () => {
    const data = Int32Array.of(0, 1, 2, 3, 4, 5)
    const rows = stored({ data, shape: [2, 2], stride: [2, 1], offset: 0 }) as { data: Int32Array }
    expect([...rows.data]).toEqual([0, 1, 2, 3])
    expect(rows.data.buffer).toBe(data.buffer)
    const gathered = (view: object) => [...(stored({ data, ...view }) as { data: Int32Array }).data]
    expect(gathered({ shape: [3, 2], stride: [1, 3], offset: 0 })).toEqual([0, 3, 1, 4, 2, 5])
    expect(gathered({ shape: [3], stride: [-2], offset: 5 })).toEqual([5, 3, 1])
    expect(gathered({ shape: [2, 2], stride: [0, 1], offset: 4 })).toEqual([4, 5, 4, 5])
  })

  test('any view holds the elements that its strides name', () => {
    const view = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -3, max: 3 })), { maxLength: 4 })
      .map((axes) => ({ shape: axes.map(([size]) => size), stride: axes.map(([, step]) => step) }))
    fc.assert(
      fc.property(view, ({ shape, stride }) => {
        const data = Int16Array.from({ length: 200 }, (_, index) => index)
        const offset = 100
        const { data: gathered } = stored({ data, shape, stride, offset }) as { data: Int16Array }
        const expected: number[] = []
        const walk = (axis: number, position: number): void => {
          if (axis === shape.length) expected.push(position)
          else
            for (let i = 0; i < (shape[axis] ?? 0); i += 1) walk(axis + 1, position + i * (stride[axis] ?? 0))
        }
        walk(0, offset)
        expect([...gathered]).toEqual(expected)
      }),
    )
  })
})

describe('what cannot be stored is named with its path and what was found', () => {
  test.each([
    [undefined, 'results.z', 'undefined'],
    [Symbol('s'), 'results.z', 'a symbol'],
    [() => 1, 'results.z', 'a function'],
    [Symbol('s'), 'results.z', 'a symbol'],
    ['a\0b', 'results.z', 'NUL'],
    ['\ud800', 'results.z', 'lone surrogate'],
    [{ a: () => 1 }, 'results.z.a', 'a function'],
    [new DataView(new ArrayBuffer(8)), 'results.z', 'a DataView'],
    [[1, 'a'], 'results.z', 'mixes float64 and str (at [1])'],
    [[1, 2n], 'results.z', 'mixes float64 and int64 (at [1])'],
    [[1, [2]], 'results.z[1]', 'a list of float64 inside a list'],
    [[1, undefined], 'results.z[1]', 'undefined'],
    [['a', 'b\0'], 'results.z[1]', 'NUL'],
    [{ data: new Float64Array(5), shape: [2, 3] }, 'results.z', 'shape [2, 3] for 5 elements'],
    [{ data: new Float64Array(7), shape: [2, 3] }, 'results.z', 'shape [2, 3] for 7 elements'],
    [{ data: new Float64Array(1), shape: [-1] }, 'results.z.shape', ''],
    [{ data: new Float64Array(1), shape: 1 }, 'results.z.shape', '1'],
    [{ data: 'abc', shape: [3] }, 'results.z.data', 'a String'],
    [{ data: [1, '2'], shape: [2] }, 'results.z.data[1]', 'a string'],
    [{ data: new Float64Array(4), shape: [3], stride: [2], offset: 0 }, 'results.z', 'stride [2]'],
    [{ data: new Float64Array(4), shape: [3], stride: [-1], offset: 1 }, 'results.z', 'offset 1'],
    [{ data: new Float64Array(4), shape: [2, 2], stride: [3] }, 'results.z', 'stride [3]'],
  ])('%o', (value, where, found) => {
    const error = refusal(value)
    expect(error).toMatchObject({ code: 'PYPET_VALUE_UNSUPPORTED', where })
    expect(error.message).toContain(found)
    expect(error.hint).toContain('Allowed here')
  })

  test('a list of strings that would be padded beyond reason, but no long string by itself', () => {
    const long = 'ü'.repeat(200_000)
    const short: string[] = Array(2999).fill('short')
    expect(refusal([...short, long])).toMatchObject({
      code: 'PYPET_VALUE_UNSUPPORTED',
      where: 'results.z',
      message: expect.stringContaining(
        '3000 strings, each of which would take the 400000 bytes of the longest',
      ),
    })
    expect(stored([...short.slice(0, 2600), long])).toMatchObject({ form: 'list', dtype: 'str' })
    expect(stored([long])).toMatchObject({ form: 'list', dtype: 'str' })
  })

  test('a comment is any storable string and nothing else', () => {
    checkComment('Größe 🧠', 'the comment of z')
    for (const comment of [1.5, null, 'a\0', '\udfff']) {
      expect(() => checkComment(comment, 'the comment of z')).toThrow(
        expect.objectContaining({ code: 'PYPET_VALUE_UNSUPPORTED', where: 'the comment of z' }),
      )
    }
  })
})

test.each([
  [1, 'float64'],
  [['a'], 'list of str'],
  [{ data: new Float32Array(12), shape: [3, 4] }, 'float32 array [3, 4]'],
])('%j is named in messages as %s', (value, name) => {
  expect(typeName(stored(value))).toBe(name)
})
