import { describe, expect, test } from 'vitest'
import { RunQueue } from '../../src/environment/run-queue.ts'
import { RunSet } from '../../src/journal/run-set.ts'
import { randomFrom, seedOf } from '../crash/long-form.ts'

const FEW = { retries: 0, workerCount: 1 }

describe('the queue of runs', () => {
  test('gives ranges without gaps, in order', () => {
    const queue = new RunQueue([0, 3, 7, 8], { retries: 0, workerCount: 1 })
    expect(queue.next(1)).toEqual({ run: 0, count: 1, attempt: 1 })
    queue.add([20, 22])
    expect(queue.next(100)).toEqual({ run: 1, count: 2, attempt: 1 })
    expect(queue.next(100)).toEqual({ run: 7, count: 1, attempt: 1 })
    expect(queue.next(100)).toMatchObject({ run: 20 })
    expect(queue.next(100)).toMatchObject({ run: 21 })
    expect(queue.next(100)).toBeUndefined()
  })

  test('gives no worker more than a share of what is left', () => {
    const queue = new RunQueue([0, 600], { retries: 0, workerCount: 2 })
    const counts: number[] = []
    for (let next = queue.next(1000); next !== undefined; next = queue.next(1000)) counts.push(next.count)
    expect(counts[0]).toBe(100)
    expect(counts).toEqual([...counts].sort((a, b) => b - a))
    expect(counts.slice(-2)).toEqual([1, 1])
  })

  test('gives what was put back before anything else', () => {
    const queue = new RunQueue([0, 100], FEW)
    const taken = queue.next(10)
    expect(taken).toMatchObject({ run: 0, count: 10 })
    queue.putBack({ run: 4, count: 6, attempt: 1 })
    expect(queue.next(2)).toMatchObject({ run: 4, count: 2 })
  })

  test('retries a failed run after as many others as there are workers, and alone', () => {
    const queue = new RunQueue([0, 100], { retries: 1, workerCount: 3 })
    queue.next(1)
    expect(queue.retry({ run: 0, attempt: 1 })).toBe(true)
    expect(queue.next(100)).toEqual({ run: 1, count: 3, attempt: 1 })
    expect(queue.next(100)).toEqual({ run: 0, count: 1, attempt: 2 })
    expect(queue.retry({ run: 0, attempt: 2 })).toBe(false)
  })

  test('gives nothing after it was stopped, not even what was put back', () => {
    const queue = new RunQueue([0, 100], FEW)
    queue.next(10)
    queue.stop()
    queue.putBack({ run: 5, count: 5, attempt: 1 })
    expect([queue.hasNext, queue.next(1)]).toEqual([false, undefined])
  })

  const seed = seedOf()
  test.each(Array.from({ length: 20 }, (_, index) => seed + index))(
    'gives every run once for each attempt, whatever is put back, retried or added, seed %i',
    (each) => {
      const drawn = randomFrom(each)
      const random = (below: number) => Math.floor(drawn() * below)
      const runs = RunSet.of(Array.from({ length: 300 }, () => random(1000)))
      const retries = random(3)
      const queue = new RunQueue(runs.toRanges(), { retries, workerCount: 1 + random(4) })
      const performed = new Map<number, number>()
      let added = 1000
      for (;;) {
        if (random(10) === 0 && added < 1100) {
          queue.add([added, added + 5])
          for (let run = added; run < added + 5; run += 1) runs.add(run)
          added += 5
        }
        const next = queue.next(1 + random(40))
        if (next === undefined) break
        const doneCount = random(next.count + 1)
        for (let run = next.run; run < next.run + doneCount; run += 1) {
          expect(performed.get(run) ?? 0).toBe(next.attempt - 1)
          performed.set(run, next.attempt)
          if (random(5) === 0) queue.retry({ run, attempt: next.attempt })
        }
        if (doneCount < next.count)
          queue.putBack({ ...next, run: next.run + doneCount, count: next.count - doneCount })
      }
      expect(queue.hasNext).toBe(false)
      expect([...performed.keys()].sort((a, b) => a - b)).toEqual([...runs])
      expect(Math.max(...performed.values())).toBeLessThanOrEqual(1 + retries)
    },
  )
})
