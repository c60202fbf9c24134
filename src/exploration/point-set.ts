import type { Scalar } from '../values/stored-value.ts'
import { mixed } from './philox.ts'
import type { RangeReader } from './range.ts'

/**
 * The set of points seen so far, as numbers of runs in a hash table. It takes four to eight bytes per point; values as
 * texts would take a hundred. For equal hashes, both points are read again.
 */
export class PointSet {
  readonly #readers: readonly RangeReader[]
  /** Whether a column counts in a run. */
  readonly #counts: (column: number, run: number) => boolean
  /** The run plus one; 0 if empty. */
  #table = new Uint32Array(1024)
  #size = 0

  constructor(readers: readonly RangeReader[], counts: (column: number, run: number) => boolean) {
    this.#readers = readers
    this.#counts = counts
  }

  /** Adds the point of the run. Returns true if no earlier point equals it in all columns that count. */
  add(run: number): boolean {
    if (this.#size * 2 >= this.#table.length) this.#grow()
    const place = this.#placeOf(run)
    if (this.#table[place] !== 0) return false
    this.#table[place] = run + 1
    this.#size += 1
    return true
  }

  /** The place of the point in the table, or the free place for it. */
  #placeOf(run: number): number {
    const mask = this.#table.length - 1
    let place = this.#hash(run) & mask
    for (;;) {
      const found = this.#table[place] as number
      if (found === 0 || this.#areEqual(found - 1, run)) return place
      place = (place + 1) & mask
    }
  }

  #grow(): void {
    const before = this.#table
    this.#table = new Uint32Array(before.length * 2)
    for (const entry of before) {
      if (entry !== 0) this.#table[this.#placeOf(entry - 1)] = entry
    }
  }

  #hash(run: number): number {
    let hash = 0
    for (const [column, read] of this.#readers.entries()) {
      hash = mixed((hash + (this.#counts(column, run) ? valueHash(read(run)) : 1)) | 0)
    }
    return hash
  }

  #areEqual(a: number, b: number): boolean {
    return this.#readers.every((read, column) => {
      const isCounted = this.#counts(column, a)
      if (isCounted !== this.#counts(column, b)) return false
      return !isCounted || isSame(read(a), read(b))
    })
  }
}

/** NaN equals NaN, and 0 equals -0. */
function isSame(a: Scalar, b: Scalar): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

function valueHash(value: Scalar): number {
  switch (typeof value) {
    case 'number':
      float[0] = value + 0
      return mixed((words[0] as number) ^ mixed(words[1] as number))
    case 'string': {
      let hash = value.length
      for (let index = 0; index < value.length; index += 1) hash = mixed(hash ^ value.charCodeAt(index))
      return hash
    }
    default:
      return Number(BigInt.asUintN(32, BigInt(value)))
  }
}
