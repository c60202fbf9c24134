/** A listener that notes what the writer says, and that tests can wait with. */
import type { RefusedRun } from '../../src/protocol.ts'
import type { RunStoreListener } from '../../src/storage/run-store.ts'

export class WriterNotes implements RunStoreListener {
  readonly stored: number[] = []
  readonly failed: number[] = []
  readonly refused: RefusedRun[] = []
  readonly notices: string[] = []
  error: { readonly code: string; readonly message: string } | undefined
  #wake: () => void = () => undefined

  onCommitted(stored: readonly number[], failed: readonly number[], refused: readonly RefusedRun[]): void {
    this.stored.push(...stored)
    this.failed.push(...failed)
    this.refused.push(...refused)
    this.#wake()
  }

  onNotice(_level: string, message: string): void {
    this.notices.push(message)
    this.#wake()
  }

  onBroken(error: { readonly code: string; readonly message: string }): void {
    this.error = error
    this.#wake()
  }

  /** Resolves when all these runs have been announced; rejects when the writer breaks before. */
  async until(runs: {
    readonly stored?: readonly number[]
    readonly failed?: readonly number[]
  }): Promise<void> {
    const { stored = [], failed = [] } = runs
    const isComplete = () =>
      stored.every((run) => this.stored.includes(run)) && failed.every((run) => this.failed.includes(run))
    while (!isComplete()) {
      if (this.error !== undefined) throw this.error
      await this.#next()
    }
  }

  async untilBroken(): Promise<void> {
    while (this.error === undefined) await this.#next()
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
