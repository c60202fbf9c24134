/** Time limits of runs, on threads and in processes. */
import { runName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'

export class RunClock {
  readonly #timeoutMs: number
  readonly #limits = new Map<RunIndex, { readonly controller: AbortController; timer?: NodeJS.Timeout }>()

  /** @param timeoutMs 0 for no limit */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  get isLimited(): boolean {
    return this.#timeoutMs > 0
  }

  /** A signal that is aborted with a `TimeoutError` when the run exceeds its limit. Undefined without a limit. */
  limit(run: RunIndex): AbortSignal | undefined {
    if (!this.isLimited) return undefined
    const controller = new AbortController()
    this.#limits.set(run, { controller })
    return controller.signal
  }

  /** The run has begun. Time spent waiting for a thread does not count. */
  begin(run: RunIndex): void {
    const limit = this.#limits.get(run)
    if (limit === undefined) return
    limit.timer = setTimeout(() => {
      const message = `${runName(run)} exceeded its time limit of ${this.#timeoutMs / 1000} s (--timeout)`
      limit.controller.abort(Object.assign(new Error(message), { name: 'TimeoutError' }))
    }, this.#timeoutMs)
  }

  end(run: RunIndex): void {
    clearTimeout(this.#limits.get(run)?.timer)
    this.#limits.delete(run)
  }
}
