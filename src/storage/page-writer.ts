/**
 * Brings committed pages into the HDF5 file, at moments when no reader looks.
 *
 * The pages are safe in the `.cnt` file already, so there is no hurry: several commits share one writing,
 * and readers are let finish. Only when too much waits, the experiment waits with it for a while.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ReaderGate } from './reader-gate.ts'
import type { StagedFile } from './staged-file.ts'

/** Pages are written at most so often: each time readers are refused for a moment. */
const REST_MS = 200
/** How soon and how late to look again while readers are there. */
const RETRY_FIRST_MS = 20
const RETRY_LAST_MS = 1000
/** With so much waiting, new runs are held back for a time, to let readers finish. */
export const PENDING_BYTES_MAX = 134_217_728

export interface PageWriterListener {
  /** All committed pages are in the file; not durable yet. */
  onWritten(): void
  /** The disk refused. Nothing is lost: the pages are in the `.cnt` file. */
  onError(error: unknown): void
}

export class PageWriter {
  readonly #file: StagedFile
  readonly #gate: Promise<ReaderGate>
  readonly #listener: PageWriterListener
  #lastWrittenMs = Number.NEGATIVE_INFINITY
  /** The work under way; it settles when nothing waits any more, or when it is stopped. */
  #working: Promise<void> | undefined
  /** Ends the rest between two attempts. */
  #waking = new AbortController()
  #isStopped = false

  constructor(file: StagedFile, gate: Promise<ReaderGate>, listener: PageWriterListener) {
    this.#file = file
    this.#gate = gate
    this.#listener = listener
  }

  /** There are newly committed pages. */
  wake(): void {
    if (this.#isStopped || this.#file.pendingBytes === 0) return
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  get isCrowded(): boolean {
    return this.#file.pendingBytes > PENDING_BYTES_MAX
  }

  /** Resolves when there is room again, true, or when the time is over, false. */
  async makeRoom(waitMs: number): Promise<boolean> {
    const endMs = performance.now() + waitMs
    while (this.isCrowded && performance.now() < endMs && !this.#isStopped) await delay(RETRY_FIRST_MS)
    return !this.isCrowded
  }

  /**
   * Writes what waits, as soon as no reader is there; gives up after `waitMs`. Nothing is written afterwards.
   *
   * @returns whether everything is in the file
   */
  async finish(waitMs: number, onWaiting: () => void): Promise<boolean> {
    this.#isStopped = true
    this.#waking.abort()
    await this.#working
    const endMs = performance.now() + waitMs
    let isTold = false
    let retryMs = RETRY_FIRST_MS
    while (this.#file.pendingBytes > 0 && !(await this.#attempt())) {
      if (performance.now() >= endMs) return false
      if (!isTold) onWaiting()
      isTold = true
      await delay(retryMs)
      retryMs = Math.min(RETRY_LAST_MS, retryMs * 2)
    }
    return true
  }

  async #work(): Promise<void> {
    let retryMs = RETRY_FIRST_MS
    try {
      while (!this.#isStopped && this.#file.pendingBytes > 0) {
        const restMs = this.#lastWrittenMs + REST_MS - performance.now()
        if (restMs > 0) await this.#rest(restMs)
        else if (!(await this.#attempt())) {
          await this.#rest(retryMs)
          retryMs = Math.min(RETRY_LAST_MS, retryMs * 2)
        }
      }
    } catch (error) {
      this.#listener.onError(error)
    }
  }

  async #rest(restMs: number): Promise<void> {
    await delay(restMs, undefined, { signal: this.#waking.signal }).catch(() => undefined)
  }

  /** Writes the pages, unless readers are there. */
  async #attempt(): Promise<boolean> {
    const gate = await this.#gate
    if (!(await gate.tryClose())) return false
    try {
      this.#file.writePages()
      this.#listener.onWritten()
      this.#lastWrittenMs = performance.now()
    } finally {
      await gate.reopen()
    }
    return true
  }
}
