/**
 * Keeps readers out of an HDF5 file while pages in it are overwritten.
 *
 * A reader that has the file open across such a moment sees a mixture of two states, and libhdf5 crashes on it. But
 * since 1.10 it holds a shared `flock` for as long as it has a file open, so the writer takes the exclusive one first,
 * and puts the pages off when it does not get it at once.
 *
 * Node has no flock. The `flock` program takes it on a descriptor that it inherits, and the lock stays: it belongs
 * to the open file, which both share. Starting that program from here would copy the page tables of a large process
 * twice a commit, with the event loop waiting; so a small shell does it, which lives as long as the gate. One that does
 * not answer, because somebody has stopped it or the system has, is replaced.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { LogLevel } from '../run/log-level.ts'
import { flockNow } from './flock.ts'

export class ReaderGate {
  /** Why this gate is always open, as the end of a sentence; undefined for one that works. */
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
   * A gate before the file with this descriptor, which must stay open longer than the gate. Finds out whether
   * locks work for this file, for which it takes one for a moment. Where they do not, the gate is always open, and
   * has a `reason`. Never throws.
   */
  static async open(descriptor: number | undefined, options: GateOptions = {}): Promise<ReaderGate> {
    const alwaysOpen = (reason: string) => new ReaderGate(-1, undefined, { ...options, reason })
    if (descriptor === undefined || descriptor < 0) return alwaysOpen('it is not a file of this machine')
    if (process.platform === 'win32') return alwaysOpen('Windows has no flock')
    let keeper: Keeper
    let answer: Answer | undefined
    try {
      keeper = new Keeper(descriptor)
      answer = await keeper.ask('lock', options.answerMs)
      if (answer === undefined) {
        // Once more: one that was stopped says nothing of the next.
        keeper = new Keeper(descriptor)
        answer = await keeper.ask('lock', options.answerMs)
      }
    } catch (error) {
      return alwaysOpen(`no shell could be started: ${(error as Error).message}`)
    }
    const { status, text } = answer ?? CANNOT_START
    // A reader may be there already: that its lock is noticed shows as well that locks work.
    const isWorking = status === STATUS_LOCKED || status === STATUS_TAKEN
    if (status === STATUS_LOCKED) await keeper.ask('unlock')
    if (isWorking) return new ReaderGate(descriptor, keeper, options)
    await keeper.end()
    const reason =
      status === STATUS_NOT_FOUND
        ? 'the program `flock` (of util-linux) was not found'
        : `\`flock\` failed with status ${status}: ${text || 'it does not say why'}`
    return alwaysOpen(reason)
  }

  /** Whether readers are kept out at this moment. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Keeps readers out from now until `reopen`: true. False when one is there already, and nothing has changed. An
   * always open gate says true, too. One question at a time.
   */
  async tryClose(): Promise<boolean> {
    if (this.#keeper === undefined || this.#isClosed) return true
    const answer = await this.#ask('lock')
    if (answer === undefined) return this.tryCloseSync()
    this.#isClosed = answer.status === STATUS_LOCKED
    return this.#isClosed
  }

  /**
   * As `tryClose`, but waits until the readers are gone: it comes in between one who closes the file and the next who
   * opens it. Meanwhile readers come and go as they like.
   */
  async waitToClose(waitMs: number): Promise<boolean> {
    if (this.#keeper === undefined || this.#isClosed) return true
    const answer = await this.#ask(`wait ${waitMs / 1000}`, waitMs)
    if (answer === undefined) return this.tryCloseSync()
    this.#isClosed = answer.status === STATUS_LOCKED
    return this.#isClosed
  }

  /** Lets readers in again. */
  async reopen(): Promise<void> {
    if (this.#keeper === undefined || !this.#isClosed) return
    const answer = await this.#ask('unlock')
    if (answer === undefined) this.reopenSync()
    this.#isClosed = false
  }

  /** Undefined when the shell has died, or does not answer: then there is another one for the next question. */
  async #ask(question: Question, waitMs = 0): Promise<Answer | undefined> {
    const { answerMs = ANSWER_MS, onReplaced } = this.#options
    const answer = await this.#keeper?.ask(question, waitMs + answerMs)
    if (answer === undefined) {
      onReplaced?.()
      try {
        this.#keeper = new Keeper(this.#descriptor)
      } catch {
        // The old one says nothing at once, and what is asked is done without it.
      }
    }
    return answer
  }

  /** `tryClose` without the event loop, for an end that must not be interrupted. Takes a few milliseconds. */
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

  /** Lets readers in and ends the shell; resolves when it is gone. The gate is of no use after that. */
  async end(): Promise<void> {
    await this.reopen()
    await this.#keeper?.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }
}

export interface GateOptions {
  /** After so long without an answer the shell is replaced; tests have less patience. */
  readonly answerMs?: number | undefined
  /** Told when the shell was replaced, because it had died or did not answer. */
  readonly onReplaced?: (() => void) | undefined
}

/**
 * The gate of a file that is being written. Where there is no lock to keep readers away with, it is said once, and pages
 * are written all the same. Never throws.
 */
export async function openGate(
  { path, descriptor }: { readonly path: string; readonly descriptor: number | undefined },
  onNotice: (level: LogLevel, message: string) => void,
): Promise<ReaderGate> {
  const gate = await ReaderGate.open(descriptor, { onReplaced: () => onNotice('warn', shellReplaced(path)) })
  if (gate.reason !== undefined) {
    onNotice(
      'info',
      `readers of ${path} are not kept apart from its writer: ${gate.reason}; read it with pypet-ts snapshot`,
    )
  }
  return gate
}

/** For `onReplaced`. */
export function shellReplaced(file: string): string {
  return `the shell that keeps readers of ${file} apart did not answer: it was replaced`
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
 * Answers each line with what `flock` prints, and its status after an equals sign. Ends when its input does, that is,
 * also when the writer is killed: the lock goes with it, and it must not go earlier, so a Ctrl-C or a SIGTERM for all
 * processes of a terminal or a job passes by. (What is ignored here is ignored by `flock` as well.)
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

/** The shell that locks and unlocks descriptor 3. It holds no other descriptor of ours, and keeps no process alive. */
class Keeper {
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>
  readonly #ended: Promise<void>
  readonly #waiting: ((answer: Answer | undefined) => void)[] = []
  #hasEnded = false
  #text = ''

  constructor(descriptor: number) {
    // Not `sh`: it must be found without PATH, too.
    this.#shell = spawn('/bin/sh', ['-c', KEEPER_SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore', descriptor],
      // A session of its own: signals for the terminal's processes do not even arrive.
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
    // A shell that has died is noticed by its end.
    this.#shell.stdin.on('error', () => {})
    this.#shell.stdout.setEncoding('utf8')
    this.#shell.stdout.on('data', (text: string) => this.#take(text))
    this.#shell.stdout.on('error', () => {})
    this.#shell.unref()
    this.#holdProcess(false)
    ;(this.#shell.stdin as Socket).unref()
  }

  /** Undefined when the shell has died, never lived, or does not answer in time: then it is killed. */
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

  /** With the `flock` that it may wait for: both have a group of their own. */
  #kill(): void {
    try {
      process.kill(-(this.#shell.pid as number), 'SIGKILL')
    } catch {
      // It has ended by itself.
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

  /** Only somebody who waits for an answer keeps this process alive. */
  #holdProcess(isHeld: boolean): void {
    const answers = this.#shell.stdout as Socket
    if (isHeld) answers.ref()
    else answers.unref()
  }
}
