import { expect, test } from 'vitest'
import { WorkerNumbers } from '../../src/executors/pool-executor.ts'

test('a thread keeps its number, and one that replaces another takes over its number', () => {
  let living = [7, 8]
  const numbers = new WorkerNumbers(() => living)
  expect([numbers.of(8), numbers.of(7), numbers.of(8)]).toEqual([1, 2, 1])
  living = [7, 9]
  expect([numbers.of(9), numbers.of(7)]).toEqual([1, 2])
  // Last words come after the end.
  expect(numbers.of(8)).toBe(1)
  living = [10, 11]
  expect([numbers.of(11), numbers.of(10)]).toEqual([1, 2])
})
