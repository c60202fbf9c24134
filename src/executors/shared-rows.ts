/**
 * Runs of a range that a thread has performed and not sent, in memory that main and the thread share. The thread sends
 * them together. If a job blocks the thread, or it dies, main sends them: no finished run waits for another one, and
 * none is lost with its thread.
 */

import type { RunRecord } from '../run/run-record.ts'
import { RowPacker, rowsFrame } from '../run/run-rows.ts'

const MEMORY_BYTES = 262_144
/** Where the rows are, and a number that is odd while the thread replaces their header. */
const NUMBERS = { version: 0, rows: 1, headerBytes: 2, rowBytes: 3, firstRun: 4, isBeingSent: 5 } as const
const NUMBERS_BYTES = 32

/** What main finds. */
export interface UnsentRows {
  /** Counted from the first run of the range. */
  readonly firstOffset: number
  readonly count: number
  readonly frame: Uint8Array
}

export class SharedRows {
  /** To be sent to the thread. */
  readonly memory: SharedArrayBuffer
  readonly #numbers: Int32Array
  readonly #room: Uint8Array

  constructor(memory = new SharedArrayBuffer(MEMORY_BYTES)) {
    this.memory = memory
    this.#numbers = new Int32Array(memory, 0, NUMBERS_BYTES / Int32Array.BYTES_PER_ELEMENT)
    this.#room = new Uint8Array(memory, NUMBERS_BYTES)
  }

  /** Main: the thread is sending its rows. */
  get isBeingSent(): boolean {
    return Atomics.load(this.#numbers, NUMBERS.isBeingSent) === 1
  }

  /** Main: the rows that the thread has not sent, as a copy. Undefined if there are none, or while it replaces them. */
  unsent(): UnsentRows | undefined {
    const numbers = this.#numbers
    const version = Atomics.load(numbers, NUMBERS.version)
    const count = Atomics.load(numbers, NUMBERS.rows)
    if (version % 2 !== 0 || count === 0) return undefined
    const firstOffset = Atomics.load(numbers, NUMBERS.firstRun)
    const rowsBytes = count * Atomics.load(numbers, NUMBERS.rowBytes)
    const frame = rowsFrame(this.#room, Atomics.load(numbers, NUMBERS.headerBytes), rowsBytes)
    // Adds nothing: a plain load could be moved before the copy.
    const versionAfter = Atomics.add(numbers, NUMBERS.version, 0)
    return versionAfter === version ? { firstOffset, count, frame } : undefined
  }

  /** Main: before it gives the memory to a range. */
  clear(): void {
    Atomics.store(this.#numbers, NUMBERS.rows, 0)
    Atomics.store(this.#numbers, NUMBERS.isBeingSent, 0)
  }

  /** Thread: takes runs from now on. */
  packer(): SharedRowPacker {
    return new SharedRowPacker(this.#numbers, this.#room)
  }
}

/** The side of the thread. */
export class SharedRowPacker {
  readonly #numbers: Int32Array
  readonly #packer: RowPacker

  constructor(numbers: Int32Array, room: Uint8Array) {
    this.#numbers = numbers
    this.#packer = new RowPacker(room)
  }

  get count(): number {
    return this.#packer.count
  }

  /**
   * Adds a run. False if it cannot be added to those that wait.
   *
   * @param offset counted from the first run of the range
   */
  add(record: RunRecord, offset: number): boolean {
    if (this.#packer.count === 0 && !this.#begin(record, offset)) return false
    if (!this.#packer.add(record)) return false
    Atomics.store(this.#numbers, NUMBERS.rows, this.#packer.count)
    return true
  }

  /** The rows, as a copy to be sent. `clear` when it is. */
  frame(): Uint8Array {
    Atomics.store(this.#numbers, NUMBERS.isBeingSent, 1)
    return this.#packer.frame()
  }

  clear(): void {
    this.#packer.clear()
    Atomics.store(this.#numbers, NUMBERS.rows, 0)
    Atomics.store(this.#numbers, NUMBERS.isBeingSent, 0)
  }

  #begin(record: RunRecord, offset: number): boolean {
    const numbers = this.#numbers
    Atomics.add(numbers, NUMBERS.version, 1)
    const hasBegun = this.#packer.begin(record)
    Atomics.store(numbers, NUMBERS.headerBytes, this.#packer.headerBytes)
    Atomics.store(numbers, NUMBERS.rowBytes, this.#packer.rowBytes)
    Atomics.store(numbers, NUMBERS.firstRun, offset)
    Atomics.add(numbers, NUMBERS.version, 1)
    return hasBegun
  }
}
