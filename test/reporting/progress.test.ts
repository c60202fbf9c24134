import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Milestones } from '../../src/reporting/milestones.ts'
import {
  describeProgress,
  formatPercent,
  type Progress,
  ProgressCounter,
} from '../../src/reporting/progress.ts'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRanges,
  formatRate,
  formatRemaining,
  formatRuns,
} from '../../src/reporting/quantity.ts'
import { failed, handClock, started, stored } from './streams.ts'

describe('quantities', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [12_345_678, '12,345,678'],
  ])('the count %d is written %s', (count, text) => expect(formatCount(count)).toBe(text))

  test('one run is not called runs', () => {
    expect([formatRuns(0), formatRuns(1), formatRuns(2000)]).toEqual(['0 runs', '1 run', '2,000 runs'])
  })

  test('ranges of runs are written as far as they fit on a line', () => {
    expect(formatRanges([3, 4, 5, 10])).toBe('run 3, runs 5 to 9')
    const many = Array.from({ length: 20 }, (_, index) => [2 * index, 2 * index + 1]).flat()
    expect(formatRanges(many)).toMatch(/^run 0, run 2, .*run 14, and 12 more ranges$/)
    expect(formatRanges([])).toBe('')
  })

  test.each([
    [0, '0 s'],
    [0.25, '0.3 ms'],
    [9, '9 ms'],
    [9.99, '0.01 s'],
    [420, '0.42 s'],
    [9_994, '9.99 s'],
    [9_999, '10 s'],
    [59_949, '59.9 s'],
    [59_990, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_599_900, '1 h 00 min'],
    [7_500_000, '2 h 05 min'],
    [86_390_000, '1 d 00 h'],
    [100 * 3_600_000, '4 d 04 h'],
  ])('%d ms last %s', (durationMs, text) => expect(formatDuration(durationMs)).toBe(text))

  test.each([
    [3, '1 s'],
    [1_600, '2 s'],
    [59_700, '1 min 00 s'],
  ])('an estimate of %d ms is %s', (durationMs, text) => expect(formatRemaining(durationMs)).toBe(text))

  test.each([
    [1234.4, '1,234 runs/s'],
    [12.34, '12.3 runs/s'],
    [1, '1 runs/s'],
    [0.5, '30 runs/min'],
    [1 / 1800, '2 runs/h'],
  ])('%d runs a second are %s', (rate, text) => expect(formatRate(rate)).toBe(text))

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1_540_000, '1.54 MB'],
    [999_999, '1 MB'],
    [32_000_000_000, '32 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test('no duration is written with sixty of a unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e10 }), (durationMs) => {
        expect(formatDuration(durationMs)).not.toMatch(/\b60(\.0)? (s|min)\b|\b24 h\b/)
      }),
    )
  })
})

