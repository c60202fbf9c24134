/**
 * Writes committed pages into the HDF5 file while no reader has it open.
 *
 * The pages are already safe in the `.cnt` file, so there is no hurry: several commits share one write, and readers may
 * finish. Only if too much accumulates does the experiment wait too.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ReaderGate } from './reader-gate.ts'

/** Shortest time between two writes. */
const REST_MS = 200
/** The same while there are readers: each write may refuse one of them for a moment. */
const REST_FOR_READERS_MS = 2000
/** How long one attempt waits for readers. */
const WAIT_MS = 1000
/** How soon to check again for room. */
const ROOM_LOOK_MS = 20
/** If more than this waits, new runs are held back for a time to let readers finish. */
const PENDING_BYTES_MAX = 134_217_728

/** Where the pages come from. */
export interface PageSource {
  /** Size of the committed pages that are not known to be in the HDF5 file. */
  readonly pendingBytes: number
  /** Writes all of them. */
  writePages(): void
}

export interface PageWriterOptions {
  /** Shortest time between two writes. Shorter in some tests. */
  readonly restMs?: number | undefined
  /** If several processes write the file in turns: takes a turn for one attempt. */
  readonly inTurn?: (attempt: () => Promise<boolean>) => Promise<boolean>
  /** How long an attempt waits for readers. Nobody else has a turn meanwhile. Default: a second. */
  readonly attemptMs?: (isCrowded: boolean) => number
  /** The writer starts or stops waiting for readers. Readers that use pypet-ts then let the writer go first. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined
  /** Pages are about to be written. Throw to prevent it. */
  readonly onWriting?: (() => void) | undefined
  /** All committed pages are in the file; not durable yet. */
  readonly onWritten?: () => void
  /** Called after that, when readers are admitted again: for slow work. */
  onReopened(): void
  /** The disk failed. Nothing is lost: the pages are in the `.cnt` file. */
  onError(error: unknown): void
}

export class PageWriter {
  readonly #source: PageSource
  readonly #openGate: () => Promise<ReaderGate>
  /** Opened at its first use: starting its process would delay the first result. */
  #gate: Promise<ReaderGate> | undefined
  readonly #options: PageWriterOptions
  /** No write before this time. */
  #restUntilMs: number
  /** The current work. Settles when nothing is left to write, or when stopped. */
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
    this.#working ??= this.#work()
  }

  get isCrowded(): boolean {
    return this.#source.pendingBytes > PENDING_BYTES_MAX
  }

  /** Resolves to true when there is room again, or to false when the time is over. */
  async makeRoom(waitMs: number): Promise<boolean> {
    const endMs = performance.now() + waitMs
    while (this.isCrowded && performance.now() < endMs && !this.#isStopped) await delay(ROOM_LOOK_MS)
    return !this.isCrowded
  }

  /**
   * Writes what is left as soon as there is no reader. Stops waiting after `waitMs`. Nothing is written afterwards.
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

  /** From now on, only `finish` starts an attempt. */
  stop(): void {
    this.#isStopped = true
    this.#waking.abort()
  }

  /** Nothing will be written any more: what waits for readers is not written. */
  async end(): Promise<void> {
    this.stop()
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
    } finally {
      // At once: who wakes it from now on begins anew.
      this.#working = undefined
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
   * Writes the pages, unless there are readers all the time. Nothing else is blocked: commits continue, and readers are
   * kept out only while pages are being written.
   */
  async #attempt(waitMs: number): Promise<boolean> {
    this.#gate ??= this.#openGate()
    const gate = await this.#gate
    const hasReaders = !(await gate.tryClose())
    if (hasReaders && !(waitMs > 0 && (await this.#waitToClose(gate, waitMs)))) {
      // If an attempt does not wait, the next one must not follow at once.
      if (waitMs === 0) this.#restUntilMs = performance.now() + REST_FOR_READERS_MS
      return false
    }
    try {
      this.#options.onWriting?.()
      this.#source.writePages()
      this.#options.onWritten?.()
    } finally {
      await gate.reopen()
      this.#restUntilMs =
        performance.now() + (hasReaders ? REST_FOR_READERS_MS : (this.#options.restMs ?? REST_MS))
    }
    this.#options.onReopened()
    return true
  }
}
