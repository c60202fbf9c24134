/**
 * Keeps readers out of an HDF5 file while pages in it are overwritten.
 *
 * A reader that has the file open across such a moment sees a mixture of two states, and libhdf5 crashes on it. But
 * since 1.10 it holds a shared `flock` for as long as it has a file open, so the writer takes the exclusive one first,
 * and puts the pages off when it does not get it at once.
 *
 * Node has no flock. The `flock` program takes it on a descriptor that it inherits, and the lock stays: it belongs
 * to the open file, which both share. Starting that program from here would copy the page tables of a large process
 * twice a commit, with the event loop waiting; so a small shell does it, which lives as long as the gate.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

export class ReaderGate {
  /** Why this gate is always open, as the end of a sentence; undefined for one that works. */
  readonly reason: string | undefined
  readonly #descriptor: number
  readonly #keeper: Keeper | undefined
  #isClosed = false

  private constructor(descriptor: number, keeper: Keeper | undefined, reason: string | undefined) {
    this.#descriptor = descriptor
    this.#keeper = keeper
    this.reason = reason
  }

  /**
   * A gate before the file with this descriptor, which must stay open longer than the gate. Finds out whether
   * locks work for this file, for which it takes one for a moment. Where they do not, the gate is always open, and
   * has a `reason`. Never throws.
   */
  static async open(descriptor: number | undefined): Promise<ReaderGate> {
    const alwaysOpen = (reason: string) => new ReaderGate(-1, undefined, reason)
    if (descriptor === undefined || descriptor < 0) return alwaysOpen('it is no file of this machine')
    if (process.platform === 'win32') return alwaysOpen('Windows has no flock')
    let keeper: Keeper
    try {
      keeper = new Keeper(descriptor)
    } catch (error) {
      return alwaysOpen(`no shell could be started: ${(error as Error).message}`)
    }
    const { status, text } = (await keeper.ask('lock')) ?? CANNOT_START
    // A reader may be there already: that its lock is noticed shows as well that locks work.
    const isWorking = status === STATUS_LOCKED || status === STATUS_TAKEN
    if (status === STATUS_LOCKED) await keeper.ask('unlock')
    if (isWorking) return new ReaderGate(descriptor, keeper, undefined)
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
    const answer = await this.#keeper.ask('lock')
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
    const answer = await this.#keeper.ask(`wait ${waitMs / 1000}`)
    if (answer === undefined) return this.tryCloseSync()
    this.#isClosed = answer.status === STATUS_LOCKED
    return this.#isClosed
  }

  /** Lets readers in again. */
  async reopen(): Promise<void> {
    if (this.#keeper === undefined || !this.#isClosed) return
    const answer = await this.#keeper.ask('unlock')
    if (answer === undefined) this.reopenSync()
    this.#isClosed = false
  }

  /** `tryClose` without the event loop, for an end that must not be interrupted. Takes a few milliseconds. */
  tryCloseSync(): boolean {
    if (this.#keeper === undefined || this.#isClosed) return true
    this.#isClosed = flockSync(this.#descriptor, '-x', '-n') === STATUS_LOCKED
    return this.#isClosed
  }

  /** `reopen` without the event loop. */
  reopenSync(): void {
    if (this.#keeper === undefined || !this.#isClosed) return
    flockSync(this.#descriptor, '-u')
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

  /** Undefined when the shell has died, or never lived. */
  ask(question: 'lock' | 'unlock' | `wait ${number}`): Promise<Answer | undefined> {
    if (this.#hasEnded) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#holdProcess(true)
      this.#shell.stdin.write(`${question}\n`)
    })
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#shell.ref()
    this.#holdProcess(true)
    this.#shell.stdin.end()
    await this.#ended
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

/** The same by a process of its own: for what must be done now, and for a keeper that somebody has killed. */
function flockSync(descriptor: number, ...flags: readonly string[]): number | null {
  return spawnSync('flock', [...flags, '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] }).status
}
