import { describe, expect, test } from 'vitest'
import { cellText, cut, previewText, rangeText, storedText } from '../../src/cli/value-text.ts'
import type { Cell } from '../../src/hdf5/datatype.ts'
import type { ExploredRange } from '../../src/results/trajectory-overview.ts'
import { printable } from '../../src/values/printable.ts'
import { toStoredValue } from '../../src/values/value.ts'

describe('values', () => {
  test.each<[string, readonly number[], readonly Cell[], string]>([
    ['float64', [], [0.1 + 0.2], '0.3'],
    ['float64', [], [1e300], '1e+300'],
    ['float64', [], [Number.NaN], 'NaN'],
    ['float32', [], [Math.fround(0.1)], '0.1'],
    ['int64', [], [2n ** 60n], '1152921504606846976'],
    ['bool', [], [true], 'true'],
    ['str', [], ["it's"], "'it's'"],
    ['complex128', [], [{ real: 1, imaginary: -2 }], '1-2i'],
    ['float64 array', [2], [1, 2], '[1, 2]'],
    ['float64 array', [9], [1, 2], '[1, 2, ...]'],
    ['float64 array', [2, 2], [1, 2], '[[1, 2], ...]'],
    ['float64 array', [1, 1, 2], [1, 2], '[[[1, 2]]]'],
    ['float64 array', [0, 3], [], '[]'],
    ['pickle', [], [{ unread: '38 bytes' }], '<38 bytes>'],
    [
      'table',
      [3],
      [
        {
          fields: [
            ['a', 1],
            ['b', 'x'],
          ],
        },
      ],
      "{ a: 1, b: 'x' }",
    ],
  ])('%s %j of %o', (type, shape, cells, text) => {
    expect(previewText({ type, shape, cells })).toBe(text)
  })

  test.each([
    [0.1 + 0.2, '0.3'],
    [true, 'true'],
    [3n, '3'],
    ["it's", "'it's'"],
    [null, 'null'],
    [{ re: 1, im: -2 }, '1-2i'],
    [[1, 2, 3, 4, 5, 6, 7], '[1, 2, 3, 4, 5, 6, ...]'],
    [Float32Array.of(0.1), '[0.1]'],
    [{ data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] }, '[[1, 2], ...]'],
  ])('%o looks before it is stored as it will in the file', (value, text) => {
    expect(storedText(toStoredValue(value, 'x'))).toBe(text)
  })

  test('a long text is cut by characters, not by halves of them', () => {
    expect(cut('😀'.repeat(5), 3)).toBe('😀😀…')
    expect(cellText('x'.repeat(100))).toHaveLength(62)
  })

  test('white space becomes one space and control characters become visible', () => {
    expect(printable('a\n\t b\u001b[0m\u202ec')).toBe('a b\ufffd[0m\ufffdc')
  })
})

describe('ranges', () => {
  const range = (values: readonly Cell[], more: Partial<ExploredRange> = {}): ExploredRange => ({
    runCount: 100,
    distinctCount: values.length,
    isDistinctCountExact: true,
    values: values.map((cell) => ({ type: 'float64', shape: [], cells: [cell] })),
    minimum: undefined,
    maximum: undefined,
    hasNaN: false,
    ...more,
  })

  test.each<[ExploredRange, string]>([
    [range([1, 2, 3, 4], { minimum: 1, maximum: 4 }), '1, 2, 3, 4'],
    [range([3, 0.1 + 0.2, 1], { minimum: 0.3, maximum: 3 }), '0.3, 1, 3'],
    [range(['b', 'a']), "'a', 'b'"],
    [range([0, 0.1], { distinctCount: 11, minimum: 0, maximum: 1 }), '0 .. 1 (11 values)'],
    [
      range([0, 0.1], { distinctCount: 11, minimum: 0, maximum: 1, hasNaN: true }),
      '0 .. 1 and NaN (11 values)',
    ],
    [
      range([0, 1], { distinctCount: 200_000, isDistinctCountExact: false, minimum: 0, maximum: 9 }),
      '0 .. 9 (over 200,000 values)',
    ],
    [range(['a', 'b', 'c', 'd'], { distinctCount: 40 }), "'a', 'b', 'c', ... (40 values)"],
    [range([{ unread: '17 bytes' }, { unread: '17 bytes' }]), '2 values'],
    [range([]), 'no values'],
  ])('%o', (explored, text) => {
    expect(rangeText(explored)).toBe(text)
  })
})
