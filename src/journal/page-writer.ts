/**
 * Brings committed pages into the HDF5 file, at moments when no reader looks.
 *
 * The pages are safe in the `.cnt` file already, so there is no hurry: several commits share one writing,
 * and readers are let finish. Only when too much waits, the experiment waits with it for a while.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ReaderGate } from './reader-gate.ts'

/** Pages are written at most so often. */
const REST_MS = 200
/** The same while readers are there: each time one of them may be refused for a moment. */
const REST_FOR_READERS_MS = 2000
/** How long to wait for readers at a time. */
const WAIT_MS = 1000
/** How soon to look again whether there is room. */
const ROOM_LOOK_MS = 20
/** With so much waiting, new runs are held back for a time, to let readers finish. */
const PENDING_BYTES_MAX = 134_217_728

/** Where the pages come from. */
export interface PageSource {
  /** Of pages that are committed and not in the HDF5 file, as far as is known. */
  readonly pendingBytes: number
  /** Writes all of them. */
  writePages(): void
}

export interface PageWriterOptions {
  /** Pages are written at most so often; tests that want to see it often have less patience. */
  readonly restMs?: number | undefined
  /** Where several processes write the file in turns: takes a turn for one attempt. */
  readonly inTurn?: (attempt: () => Promise<boolean>) => Promise<boolean>
  /** How long an attempt waits for readers. Nobody else has a turn meanwhile. Default: a second. */
  readonly attemptMs?: (isCrowded: boolean) => number
  /** Readers are waited for, from now on or no longer: who reads by pypet-ts lets the writer go first. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined
  /** Pages are about to be written: throw where they must not. */
  readonly onWriting?: (() => void) | undefined
  /** All committed pages are in the file; not durable yet. */
  onWritten(): void
  /** Called after that, when readers are let in again: for what takes its time. */
  onReopened(): void
  /** The disk refused. Nothing is lost: the pages are in the `.cnt` file. */
  onError(error: unknown): void
}

export class PageWriter {
  readonly #source: PageSource
  readonly #openGate: () => Promise<ReaderGate>
  /** Opened when it is first needed: starting its process would delay the first result. */
  #gate: Promise<ReaderGate> | undefined
  readonly #options: PageWriterOptions
  /** Until then nothing is written. */
  #restUntilMs: number
  /** The work under way; it settles when nothing waits any more, or when it is stopped. */
  #working: Promise<void> | undefined
  /** Ends the rest between two attempts. */
  #waking = new AbortController()
  #isStopped = false

  constructor(source: PageSource, openGate: () => Promise<ReaderGate>, options: PageWriterOptions) {
    this.#source = source
    this.#openGate = openGate
    this.#restUntilMs = performance.now() + (options.restMs ?? REST_MS)
    this.#options = options
  }

  /** There are newly committed pages. */
  wake(): void {
    if (this.#isStopped || this.#source.pendingBytes === 0) return
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  get isCrowded(): boolean {
    return this.#source.pendingBytes > PENDING_BYTES_MAX
  }

  /** Resolves when there is room again, true, or when the time is over, false. */
  async makeRoom(waitMs: number): Promise<boolean> {
    const endMs = performance.now() + waitMs
    while (this.isCrowded && performance.now() < endMs && !this.#isStopped) await delay(ROOM_LOOK_MS)
    return !this.isCrowded
  }

  /**
   * Writes what waits, as soon as no reader is there; gives up after `waitMs`. Nothing is written afterwards.
   *
   * @returns whether everything is in the file
   */
  async finish(waitMs: number, onWaiting: () => void): Promise<boolean> {
    this.stop()
    await this.#working
    const endMs = performance.now() + waitMs
    if (this.#source.pendingBytes === 0 || (await this.#attempt(0))) return true
    onWaiting()
    for (;;) {
      const restMs = endMs - performance.now()
      if (restMs <= 0) return false
      if (await this.#attempt(Math.min(WAIT_MS, restMs))) return true
    }
  }

  /** No attempt is begun any more, but by `finish`. */
  stop(): void {
    this.#isStopped = true
    this.#waking.abort()
  }

  /** Nothing will be written any more. */
  async end(): Promise<void> {
    await this.#working
    const gate = await this.#gate
    await gate?.end()
  }

  async #work(): Promise<void> {
    const { inTurn = (attempt) => attempt(), attemptMs = () => WAIT_MS } = this.#options
    try {
      while (!this.#isStopped && this.#source.pendingBytes > 0) {
        const restMs = this.#restUntilMs - performance.now()
        if (restMs > 0) await this.#rest(restMs)
        else await inTurn(() => this.#attempt(attemptMs(this.isCrowded)))
      }
    } catch (error) {
      this.#options.onError(error)
    }
  }

  async #waitToClose(gate: ReaderGate, waitMs: number): Promise<boolean> {
    this.#options.onWaiting?.(true)
    try {
      return await gate.waitToClose(waitMs)
    } finally {
      this.#options.onWaiting?.(false)
    }
  }

  async #rest(restMs: number): Promise<void> {
    await delay(restMs, undefined, { signal: this.#waking.signal }).catch(() => undefined)
  }

  /**
   * Writes the pages, unless readers are there all the time. Nothing else waits with it: commits go on, and
   * readers are kept out only while the pages are being written.
   */
  async #attempt(waitMs: number): Promise<boolean> {
    this.#gate ??= this.#openGate()
    const gate = await this.#gate
    const hasReaders = !(await gate.tryClose())
    if (hasReaders && !(waitMs > 0 && (await this.#waitToClose(gate, waitMs)))) {
      // Who does not wait does not ask at once again.
      if (waitMs === 0) this.#restUntilMs = performance.now() + REST_FOR_READERS_MS
      return false
    }
    try {
      this.#options.onWriting?.()
      this.#source.writePages()
      this.#options.onWritten()
    } finally {
      await gate.reopen()
      this.#restUntilMs =
        performance.now() + (hasReaders ? REST_FOR_READERS_MS : (this.#options.restMs ?? REST_MS))
    }
    this.#options.onReopened()
    return true
  }
}
