/** What a job throws that is no error, or more than one, is recorded so that it helps. */
import { describe, expect, test } from 'vitest'
import { toErrorRecord } from '../src/errors.ts'

class TooHot extends Error {}
class Point {
  readonly x = 3
}

describe('the record of what was thrown', () => {
  test.each([
    [{ a: 1 }, '{ a: 1 }'],
    [{ message: 'no error', code: 7 }, '{ message: "no error", code: 7 }'],
    [
      { deep: { list: [1, 'two', null], deeper: { deepest: {} } } },
      '{ deep: { list: [1, "two", null], deeper: { deepest: {…} } } }',
    ],
    [new Point(), 'Point { x: 3 }'],
    [[1, 2], '[1, 2]'],
    [null, 'null'],
    [undefined, 'undefined'],
    ['text', '"text"'],
    [7, '7'],
    [7n, '7n'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [Float64Array.of(1, 2), '[1, 2]'],
    [
      Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index])),
      /^\{ k0: 0, .*k9: 9, … \}$/,
    ],
  ])('%o', (thrown, text) => {
    const { name, message, hint } = toErrorRecord(thrown)
    expect(name).toBe('NonError')
    if (typeof text === 'string') expect(message).toBe(`thrown: ${text}`)
    else expect(message.replace('thrown: ', '')).toMatch(text)
    expect(hint).toMatch(/^Throw an Error/)
  })

  test('a long one is cut, and one that holds itself ends', () => {
    expect(toErrorRecord('x'.repeat(1e6)).message.length).toBeLessThan(1100)
    const ring: Record<string, unknown> = {}
    ring.ring = ring
    expect(toErrorRecord(ring).message).toBe('thrown: { ring: { ring: { ring: {…} } } }')
  })

  test('an error without a message has the name of its class', () => {
    expect(toErrorRecord(new TooHot())).toMatchObject({ name: 'TooHot', message: '' })
    expect(toErrorRecord(new TypeError('x')).name).toBe('TypeError')
  })

  test('causes, properties and the errors of an aggregate stand behind the stack', () => {
    const error = Object.assign(new Error('outer', { cause: { reason: [1, 2] } }), { status: 404 })
    expect(toErrorRecord(error).stack).toMatch(/\n.* \{ status: 404 \}\ncaused by \{ reason: \[1, 2\] \}$/s)
    const many = new AggregateError([new Error('one'), new TypeError('two')], 'many')
    expect(toErrorRecord(many).stack).toMatch(/ \{ errors: \[Error: one, TypeError: two\] \}$/)
  })
})
