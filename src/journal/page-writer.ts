/**
 * Brings committed pages into the HDF5 file, at moments when no reader looks.
 *
 * The pages are safe in the `.cnt` file already, so there is no hurry: several commits share one writing,
 * and readers are let finish. Only when too much waits, the experiment waits with it for a while.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ReaderGate } from './reader-gate.ts'
import type { StagedFile } from './staged-file.ts'

/** Pages are written at most so often. */
const REST_MS = 200
/** The same while readers are there: each time one of them may be refused for a moment. */
const REST_FOR_READERS_MS = 2000
/** How long to wait for readers at a time. */
const WAIT_MS = 1000
/** How soon to look again whether there is room. */
const ROOM_LOOK_MS = 20
/** With so much waiting, new runs are held back for a time, to let readers finish. */
export const PENDING_BYTES_MAX = 134_217_728

export interface PageWriterOptions extends PageWriterListener {
  /** Pages are written at most so often; tests that want to see it often have less patience. */
  readonly restMs?: number | undefined
}

interface PageWriterListener {
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
  readonly #file: StagedFile
  readonly #openGate: () => Promise<ReaderGate>
  /** Opened when it is first needed: starting its process would delay the first result. */
  #gate: Promise<ReaderGate> | undefined
  readonly #listener: PageWriterOptions
  /** Until then nothing is written. */
  #restUntilMs: number
  /** The work under way; it settles when nothing waits any more, or when it is stopped. */
  #working: Promise<void> | undefined
  /** Ends the rest between two attempts. */
  #waking = new AbortController()
  #isStopped = false

  constructor(file: StagedFile, openGate: () => Promise<ReaderGate>, listener: PageWriterOptions) {
    this.#file = file
    this.#openGate = openGate
    this.#restUntilMs = performance.now() + (listener.restMs ?? REST_MS)
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
    while (this.isCrowded && performance.now() < endMs && !this.#isStopped) await delay(ROOM_LOOK_MS)
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
    if (this.#file.pendingBytes === 0 || (await this.#attempt(0))) return true
    onWaiting()
    for (;;) {
      const restMs = endMs - performance.now()
      if (restMs <= 0) return false
      if (await this.#attempt(Math.min(WAIT_MS, restMs))) return true
    }
  }

  /** Nothing will be written any more. */
  async end(): Promise<void> {
    const gate = await this.#gate
    await gate?.end()
  }

  async #work(): Promise<void> {
    try {
      while (!this.#isStopped && this.#file.pendingBytes > 0) {
        const restMs = this.#restUntilMs - performance.now()
        if (restMs > 0) await this.#rest(restMs)
        else await this.#attempt(WAIT_MS)
      }
    } catch (error) {
      this.#listener.onError(error)
    }
  }

  async #waitToClose(gate: ReaderGate, waitMs: number): Promise<boolean> {
    this.#listener.onWaiting?.(true)
    try {
      return await gate.waitToClose(waitMs)
    } finally {
      this.#listener.onWaiting?.(false)
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
    if (hasReaders && !(waitMs > 0 && (await this.#waitToClose(gate, waitMs)))) return false
    try {
      this.#listener.onWriting?.()
      this.#file.writePages()
      this.#listener.onWritten()
    } finally {
      await gate.reopen()
      this.#restUntilMs =
        performance.now() + (hasReaders ? REST_FOR_READERS_MS : (this.#listener.restMs ?? REST_MS))
    }
    this.#listener.onReopened()
    return true
  }
}
