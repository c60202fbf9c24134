import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutToUtf8Bytes, longestUtf8Bytes, utf8Bytes } from '../../src/values/utf8.ts'
import { text } from '../run/arbitrary-record.ts'

describe('cutting text', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, '...'],
    ['abcdef', 5, 'ab...'],
    ['äöü', 6, 'äöü'],
    ['äöü', 5, 'ä...'],
    ['äöü', 4, '...'],
    ['🧠🧠', 8, '🧠🧠'],
    ['🧠🧠', 7, '🧠...'],
    ['🧠🧠', 6, '...'],
    ['', 1, ''],
  ])('%j in %i bytes is %j', (whole, bytesMax, cut) => {
    expect(cutToUtf8Bytes(whole, bytesMax)).toBe(cut)
  })

  test('any text fits, is unchanged if it fitted, else begins as it did and ends in dots', () => {
    fc.assert(
      fc.property(text(), fc.integer({ min: 3, max: 40 }), (whole, bytesMax) => {
        const cut = cutToUtf8Bytes(whole, bytesMax)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytesMax)
        if (Buffer.byteLength(whole) <= bytesMax) expect(cut).toBe(whole)
        else {
          expect(cut.endsWith('...')).toBe(true)
          expect(whole.startsWith(cut.slice(0, -3))).toBe(true)
          // No character more would have fitted.
          const next = [...whole][[...cut].length - 3] as string
          expect(Buffer.byteLength(cut) + Buffer.byteLength(next)).toBeGreaterThan(bytesMax)
        }
      }),
    )
  })
})

test('a text has as many bytes as Node counts, and the longest of many as many as the longest', () => {
  fc.assert(
    fc.property(fc.array(text()), (texts) => {
      const bytes = texts.map((each) => Buffer.byteLength(each))
      expect(texts.map(utf8Bytes)).toEqual(bytes)
      expect(longestUtf8Bytes(texts)).toBe(Math.max(0, ...bytes))
    }),
  )
})
