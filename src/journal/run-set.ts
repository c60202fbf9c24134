/** Sets of runs as ranges: 100,000 runs that arrive nearly in order take a few numbers. */
import type { RunIndex } from '../values/path.ts'
import type { RunRanges } from './cnt-record.ts'

export class RunSet {
  /** Half-open ranges, ascending, neither overlapping nor touching: `[0, 5, 7, 8]` is 0 to 4, and 7. */
  #bounds: number[] = []

  static of(runs: Iterable<RunIndex>): RunSet {
    const set = new RunSet()
    // In order, so that each one is appended.
    for (const run of [...runs].sort((a, b) => a - b)) set.add(run)
    return set
  }

  static ofRanges(ranges: RunRanges): RunSet {
    const set = new RunSet()
    set.addRanges(ranges)
    return set
  }

  get count(): number {
    let count = 0
    for (let index = 0; index < this.#bounds.length; index += 2)
      count += this.#at(index + 1) - this.#at(index)
    return count
  }

  has(run: RunIndex): boolean {
    return this.#boundsUpTo(run) % 2 === 1
  }

  add(run: RunIndex): void {
    this.addRange(run, run + 1)
  }

  /** @param ranges half-open and ascending */
  addRanges(ranges: RunRanges): void {
    this.#replaceAll(ranges, true)
  }

  /** @param end exclusive */
  addRange(start: number, end: number): void {
    this.#replace(start, end, true)
  }

  /** @param ranges half-open and ascending */
  removeRanges(ranges: RunRanges): void {
    this.#replaceAll(ranges, false)
  }

  clear(): void {
    this.#bounds = []
  }

  toRanges(): RunRanges {
    return [...this.#bounds]
  }

  *[Symbol.iterator](): Generator<RunIndex> {
    for (let index = 0; index < this.#bounds.length; index += 2) {
      for (let run = this.#at(index); run < this.#at(index + 1); run += 1) yield run
    }
  }

  /** Adds or removes all runs from start to end, exclusive. */
  #replace(start: number, end: number, isMember: boolean): void {
    if (start >= end) return
    // Bounds inside are removed. A bound at an edge is removed if both sides are now alike.
    const first = this.#boundsBelow(start)
    const last = this.#boundsUpTo(end)
    const inserted: number[] = []
    if (first % 2 === (isMember ? 0 : 1)) inserted.push(start)
    if (last % 2 === (isMember ? 0 : 1)) inserted.push(end)
    this.#bounds.splice(first, last - first, ...inserted)
  }

  #replaceAll(ranges: RunRanges, isMember: boolean): void {
    if (ranges.length > MERGED_BOUNDS_MIN) {
      this.#bounds = merged(this.#bounds, ranges, isMember)
      return
    }
    for (let index = 0; index < ranges.length; index += 2) {
      this.#replace(ranges[index] as number, ranges[index + 1] as number, isMember)
    }
  }

  /** How many bounds are smaller than the value. */
  #boundsBelow(value: number): number {
    let low = 0
    let high = this.#bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#at(middle) < value) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many bounds are at most the value. */
  #boundsUpTo(value: number): number {
    return this.#boundsBelow(value + 1)
  }

  #at(index: number): number {
    return this.#bounds[index] as number
  }
}

/** Larger sets are merged in one pass: one by one, each range would move all bounds after it. */
const MERGED_BOUNDS_MIN = 64

/** The bounds of a set after adding or removing ranges. */
function merged(bounds: readonly number[], ranges: readonly number[], isMember: boolean): number[] {
  const result: number[] = []
  let known = 0
  let changed = 0
  let isIn = false
  while (known < bounds.length || changed < ranges.length) {
    const at = Math.min(
      bounds[known] ?? Number.POSITIVE_INFINITY,
      ranges[changed] ?? Number.POSITIVE_INFINITY,
    )
    while (bounds[known] === at) known += 1
    while (ranges[changed] === at) changed += 1
    const wasMember = known % 2 === 1
    const isNow = changed % 2 === 1 ? isMember : wasMember
    if (isNow !== isIn) result.push(at)
    isIn = isNow
  }
  return result
}

/** The runs from 0 to `runCount`, exclusive, that are in none of the sets. */
export function missingRuns(runCount: number, ...sets: readonly RunRanges[]): RunSet {
  const missing = RunSet.ofRanges([0, runCount])
  for (const ranges of sets) missing.removeRanges(ranges)
  return missing
}
