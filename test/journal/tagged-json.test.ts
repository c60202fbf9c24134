import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTaggedJson, encodeTaggedJson } from '../../src/journal/tagged-json.ts'

const key = fc.oneof(fc.string(), fc.constantFrom('$bigint', '$array', '$object', '$number', '__proto__', ''))
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'binary' }),
    fc.float64Array({ maxLength: 5 }),
    fc.uint8Array({ maxLength: 5 }),
    fc.bigInt64Array({ maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

test('any plain value comes back as it was', () => {
  fc.assert(
    fc.property(value, (given) => {
      expect(decodeTaggedJson(encodeTaggedJson(given))).toStrictEqual(given)
    }),
    { numRuns: 500 },
  )
})

test('what is undefined is absent', () => {
  expect(decodeTaggedJson(encodeTaggedJson({ a: undefined, b: 1 }))).toStrictEqual({ b: 1 })
})

test('an unknown kind of array is refused', () => {
  expect(() => decodeTaggedJson('{"$array":"Function","base64":""}')).toThrow(
    'unknown kind of array: "Function"',
  )
})
