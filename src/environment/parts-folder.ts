/** Where the jobs of an experiment keep what they store before their run ends, and who removes it. */
import { existsSync, rmSync } from 'node:fs'
import { partFilePath, removePartFile } from '../journal/part-file.ts'
import { realFileOf } from '../journal/real-file.ts'
import type { RunFailure } from '../protocol.ts'
import { temporaryBeside } from '../temporary-names.ts'
import type { RunIndex } from '../values/path.ts'

/** Two experiments of one process may be at one file: one of them is refused, and clears up after itself only. */
let count = 0

/** A folder beside the HDF5 file, made by the first worker that needs it. What a kill leaves is swept by its name. */
export class PartsFolder implements Disposable {
  readonly path: string
  /** Files left by attempts that did not clean up, such as those of a killed process, for runs that have not ended. */
  readonly #left = new Map<RunIndex, string[]>()

  constructor(file: string) {
    count += 1
    this.path = `${temporaryBeside(realFileOf(file), 'parts')}.${count}`
  }

  /**
   * The attempt has failed. Its run may still have arrived, which is known when the run has ended. Until then the file
   * may be needed.
   */
  noteFailed({ run, attempts }: Pick<RunFailure, 'run' | 'attempts'>): void {
    const file = partFilePath(this.path, run, attempts)
    if (existsSync(file)) this.#left.set(run, [...(this.#left.get(run) ?? []), file])
  }

  /** These runs are stored or failed, and the file says so. */
  noteEnded(runs: readonly RunIndex[]): void {
    if (this.#left.size === 0) return
    for (const run of runs) {
      for (const file of this.#left.get(run) ?? []) removePartFile(file)
      this.#left.delete(run)
    }
  }

  /** Call it when nobody reads the folder any more. */
  [Symbol.dispose](): void {
    try {
      rmSync(this.path, { recursive: true, force: true })
    } catch {
      // The next command that writes the file tries again.
    }
  }
}
