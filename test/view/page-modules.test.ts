/** The parts of the page that need no browser. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { yieldCores } from '../../src/cli/view/yield-cores.ts'
import { parseSlice, sliceArray } from '../../src/view/array-slice.ts'
import { CpuBudget } from '../../src/view/cpu-budget.ts'
import { addressOf, parseAddress } from '../../src/view/page/address.ts'
import { roundNumbers } from '../../src/view/page/axis.ts'
import { escapeXml } from '../../src/view/page/escape-xml.ts'
import { bytesText, durationText, exactText, shortText, timeTexts } from '../../src/view/page/number-text.ts'
import { sortedRows } from '../../src/view/page/row-order.ts'
import { decodeMessage, encodeMessage } from '../../src/view/view-protocol.ts'

describe('the order of rows', () => {
  const numbers = fc.array(fc.oneof(fc.double(), fc.constantFrom(0, -0, 1, Number.NaN), fc.integer()))

  test.each([false, true])('is that of a stable sort, with NaN last (descending: %s)', (isDescending) => {
    fc.assert(
      fc.property(numbers, (list) => {
        const isNaNLast = (one: number, other: number) =>
          Number(Number.isNaN(one)) - Number(Number.isNaN(other))
        const expected = list
          .map((_, row) => row)
          .sort((one, other) => {
            const [a, b] = [list[one] as number, list[other] as number]
            const byNaN = isNaNLast(a, b)
            if (byNaN !== 0 || Number.isNaN(a)) return byNaN
            if (a === b) return 0
            return (a < b ? -1 : 1) * (isDescending ? -1 : 1)
          })
        expect([...sortedRows(Float64Array.from(list), isDescending)]).toEqual(expected)
      }),
    )
  })
})

test('a message reads back as it was sent, whatever the sizes of its arrays', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array(), fc.array(fc.double()), (text, bytes, list) => {
      const parts = encodeMessage({ text }, [bytes, Float64Array.from(list), new BigInt64Array([-1n])])
      const message = decodeMessage<{ text: string }>(new Uint8Array(Buffer.concat(parts)).buffer)
      expect(message.header.text).toBe(text)
      expect([...message.take(Uint8Array)]).toEqual([...bytes])
      expect([...message.take(Float64Array)]).toEqual(list)
      expect(message.take(BigInt64Array)[0]).toBe(-1n)
    }),
  )
})

test.each([
  ['are busy', false, 0.05],
  ['are idle', true, 0.1],
])(
  'looks are frequent at first; in the long run they use a share of a core, while others %s: %d',
  (_, isCoreIdle, share) => {
    const budget = new CpuBudget()
    let [passedMs, usedMs, restMs] = [0, 0, 0]
    const rests: number[] = []
    while (passedMs < 3_600_000) {
      // A look, and what the page asks for because of it.
      restMs = budget.restMs(300, restMs + 300, isCoreIdle)
      rests.push(restMs)
      passedMs += restMs + 300
      usedMs += 300
    }
    expect(rests[0]).toBe(1500)
    expect(usedMs / passedMs).toBeCloseTo(share, 2)
  },
)

const hasPolicies = process.platform === 'linux' && spawnSync('chrt', ['--version']).status === 0

test.skipIf(!hasPolicies)('while a core is idle, a server counts as no load; then it is nice', async () => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  try {
    const pid = child.pid as number
    const policy = () => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[38])
    const measure = yieldCores(pid)
    expect([getPriority(pid), policy()]).toEqual([10, SCHED_OTHER])
    for (const [isCoreIdle, expected] of [
      [true, SCHED_IDLE],
      [false, SCHED_OTHER],
      [true, SCHED_IDLE],
    ] as const) {
      const before = policy()
      measure(isCoreIdle)
      measure(!isCoreIdle)
      measure(isCoreIdle)
      expect(policy()).toBe(before)
      measure(isCoreIdle)
      await vi.waitUntil(() => policy() === expected, { timeout: 60_000 })
    }
    expect(getPriority(pid)).toBe(10)
  } finally {
    child.kill()
  }
})

const SCHED_OTHER = 0
const SCHED_IDLE = 5

describe('a slice', () => {
  const values = Int32Array.from({ length: 24 }, (_, at) => at)

  test.each([
    ['', [2, 3, 4], [...values]],
    ['1:2', [2, 3, 4], [...values.subarray(12)]],
    ['0:2,1:2,3:4', [2, 3, 4], [7, 19]],
    [':,2:,:1', [2, 3, 4], [8, 20]],
    ['0:0', [24], []],
  ])('%s of an array of shape %j', (text, shape, expected) => {
    expect([...sliceArray(values, shape, parseSlice(text, shape), 1)]).toEqual(expected)
  })

  test('of complex numbers takes both parts', () => {
    expect([...sliceArray(values, [3, 4], parseSlice('1:2,1:3', [3, 4]), 2)]).toEqual([10, 11, 12, 13])
  })

  test.each(['0:5', '2:1', '-1:2', '1', '0:1:2', '0:1,0:1', 'a:b'])('%s of 4 elements is refused', (text) => {
    expect(() => parseSlice(text, [4])).toThrow('is not a slice')
  })
})

test('an address reads back as what was looked at', () => {
  const fragment =
    '#view=scatter&filter=x+%3E+1&sort=-z&brush=1%3A2%3Aa%3Ab&run=7&overlay=1%2C2&x=T&slice=3%3Aq&log=y&column=z'
  expect(addressOf(parseAddress(fragment))).toBe(fragment)
  expect(parseAddress('#view=nonsense&run=-1&brush=x').view).toBeUndefined()
})

test.each([
  [0.1234567, '0.1235'],
  [1234567, '1234567'],
  [123456.789, '123500'],
  [0.5, '0.5'],
  [1e-9, '1e-9'],
  [-0.000123456, '-1.235e-4'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
])('%d has four digits in the table: %s', (number, text) => {
  expect(Number(shortText(number)) || shortText(number)).toEqual(Number(text) || text)
})

test('all digits of a float32 are those that read back', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(Math.fround(Number(exactText(number, 'float32')))).toBe(number)
    }),
  )
  expect(exactText(Math.fround(0.1), 'float32')).toBe('0.1')
})

test.each([
  [0.0005, '0.5 ms'],
  [3.21, '3.21 s'],
  [65, '1 min 05 s'],
  [7200, '2 h 00 min'],
])('%d s is %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text)
})

test.each([
  [512, '512 bytes'],
  [6_291_456, '6.3 MB'],
  [2_000_000_000, '2 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test('a start that is no time is shown as the number that it is', () => {
  expect(timeTexts(0).full).toBe('1970-01-01T00:00:00.000Z')
  expect(timeTexts(1e300)).toEqual({ text: '1e+300', full: 'not a time' })
})

test('ticks are round numbers inside the axis', () => {
  expect(roundNumbers(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  expect(roundNumbers(-3, 7, 4)).toEqual([0, 5])
  expect(roundNumbers(5, 5, 4)).toEqual([5])
})

test('texts in a picture are no markup, and no control characters', () => {
  expect(escapeXml('<b a="1">&\u001b\u0000\ud800')).toBe('&#60;b a=&#34;1&#34;&#62;&#38;   ')
})
