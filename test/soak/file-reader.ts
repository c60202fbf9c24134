/** What a file holds, read apart from all code of the project. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('read-hdf5.mjs', import.meta.url))

export interface FoundRun {
  readonly z?: number
  readonly text?: string
  readonly arrayLength?: number
  readonly arrayLast?: number
}

export interface FoundTrajectory {
  /** The table of runs is there. */
  readonly isListed: boolean
  /** Columns of the table of runs. */
  readonly indices: readonly number[]
  readonly names: readonly string[]
  readonly completed: readonly number[]
  readonly failed: readonly number[]
  /** The value of each run. */
  readonly x: readonly number[]
  readonly runs: Readonly<Record<number, FoundRun>>
  /** Results of post-processing. */
  readonly rounds: readonly string[]
}

export type FoundFile = Readonly<Record<string, FoundTrajectory>>

type Answer = { readonly trajectories?: FoundFile; readonly error?: string; readonly isReady?: true }

/** A process that reads one file after the other, and is replaced when one ends it. */
export class FileReader {
  #child: ChildProcess | undefined
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws Error where it cannot be read */
  read(path: string): Promise<FoundFile> {
    const reading = this.#turn.then(() => this.#read(path))
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  async close(): Promise<void> {
    await this.#turn
    this.#child?.kill('SIGKILL')
  }

  async #read(path: string): Promise<FoundFile> {
    if (this.#child === undefined) {
      this.#child = fork(PROGRAM, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] })
      await this.#answer()
    }
    this.#child.send({ path })
    const { trajectories, error } = await this.#answer()
    if (trajectories !== undefined) return trajectories
    // The library leaks with every error.
    this.#child?.kill('SIGKILL')
    this.#child = undefined
    throw new Error(error)
  }

  #answer(): Promise<Answer> {
    const child = this.#child as ChildProcess
    return new Promise((resolve) => {
      const take = (answer: Answer) => {
        child.off('exit', died)
        resolve(answer)
      }
      const died = (code: number | null, signal: string | null) => {
        child.off('message', take)
        resolve({ error: `it has ended the process that read it (${signal ?? code})` })
      }
      child.once('message', take)
      child.once('exit', died)
    })
  }
}
