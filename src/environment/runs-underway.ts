/** What is underway, run by run: a byte each, since there may be millions. */
import type { RunIndex } from '../values/path.ts'

export type RunState =
  /** With an executor. */
  | 'active'
  /** The writer has its whole record. */
  | 'handed-over'

const CODES: Readonly<Record<RunState, number>> = { active: 1, 'handed-over': 2 }
const NONE = 0

export class RunsUnderway {
  #states = new Uint8Array(1024)
  readonly #counts = [0, 0, 0]

  has(run: RunIndex): boolean {
    return (this.#states[run] ?? NONE) !== NONE
  }

  count(state: RunState): number {
    return this.#counts[CODES[state]] as number
  }

  /** Active or handed over. */
  get totalCount(): number {
    return this.count('active') + this.count('handed-over')
  }

  set(run: RunIndex, state: RunState): void {
    if (run >= this.#states.length) this.#growTo(run + 1)
    this.#put(run, CODES[state])
  }

  /** Nothing of the run is underway. */
  delete(run: RunIndex): void {
    if (run < this.#states.length) this.#put(run, NONE)
  }

  clear(): void {
    this.#states.fill(NONE)
    this.#counts.fill(0)
  }

  #put(run: RunIndex, code: number): void {
    const before = this.#states[run] as number
    this.#counts[before] = (this.#counts[before] as number) - 1
    this.#counts[code] = (this.#counts[code] as number) + 1
    this.#states[run] = code
  }

  #growTo(length: number): void {
    const states = new Uint8Array(Math.max(length, 2 * this.#states.length))
    states.set(this.#states)
    this.#states = states
  }
}
