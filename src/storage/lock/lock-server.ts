/** The lock of an experiment whose workers store their runs themselves. First come, first served. */
import type { Socket } from 'node:net'
import { fromErrorRecord } from '../../errors.ts'
import type { RunIndex } from '../../values/path.ts'
import { LocalServer } from '../queue/local-server.ts'
import type { RunStoreListener } from '../run-store.ts'
import { type FromLock, readLines, type ToLock, writeLine } from './lock-messages.ts'
import type { LeftFile } from './lock-turn.ts'

/** A worker or main itself. Called when it gets the lock. */
type Grant = () => void

export interface WaitingShare {
  readonly waitedMs: number
  readonly totalMs: number
  readonly turnCount: number
}

export class LockServer {
  listener: RunStoreListener | undefined
  /** Called when workers have committed: pages are waiting in the `.cnt` file. */
  onCommitted: () => void = () => undefined
  /** Pages up to this commit are durably in the HDF5 file. */
  applied = 0
  /** Known once the trajectory is open. Nobody asks before. */
  cntFile = ''
  /** The file as main left it: workers only write after its end. */
  left: LeftFile = { identity: undefined, head: undefined }
  /** Of the current workers. */
  readonly #waiting = new Map<Socket, WaitingShare>()
  /** Of former workers. */
  #waited: WaitingShare = { waitedMs: 0, totalMs: 0, turnCount: 0 }
  readonly #server = new LocalServer((socket) => this.#connect(socket))
  readonly #queue: Grant[] = []
  #holder: Grant | undefined
  #isFinishing = false

  static async listen(address: string): Promise<LockServer> {
    const lock = new LockServer()
    await lock.#server.listen(address)
    // The experiment keeps the process alive, not the lock.
    lock.#server.unref()
    return lock
  }

  /** Performs an action under the lock. */
  async hold<Result>(action: () => Promise<Result> | Result): Promise<Result> {
    let holder: Grant = () => undefined
    await new Promise<void>((resolve) => {
      holder = resolve
      this.#ask(holder)
    })
    try {
      return await action()
    } finally {
      this.#release(holder)
    }
  }

  /** No more runs start for now: nobody waits to share a commit. */
  finish(isFinishing: boolean): void {
    if (this.#isFinishing === isFinishing) return
    this.#isFinishing = isFinishing
    for (const socket of this.#server.sockets) writeLine(socket, { type: 'finish', isFinishing })
  }

  /** How long workers waited for the lock, and their total time. */
  waited(): WaitingShare {
    return [...this.#waiting.values()].reduce(added, this.#waited)
  }

  close(): void {
    this.listener = undefined
    void this.#server.close()
  }

  #connect(socket: Socket): () => void {
    /** Only in the worker's memory. */
    const taken = new Set<RunIndex>()
    const tell = (message: FromLock) => writeLine(socket, message)
    const holder: Grant = () => {
      const { cntFile, applied, left } = this
      tell({ type: 'granted', cntFile, applied, left })
    }
    if (this.#isFinishing) tell({ type: 'finish', isFinishing: true })
    readLines<ToLock>(socket, (message) => {
      switch (message.type) {
        case 'acquire':
          this.#ask(holder)
          break
        case 'release':
          this.#release(holder)
          break
        case 'taken':
          taken.add(message.run)
          break
        case 'committed': {
          const { stored, failed, refused } = message
          for (const run of [...stored, ...failed]) taken.delete(run)
          this.listener?.onCommitted(stored, failed, refused)
          this.onCommitted()
          break
        }
        case 'notice':
          this.listener?.onNotice(message.level, message.message)
          break
        case 'waited':
          this.#waiting.set(socket, message)
          break
        case 'broken':
          this.listener?.onBroken(fromErrorRecord(message.error, 'PYPET_STORAGE_FAILED'))
          break
      }
    })
    return () => {
      this.#waited = added(this.#waited, this.#waiting.get(socket))
      this.#waiting.delete(socket)
      // What the worker had not committed is undone: the next one finds the file at the last commit.
      this.#forget(holder)
      if (taken.size > 0) this.listener?.onLost?.([...taken])
    }
  }

  #ask(holder: Grant): void {
    this.#queue.push(holder)
    if (this.#holder === undefined) this.#next()
  }

  #release(holder: Grant): void {
    if (this.#holder !== holder) return
    this.#holder = undefined
    this.#next()
  }

  #next(): void {
    this.#holder = this.#queue.shift()
    this.#holder?.()
  }

  #forget(holder: Grant): void {
    for (let at = this.#queue.indexOf(holder); at >= 0; at = this.#queue.indexOf(holder))
      this.#queue.splice(at, 1)
    this.#release(holder)
  }
}

function added(sum: WaitingShare, share: WaitingShare | undefined): WaitingShare {
  if (share === undefined) return sum
  return {
    waitedMs: sum.waitedMs + share.waitedMs,
    totalMs: sum.totalMs + share.totalMs,
    turnCount: sum.turnCount + share.turnCount,
  }
}