describe('progress', () => {
  test('rate and time left come from the finished runs, failed ones included', () => {
    const clock = handClock()
    const counter = new ProgressCounter(clock)
    clock.advance(99_000)
    counter.observe(started(100))
    expect(counter.snapshot()).toMatchObject({
      fraction: 0,
      runsPerSecond: undefined,
      remainingMs: undefined,
    })
    clock.advance(2000)
    counter.observe(stored(0, 1, 2))
    counter.observe(failed(3))
    expect(counter.snapshot()).toEqual({
      runCount: 100,
      storedCount: 3,
      failedCount: 1,
      fraction: 0.04,
      elapsedMs: 2000,
      runsPerSecond: 2,
      remainingMs: 48_000,
    })
  })

  test('between two commits the rate stands still and the time left runs down', () => {
    const clock = handClock()
    const counter = new ProgressCounter(clock)
    counter.observe(started(10))
    clock.advance(1000)
    counter.observe(stored(0, 1))
    clock.advance(600)
    expect(counter.snapshot()).toMatchObject({ runsPerSecond: 2, remainingMs: 3400 })
    clock.advance(60_000)
    expect(counter.snapshot()).toMatchObject({ runsPerSecond: 2, remainingMs: 0 })
  })

  test('the time left of equal runs is right from the first that ends, with any number of workers', () => {
    const clock = handClock()
    const counter = new ProgressCounter(clock)
    counter.observe(started(8, { ncores: 4 }))
    clock.advance(3600_000)
    for (const run of [0, 1, 2, 3]) {
      counter.observe(stored(run))
      expect(counter.snapshot().remainingMs).toBe(3600_000)
    }
    clock.advance(1800_000)
    expect(counter.snapshot().remainingMs).toBe(1800_000)
    clock.advance(1800_000)
    counter.observe(failed(4))
    expect(counter.snapshot().remainingMs).toBe(0)
  })

  test.each([1, 2, 4, 8])(
    'the time left of uneven runs is right within a fifth at half time: %i workers',
    (workers) => {
      const clock = handClock()
      const counter = new ProgressCounter(clock)
      const runCount = 400
      counter.observe(started(runCount, { ncores: workers }))
      // Durations from 100 to 1900 ms, the same in each execution of this test.
      const durationOf = (run: number) => 100 + ((run * 7919) % 1801)
      const busyUntil = Array<number>(workers).fill(0)
      const ends = Array.from({ length: runCount }, (_, run) => {
        const worker = busyUntil.indexOf(Math.min(...busyUntil))
        busyUntil[worker] = (busyUntil[worker] as number) + durationOf(run)
        return busyUntil[worker] as number
      }).sort((a, b) => a - b)
      let nowMs = 0
      for (const [count, endMs] of ends.entries()) {
        clock.advance(endMs - nowMs)
        nowMs = endMs
        counter.observe(count % 3 === 0 ? failed(count) : stored(count))
        if (count !== runCount / 2) continue
        const truth = (ends.at(-1) as number) - nowMs
        expect((counter.snapshot().remainingMs as number) / truth).toBeGreaterThan(0.8)
        expect((counter.snapshot().remainingMs as number) / truth).toBeLessThan(1.2)
      }
    },
  )

  test('runs of earlier executions neither count in the rate nor in the time left', () => {
    const clock = handClock()
    const counter = new ProgressCounter(clock)
    counter.observe(started(100, { storedCount: 88, failedCount: 2, ncores: 1 }))
    clock.advance(2000)
    counter.observe(stored(90))
    expect(counter.snapshot()).toMatchObject({ runsPerSecond: 0.5, remainingMs: 18_000 })
  })

  test('an experiment without runs is complete, and one that finishes in no time has no rate', () => {
    const counter = new ProgressCounter(handClock())
    counter.observe(started(0))
    expect(counter.snapshot().fraction).toBe(1)
    const quick = new ProgressCounter(handClock())
    quick.observe(started(1))
    quick.observe(stored(0))
    expect(describeProgress(quick.snapshot())).toBe('1 of 1 run')
  })

  test('100 % is said only when every run is finished, and 29 of 100 are 29 %', () => {
    const counter = new ProgressCounter(handClock())
    counter.observe(started(1000))
    counter.observe(stored(...Array(999).keys()))
    expect(formatPercent(counter.snapshot())).toBe('99 %')
    expect(formatPercent({ fraction: 0.29 } as Progress)).toBe('29 %')
  })

  test('the words name the counts, the failures, the rate and the time left', () => {
    const clock = handClock()
    const counter = new ProgressCounter(clock)
    counter.observe(started(12_000))
    clock.advance(500)
    counter.observe(stored(...Array(599).keys()))
    counter.observe(failed(599))
    expect(describeProgress(counter.snapshot())).toBe('600 of 12,000 runs, 1 failed, 1,200 runs/s, 10 s left')
  })
})

describe('milestones', () => {
  const progressOf = (fraction: number, elapsedMs: number) => ({ fraction, elapsedMs }) as Progress

  test('each 5 % is one, however many runs there are', () => {
    const milestones = new Milestones()
    const reached = Array.from({ length: 10_000 }, (_, index) => (index + 1) / 10_000).filter((fraction) =>
      milestones.reached(progressOf(fraction, 0)),
    )
    expect(reached).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) / 20))
  })

  test.each([
    [10, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]],
    [40, [0.4, 0.8, 1]],
    [100, [1]],
  ])('with steps of %d percent they are at %j', (step, fractions) => {
    const milestones = new Milestones(step)
    const reached = Array.from({ length: 100 }, (_, index) => (index + 1) / 100).filter((fraction) =>
      milestones.reached(progressOf(fraction, 0)),
    )
    expect(reached).toEqual(fractions)
  })

  test('without a step one comes after 30 s, then ever more rarely, and 25 times at most', () => {
    const milestones = new Milestones()
    const reachedAtSeconds = []
    for (let second = 0; second < 100_000; second += 1) {
      if (milestones.reached(progressOf(0.01, second * 1000))) reachedAtSeconds.push(second)
    }
    expect(reachedAtSeconds).toEqual([30, 90, 210, 450, 930])
  })
})
