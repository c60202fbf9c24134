/** Decides when post-processing is called, and applies what it adds. */
import { isPypetError, PypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { Extension } from '../protocol.ts'
import type { RunStore } from '../storage/run-store.ts'
import type { Execution } from './execution.ts'
import { postprocessingFailed } from './postprocessing.ts'
import type { RunQueue } from './run-queue.ts'

export class PostprocessRounds {
  /** What the user's function threw. After that, no more runs start. */
  error: PypetError | undefined
  /** Called when it has thrown. */
  whenFailed: () => void = () => undefined
  readonly #execution: Execution
  readonly #store: RunStore
  readonly #reporter: Reporter
  readonly #queue: RunQueue
  /** The number of ended runs when it was last called; -1 if it has not been called. */
  #seenCount: number
  #storedSeenCount = 0
  #underway: Promise<void> | undefined
  readonly #settled: Promise<void>
  /** Config and overviews are written. */
  #isSettled = false
  /** Runs were added since the executor was last told to continue. */
  #hasAdded = false

  constructor(
    execution: Execution,
    {
      store,
      reporter,
      queue,
      seenCount,
      settled,
    }: {
      readonly store: RunStore
      readonly reporter: Reporter
      readonly queue: RunQueue
      readonly seenCount: number
      /** Resolves when the storage has written config and overviews on its own. */
      readonly settled: Promise<void>
    },
  ) {
    this.#execution = execution
    this.#store = store
    this.#reporter = reporter
    this.#queue = queue
    this.#seenCount = seenCount
    this.#settled = settled
  }

  /** Runs have ended that it has not seen. */
  get isPending(): boolean {
    return this.#execution.options.postprocessing !== undefined && this.#seenCount !== this.#endedCount
  }

  /** Pending while it is called next to active runs. Never rejects. */
  get underway(): Promise<void> | undefined {
    return this.#underway
  }

  get #endedCount(): number {
    const { ledger } = this.#execution
    return ledger.storedCount + ledger.failedCount
  }

  /**
   * Calls it when all runs have ended, unless it has seen them.
   *
   * @returns whether there are more runs now
   * @throws PypetError `PYPET_WRITER_DIED`, `PYPET_STORAGE_FAILED`; what the user's function throws becomes `error`
   */
  async afterAll(): Promise<boolean> {
    const { ledger, plan } = this.#execution
    if (this.#execution.options.postprocessing === undefined) return false
    await this.#underway
    // Workers have nothing to do until the runs are announced.
    this.#store.finish()
    await ledger.complete()
    if (this.error !== undefined) return false
    // A round next to active runs may have added runs that no worker has asked for yet.
    if (this.#takeAdded()) return true
    if (!this.isPending || this.#endedCount < plan.runCount) return false
    await this.#round({ isQuiet: true })
    return this.#takeAdded()
  }

  #takeAdded(): boolean {
    const hasAdded = this.#hasAdded
    this.#hasAdded = false
    return hasAdded
  }

  /**
   * Calls it now, if it should run as soon as no runs are waiting, and if there are results that it has not seen.
   * `underway` resolves when it is over.
   */
  whileRunsAreActive(): void {
    const { experiment, options, ledger } = this.#execution
    const isWanted =
      options.postprocessing !== undefined &&
      experiment.settings.immediatePostprocessing &&
      !(experiment.opening.kind === 'continue' && experiment.opening.only !== undefined)
    if (!isWanted || this.#underway !== undefined || this.error !== undefined) return
    if (ledger.arrivedCount === this.#storedSeenCount) return
    this.#underway = this.#immediately().finally(() => {
      this.#underway = undefined
    })
  }

  async #immediately(): Promise<void> {
    const { ledger } = this.#execution
    try {
      this.#store.finish()
      await ledger.quiet()
      if (ledger.storedCount > this.#storedSeenCount) await this.#round({ isQuiet: false })
    } catch (error) {
      // The session notices by itself that the writer is gone.
      if (ledger.isBroken || isPypetError(error, 'PYPET_WRITER_DIED')) return
      this.#fail(error instanceof PypetError ? error : postprocessingFailed(error))
    }
  }

  async #round({ isQuiet }: { readonly isQuiet: boolean }): Promise<void> {
    const { experiment, ledger, options, returned } = this.#execution
    const endedCount = this.#endedCount
    this.#storedSeenCount = ledger.storedCount
    returned.settle(ledger.stored)
    // Otherwise, delayed writes of the storage would interfere.
    if (isQuiet && !this.#isSettled) {
      await this.#settled
      await this.#store.extend(NOTHING)
      this.#isSettled = true
    }
    try {
      await experiment.userCode.call(() =>
        options.postprocessing?.call(
          returned.values(),
          (extension, { isLast }) =>
            this.#extend(isLast ? { ...extension, postprocessedCount: endedCount } : extension),
          isQuiet,
        ),
      )
      this.#seenCount = endedCount
    } catch (thrown) {
      if (isPypetError(thrown, 'PYPET_WRITER_DIED') || isPypetError(thrown, 'PYPET_STORAGE_FAILED'))
        throw thrown
      this.#fail(postprocessingFailed(thrown))
    } finally {
      experiment.userCode.flush()
    }
  }

  #fail(error: PypetError): void {
    this.error = error
    this.whenFailed()
  }

  /** Durable when it resolves; then the new runs are queued. */
  async #extend(extension: Extension): Promise<void> {
    const { experiment, plan } = this.#execution
    const before = plan.runCount
    if (extension.added === undefined) {
      await this.#store.extend(extension)
      return
    }
    const grown = plan.with(extension.added)
    await this.#store.extend({ ...extension, added: grown.added })
    plan.take(grown.plan)
    const { runCount } = plan
    this.#queue.add([before, runCount])
    this.#hasAdded = true
    // The user's function calls this, and its output is captured.
    experiment.userCode.leave(() =>
      this.#reporter.emit({ type: 'runs-added', addedCount: runCount - before, runCount }),
    )
  }
}

const NOTHING: Extension = { groups: [], leaves: [], links: [] }
