/** A `pypet-ts` command of a round, which is heard while it runs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ROOT } from '../source-tree.ts'
import { kill } from './processes.ts'

const COMMAND = join(ROOT, 'bin/pypet-ts.js')
/** Longer than anything that a command is allowed to wait for. */
const HANG_MS = 120_000

export interface Event {
  readonly event: string
  readonly [field: string]: unknown
}

export class Command {
  readonly words: readonly string[]
  /** In the environment of its processes, and of no others. */
  readonly mark: string
  readonly process: ChildProcess
  readonly events: Event[] = []
  stdout = ''
  stderr = ''
  isHanging = false
  /** Null when a signal has ended it. */
  exitCode: number | null = null
  readonly #exited: Promise<unknown>
  readonly #closed: Promise<unknown>
  #rest = ''
  #hasEnded = false
  #listeners: (() => void)[] = []

  /** @param options.diskKilobytes no file may become larger */
  constructor(
    words: readonly string[],
    {
      folder,
      env,
      mark,
      diskKilobytes,
    }: {
      readonly folder: string
      readonly env: NodeJS.ProcessEnv
      readonly mark: string
      readonly diskKilobytes?: number
    },
  ) {
    this.words = words
    this.mark = mark
    const limited = ['bash', '-c', `ulimit -f ${diskKilobytes}; exec "$0" "$@"`]
    const [program, ...args] = [
      ...(diskKilobytes === undefined ? [] : limited),
      process.execPath,
      COMMAND,
      ...words,
    ]
    this.process = spawn(program as string, args, {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, to be killed as a whole.
      detached: true,
    })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.#exited = once(this.process, 'exit')
    this.#closed = once(this.process, 'close')
    const hang = setTimeout(() => {
      this.isHanging = true
      kill(-this.id)
    }, HANG_MS)
    void this.#exited.then(() => {
      clearTimeout(hang)
      this.exitCode = this.process.exitCode
      this.#hasEnded = true
      this.#notify()
    })
  }

  get id(): number {
    return this.process.pid as number
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The runs that were announced, as stored or as failed. */
  announced(event: 'runs-stored' | 'run-failed'): number[] {
    return this.events.flatMap((line) =>
      line.event !== event ? [] : event === 'runs-stored' ? (line.runs as number[]) : [line.run as number],
    )
  }

  /** Resolves to whether the condition came to hold before the command ended. */
  async until(condition: () => boolean): Promise<boolean> {
    for (;;) {
      if (condition()) return true
      if (this.#hasEnded) return false
      await new Promise<void>((resolve) => this.#listeners.push(resolve))
    }
  }

  /** Resolves to whether the command still runs then. */
  async after(ms: number): Promise<boolean> {
    await Promise.race([delay(ms), this.#exited])
    return !this.#hasEnded
  }

  /** Resolves when main has ended and all is heard that it said; others may have its output still. */
  async ended(): Promise<void> {
    await this.#exited
    await Promise.race([this.#closed, delay(2000)])
  }

  #take(text: string): void {
    this.stdout += text
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      try {
        this.events.push(JSON.parse(line))
      } catch {
        // Not for programs.
      }
    }
    this.#notify()
  }

  #notify(): void {
    for (const listener of this.#listeners.splice(0)) listener()
  }
}
