import { expect, test } from 'vitest'
import { sparkline } from '../../src/cli/sparkline.ts'

test.each([
  [[0, 1, 2, 3, 4, 5, 6, 7], '▁▂▃▄▅▆▇█'],
  [[0, Number.NaN, 1], '▁ █'],
  [[3, 3, 3], '▅▅▅'],
  [[Number.NEGATIVE_INFINITY, 1, 2, Number.POSITIVE_INFINITY], '▁▁██'],
  [[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], '█▁'],
  [[], ''],
])('%j is %s', (numbers, line) => {
  expect(sparkline(numbers)).toBe(line)
})
