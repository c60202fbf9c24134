/** Names on disk: one home for readers and writers. */
import { expect, test } from 'vitest'
import { isRunName, rangeValueName, runlessName, runName, runOfName } from '../src/names.ts'

test('a run has eight digits, and more from run 100,000,000 on', () => {
  for (const run of [0, 12, 99_999_999, 100_000_000, 2 ** 31 - 2]) {
    expect(isRunName(runName(run))).toBe(true)
    expect(runOfName(runName(run))).toBe(run)
    expect(runlessName(`results.runs.${runName(run)}.z`)).toBe('results.runs.$.z')
  }
  for (const name of ['run_1', 'run_ALL', 'run_set_00000', 'run_00000001x', 'a.run_00000001'])
    expect([name, isRunName(name), runOfName(name)]).toEqual([name, false, undefined])
})

test('values of a range are numbered, arrays in groups of a thousand', () => {
  expect(rangeValueName('__rr__', 1234)).toBe('explored__rr__/set_00001/xa_00001234')
  expect(rangeValueName('__spsp__', 5)).toBe('xspm__spsp__00000005')
  expect(rangeValueName('', 5)).toBe('xp_00000005')
})
