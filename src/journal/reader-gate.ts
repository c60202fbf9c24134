/**
 * Keeps readers out of an HDF5 file while its pages are overwritten.
 *
 * A reader that has the file open meanwhile sees a mixture of two states, and libhdf5 crashes on it. Since 1.10,
 * libhdf5 holds a shared `flock` while it has a file open. So the writer first takes the exclusive lock, and postpones
 * the pages if it does not get it at once.
 *
 * Node has no flock. The `flock` program takes it on a descriptor that it inherits. The lock stays, because it belongs
 * to the open file, which both processes share. Starting that program here would copy the page tables of a large
 * process twice per commit and block the event loop. So a small shell does it, which lives as long as the gate. If it
 * does not answer, for example because it was stopped, it is replaced.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { LogLevel } from '../run/log-level.ts'
import { flockNow } from './flock.ts'

export class ReaderGate {
  /** Why this gate is always open, as the end of a sentence. Undefined if it works. */
  readonly reason: string | undefined
  readonly #descriptor: number
  #keeper: Keeper | undefined
  readonly #options: GateOptions
  #isClosed = false

  private constructor(
    descriptor: number,
    keeper: Keeper | undefined,
    { reason, ...options }: GateOptions & { readonly reason?: string },
  ) {
    this.#descriptor = descriptor
    this.#keeper = keeper
    this.#options = options
    this.reason = reason
  }

  /**
   * Opens a gate for the file with this descriptor, which must stay open longer than the gate. Takes a lock for a
   * moment to find out whether locks work. If not, the gate is always open and has a `reason`. Never throws.
   */
  static async open(descriptor: number | undefined, options: GateOptions = {}): Promise<ReaderGate> {
    const alwaysOpen = (reason: string) => new ReaderGate(-1, undefined, { ...options, reason })
    if (descriptor === undefined || descriptor < 0) return alwaysOpen('the file is not on this machine')
    if (process.platform === 'win32') return alwaysOpen('Windows has no flock')
    let keeper: Keeper
    let answer: Answer | undefined
    try {
      keeper = new Keeper(descriptor)
      answer = await keeper.ask('lock', options.answerMs)
      if (answer === undefined) {
        // Try again: one stopped shell says nothing about the next one.
        keeper = new Keeper(descriptor)
        answer = await keeper.ask('lock', options.answerMs)
      }
    } catch (error) {
      return alwaysOpen(`no shell could be started: ${(error as Error).message}`)
    }
    const { status, text } = answer ?? CANNOT_START
    // There may be a reader already. If its lock is noticed, locks work too.
    const isWorking = status === STATUS_LOCKED || status === STATUS_TAKEN
    if (status === STATUS_LOCKED) await keeper.ask('unlock')
    if (isWorking) return new ReaderGate(descriptor, keeper, options)
    await keeper.end()
    const reason =
      status === STATUS_NOT_FOUND
        ? 'the program `flock` (of util-linux) was not found'
        : `\`flock\` failed with status ${status}: ${text || 'no reason given'}`
    return alwaysOpen(reason)
  }

  /** Whether readers are kept out now. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Returns true if readers are kept out from now until `reopen`. Returns false, and changes nothing, if there is a
   * reader. True for a gate that is always open. One call at a time.
   */
  async tryClose(): Promise<boolean> {
    if (this.#keeper === undefined || this.#isClosed) return true
    const answer = await this.#ask('lock')
    if (answer === undefined) return this.tryCloseSync()
    this.#isClosed = answer.status === STATUS_LOCKED
    return this.#isClosed
  }

  /** As `tryClose`, but waits until there is no reader. Readers may come and go meanwhile. */
  async waitToClose(waitMs: number): Promise<boolean> {
    if (this.#keeper === undefined || this.#isClosed) return true
    const answer = await this.#ask(`wait ${waitMs / 1000}`, waitMs)
    if (answer === undefined) return this.tryCloseSync()
    this.#isClosed = answer.status === STATUS_LOCKED
    return this.#isClosed
  }

  /** Admits readers again. */
  async reopen(): Promise<void> {
    if (this.#keeper === undefined || !this.#isClosed) return
    const answer = await this.#ask('unlock')
    if (answer === undefined) this.reopenSync()
    this.#isClosed = false
  }

  /** Undefined if the shell has died or does not answer. The next question goes to a new shell. */
  async #ask(question: Question, waitMs = 0): Promise<Answer | undefined> {
    const { answerMs = ANSWER_MS, onReplaced } = this.#options
    const answer = await this.#keeper?.ask(question, waitMs + answerMs)
    if (answer === undefined) {
      onReplaced?.()
      try {
        this.#keeper = new Keeper(this.#descriptor)
      } catch {
        // The old shell fails at once, and the caller continues without it.
      }
    }
    return answer
  }

  /** `tryClose` without the event loop, for an exit that must not be interrupted. Takes a few milliseconds. */
  tryCloseSync(): boolean {
    if (this.#keeper === undefined || this.#isClosed) return true
    this.#isClosed = flockNow(this.#descriptor, '-x', '-n') === 'locked'
    return this.#isClosed
  }

  /** `reopen` without the event loop. */
  reopenSync(): void {
    if (this.#keeper === undefined || !this.#isClosed) return
    flockNow(this.#descriptor, '-u')
    this.#isClosed = false
  }

  /** Admits readers and ends the shell. Resolves when it is gone. The gate cannot be used after that. */
  async end(): Promise<void> {
    await this.reopen()
    await this.#keeper?.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }
}

export interface GateOptions {
  /** The shell is replaced if it does not answer for this long. Shorter in some tests. */
  readonly answerMs?: number | undefined
  /** Called when the shell was replaced, because it died or did not answer. */
  readonly onReplaced?: (() => void) | undefined
}

/**
 * Opens the gate of a file that is being written. If locks do not work, warns once, and pages are written anyway. Never
 * throws.
 */
export async function openGate(
  { path, descriptor }: { readonly path: string; readonly descriptor: number | undefined },
  onNotice: (level: LogLevel, message: string) => void,
): Promise<ReaderGate> {
  const gate = await ReaderGate.open(descriptor, { onReplaced: () => onNotice('warn', shellReplaced(path)) })
  if (gate.reason !== undefined) {
    onNotice(
      'info',
      `${path} is not protected from concurrent readers: ${gate.reason}; to read it, make a copy with pypet-ts snapshot`,
    )
  }
  return gate
}

/** For `onReplaced`. */
export function shellReplaced(file: string): string {
  return `the shell that holds the reader lock of ${file} did not answer; a new one was started`
}

/** An answer takes milliseconds. */
const ANSWER_MS = 5000

type Question = 'lock' | 'unlock' | `wait ${number}`

const STATUS_LOCKED = 0
const STATUS_TAKEN = 1
/** As shells say it. */
const STATUS_NOT_FOUND = 127
const CANNOT_START: Answer = { status: -1, text: 'no shell could be started' }

interface Answer {
  readonly status: number
  readonly text: string
}

/**
 * Answers each line with the output of `flock`, and its status after an equals sign. Ends with its input, so also when
 * the writer is killed, and the lock ends with it. The lock must not end earlier, so the script ignores a Ctrl-C or
 * SIGTERM to all processes of a terminal or a job. (`flock` inherits the ignored signals.)
 */
const KEEPER_SCRIPT = `
trap '' INT TERM HUP QUIT
while read -r question seconds; do
  case $question in
    lock) flock -x -n 3 2>&1 ;;
    wait) flock -x -w "$seconds" 3 2>&1 ;;
    unlock) flock -u 3 2>&1 ;;
  esac
  echo "= $?"
done`

/**
 * The shell that locks and unlocks descriptor 3. It has no other descriptor of the writer, and keeps no process alive.
 */
class Keeper {
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>
  readonly #ended: Promise<void>
  readonly #waiting: ((answer: Answer | undefined) => void)[] = []
  #hasEnded = false
  #text = ''

  constructor(descriptor: number) {
    // Not `sh`: it must be found without PATH too.
    this.#shell = spawn('/bin/sh', ['-c', KEEPER_SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore', descriptor],
      // A separate session: signals for the terminal's processes do not reach it.
      detached: true,
    }) as ChildProcessByStdio<Writable, Readable, null>
    this.#ended = new Promise((resolve) => {
      const finish = () => {
        this.#hasEnded = true
        for (const answer of this.#waiting.splice(0)) answer(undefined)
        resolve()
      }
      this.#shell.once('error', finish)
      this.#shell.once('close', finish)
    })
    // A dead shell is noticed by its exit.
    this.#shell.stdin.on('error', () => {})
    this.#shell.stdout.setEncoding('utf8')
    this.#shell.stdout.on('data', (text: string) => this.#take(text))
    this.#shell.stdout.on('error', () => {})
    this.#shell.unref()
    this.#holdProcess(false)
    ;(this.#shell.stdin as Socket).unref()
  }

  /** Undefined if the shell has died, never started, or does not answer in time. In the last case, it is killed. */
  async ask(question: Question, limitMs = ANSWER_MS): Promise<Answer | undefined> {
    if (this.#hasEnded) return undefined
    const limit = setTimeout(() => this.#kill(), limitMs)
    try {
      return await new Promise((resolve) => {
        this.#waiting.push(resolve)
        this.#holdProcess(true)
        this.#shell.stdin.write(`${question}\n`)
      })
    } finally {
      clearTimeout(limit)
    }
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#shell.ref()
    this.#holdProcess(true)
    this.#shell.stdin.end()
    const limit = setTimeout(() => this.#kill(), ANSWER_MS)
    await this.#ended
    clearTimeout(limit)
  }

  /** Also kills the `flock` that it may wait for: both are in a separate process group. */
  #kill(): void {
    try {
      process.kill(-(this.#shell.pid as number), 'SIGKILL')
    } catch {
      // It has exited already.
    }
  }

  #take(text: string): void {
    this.#text += text
    for (;;) {
      const match = /^= (\d+)\n/m.exec(this.#text)
      if (match === null) return
      const said = this.#text.slice(0, match.index).trim()
      this.#text = this.#text.slice(match.index + match[0].length)
      this.#waiting.shift()?.({ status: Number(match[1]), text: said })
      if (this.#waiting.length === 0) this.#holdProcess(false)
    }
  }

  /** The shell keeps this process alive only while someone waits for an answer. */
  #holdProcess(isHeld: boolean): void {
    const answers = this.#shell.stdout as Socket
    if (isHeld) answers.ref()
    else answers.unref()
  }
}
