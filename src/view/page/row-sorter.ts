/** Orders of all runs, made on the page if there are few of them, else in a worker. */
import { type SortAnswer, type SortRequest, sortedRows } from './row-order.ts'

/** This many are sorted within a frame. */
const ROWS_MAX_ON_PAGE = 50_000

export class RowSorter {
  readonly #onSorted: (answer: SortAnswer) => void
  #worker: Worker | undefined
  /** What the worker is doing. */
  #sorting: SortRequest | undefined
  /** Takes the place of one that has waited before it. */
  #waiting: SortRequest | undefined
  #hasWorker = true

  constructor(onSorted: (answer: SortAnswer) => void) {
    this.#onSorted = onSorted
  }

  /** Calls back with the order, unless another one is asked for before it is ready. The numbers may change then. */
  sort(request: SortRequest): void {
    if (request.numbers.length < ROWS_MAX_ON_PAGE || !this.#hasWorker) {
      this.#waiting = undefined
      this.#sortHere(request)
      return
    }
    this.#waiting = { ...request, numbers: request.numbers.slice() }
    this.#sendNext()
  }

  #sortHere({ key, numbers, isDescending }: SortRequest): void {
    this.#onSorted({ key, rows: sortedRows(numbers, isDescending) })
  }

  #sendNext(): void {
    const next = this.#waiting
    if (next === undefined || this.#sorting !== undefined) return
    this.#waiting = undefined
    this.#sorting = next
    this.#worker ??= this.#start()
    this.#worker.postMessage(next)
  }

  #start(): Worker {
    const worker = new Worker('sorter.js', { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<SortAnswer>) => {
      this.#sorting = undefined
      if (this.#waiting === undefined) this.#onSorted(data)
      else this.#sendNext()
    })
    // The server that has its script may be gone.
    worker.addEventListener('error', () => {
      const last = this.#waiting ?? this.#sorting
      this.#hasWorker = false
      this.#sorting = this.#waiting = undefined
      worker.terminate()
      if (last !== undefined) this.#sortHere(last)
    })
    return worker
  }
}
