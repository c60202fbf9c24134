import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missingRuns, RunSet } from '../../src/journal/run-set.ts'

const range = fc.tuple(fc.nat(60), fc.nat(8)).map(([start, length]) => [start, start + length] as const)
const step = fc.record({ isAdded: fc.boolean(), range })

describe('a set of runs', () => {
  test('holds what a plain set holds, after any additions and removals', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const set = new RunSet()
        const model = new Set<number>()
        for (const { isAdded, range } of steps) {
          const [start, end] = range
          if (isAdded) set.addRange(start, end)
          else set.removeRanges([start, end])
          for (let run = start; run < end; run += 1) isAdded ? model.add(run) : model.delete(run)
        }
        const expected = [...model].sort((a, b) => a - b)
        expect([...set]).toEqual(expected)
        expect(set.count).toBe(expected.length)
        for (let run = 0; run < 70; run += 1) expect(set.has(run)).toBe(model.has(run))
        expect([...RunSet.ofRanges(set.toRanges())]).toEqual(expected)
        expect([...missingRuns(70, set.toRanges())]).toEqual(
          Array.from({ length: 70 }, (_, run) => run).filter((run) => !model.has(run)),
        )
      }),
    )
  })

  test('takes and gives many ranges at once as it does one by one', () => {
    const bound = fc.uniqueArray(fc.nat(400), { minLength: 70, maxLength: 140 }).map(pairs)
    fc.assert(
      fc.property(
        bound,
        fc.array(fc.record({ isAdded: fc.boolean(), ranges: bound }), { maxLength: 4 }),
        (first, steps) => {
          const set = RunSet.ofRanges(first)
          const model = RunSet.of(runsOf(first))
          for (const { isAdded, ranges } of steps) {
            if (isAdded) set.addRanges(ranges)
            else set.removeRanges(ranges)
            for (let index = 0; index < ranges.length; index += 2) {
              const [start = 0, end = 0] = ranges.slice(index, index + 2)
              if (isAdded) model.addRange(start, end)
              else model.removeRanges([start, end])
            }
          }
          expect(set.toRanges()).toEqual(model.toRanges())
        },
      ),
    )
  })

  test('of 100,000 runs that came nearly in order is a few numbers', () => {
    const set = new RunSet()
    for (let run = 0; run < 100_000; run += 2) {
      set.add(run + 1)
      set.add(run)
    }
    expect(set.toRanges()).toEqual([0, 100_000])
  })
})

function pairs(numbers: readonly number[]): number[] {
  const even = numbers.length - (numbers.length % 2)
  return [...numbers].sort((a, b) => a - b).slice(0, even)
}

function runsOf(ranges: readonly number[]): number[] {
  return [...RunSet.ofRanges(ranges)]
}

test('runs are missing that are in none of several sets', () => {
  expect([...missingRuns(8, [0, 2], [5, 6])]).toEqual([2, 3, 4, 6, 7])
  expect([...missingRuns(3, [])]).toEqual([0, 1, 2])
  expect([...missingRuns(3, [0, 3])]).toEqual([])
})
