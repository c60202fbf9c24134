import { expect, test } from 'vitest'
import { exploredCsvText, exploredJson, exploredText } from '../../src/cli/explored-text.ts'
import { rawValue } from '../../src/values/raw-value.ts'
import { toStoredValue } from '../../src/values/value.ts'
import { integer } from '../../src/values/value-forms.ts'

test.each([
  ['a list', [integer(1), integer(2)], [1, 2]],
  ['an array', BigInt64Array.of(1n, 2n), [1, 2]],
  ['what is larger than a number', [2n ** 60n], [String(2n ** 60n)]],
])('whole numbers are numbers in JSON: %s', (_what, given, json) => {
  const value = rawValue(toStoredValue(given, 'n'))
  expect(exploredJson(value)).toEqual(json)
  expect(exploredCsvText(value)).toBe(JSON.stringify(json))
  expect(exploredText(value)).toBe(`[${json.join(', ')}]`)
})
