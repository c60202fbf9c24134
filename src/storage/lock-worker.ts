/**
 * ENTRY of a worker's own storing, in the wrap mode `lock`: finished runs wait here for the lock, and are written by
 * this very thread or process when it is its turn. Loaded by executors by its address, since they do not know storages.
 */
import { connect, type Socket } from 'node:net'
import { PypetError, toErrorRecord } from '../errors.ts'
import type { StorageSettings } from '../protocol.ts'
import {
  decodeFramePrefix,
  decodeRunFrame,
  FRAME_PREFIX_BYTES,
  type RawRunRecord,
} from '../trajectory/run-frame.ts'
import { CommitSchedule } from './commit-schedule.ts'
import { proveHook } from './hdf5-hook.ts'
import { type FromLock, readLines, type ToLock, writeLine } from './lock-messages.ts'
import { LockTurns } from './lock-turn.ts'
import type { Commit, TrajectoryStore } from './trajectory-store.ts'

/** What main tells its workers. Cloneable. */
export interface LockData {
  /** Of the lock, see `lock-server`. */
  readonly address: string
  readonly storage: StorageSettings
  /** So many runs may wait in a worker. */
  readonly pendingMax: number
  /** The worker may be ended between two runs: a job goes on only when its run is committed. */
  readonly isDurable: boolean
}

/** How long a worker may keep the lock while others wait. */
const SLICE_MS = 40
/** A worker whose runs follow each other more slowly gives the lock back between them. */
const KEEP_MS = 10
/** Bytes of runs that may wait in a worker; one larger run may be alone. */
const PENDING_BYTES_MAX = 67_108_864

interface Pending {
  readonly record: RawRunRecord
  readonly bytes: number
}

/** @throws PypetError `PYPET_WRITER_DIED` when nobody listens at the address */
export async function openRecordStore(data: LockData): Promise<LockWorker> {
  // It compiles the HDF5 library, and shows that it writes through the transaction.
  const [socket] = await Promise.all([connected(data.address), proveHook()])
  return new LockWorker(socket, data)
}

function connected(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    socket.once('error', (cause) => reject(mainIsGone(cause)))
    socket.once('connect', () => resolve(socket))
  })
}

export class LockWorker {
  readonly #socket: Socket
  readonly #data: LockData
  #turns: LockTurns | undefined
  readonly #pending: Pending[] = []
  #pendingBytes = 0
  /** What has been written in this turn and is not committed. */
  #store: TrajectoryStore | undefined
  #schedule: CommitSchedule | undefined
  #turnStartMs = 0
  #isAsked = false
  #isWanted = false
  #isFinishing = false
  #hasQuickRuns = false
  #idleTimer: NodeJS.Timeout | undefined
  #error: PypetError | undefined
  /** Jobs that wait until their runs are stored. */
  #waiting: {
    readonly resolve: () => void
    readonly reject: (error: PypetError) => void
    readonly isOver: () => boolean
  }[] = []
  readonly #startMs = performance.now()
  #lastTakenMs = Number.NEGATIVE_INFINITY
  #waitedMs = 0
  #turnCount = 0
  #uncommittedCount = 0

  constructor(socket: Socket, data: LockData) {
    this.#socket = socket
    this.#data = data
    // An open line must not keep a finished process alive.
    socket.unref()
    readLines<FromLock>(socket, (message) => this.#take(message))
    socket.on('error', (cause) => this.#break(mainIsGone(cause)))
    socket.on('close', () => this.#break(mainIsGone()))
  }

  /**
   * Takes a run. Resolves when the job may go on: the run is stored, or waits with few others.
   *
   * @throws PypetError `PYPET_WRITER_DIED`, `PYPET_STORAGE_FAILED`
   */
  async sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    const startMs = performance.now()
    this.#hasQuickRuns = startMs - this.#lastTakenMs < KEEP_MS
    const record = decode(pieces)
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    this.#pending.push({ record, bytes })
    this.#pendingBytes += bytes
    this.#socket.ref()
    if (!this.#data.isDurable) this.#tell({ type: 'taken', run: record.run })
    if (this.#store !== undefined) this.#storePending()
    else this.#ask()
    await this.#room()
    const endMs = performance.now()
    this.#waitedMs += endMs - startMs
    this.#lastTakenMs = endMs
  }

  /** Waits for what was taken, unless main is gone. */
  async close(): Promise<void> {
    await this.#until(() => this.#pending.length === 0 && this.#store === undefined).catch(() => undefined)
    this.#socket.destroy()
    this.#turns?.close()
  }

  #room(): Promise<void> {
    const { pendingMax, isDurable } = this.#data
    if (isDurable) return this.#until(() => this.#pending.length === 0 && this.#uncommittedCount === 0)
    return this.#until(
      () =>
        this.#pending.length <= pendingMax &&
        (this.#pendingBytes <= PENDING_BYTES_MAX || this.#pending.length === 0),
    )
  }

  #until(isOver: () => boolean): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (isOver()) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject, isOver }))
  }

  #wake(): void {
    const over = this.#waiting.filter(({ isOver }) => isOver())
    if (over.length === 0) return
    this.#waiting = this.#waiting.filter((waiter) => !over.includes(waiter))
    for (const { resolve } of over) resolve()
  }

  #ask(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    this.#tell({ type: 'acquire' })
  }

  #take(message: FromLock): void {
    switch (message.type) {
      case 'granted':
        this.#isWanted = message.isWanted
        void this.#begin(message.cntFile, message.applied)
        break
      case 'wanted':
        this.#isWanted = true
        this.#endWhenDue()
        break
      case 'finish':
        this.#isFinishing = message.isFinishing
        this.#endWhenDue()
        break
    }
  }

  /** The turn has come. */
  async #begin(cntFile: string, applied: number): Promise<void> {
    const { storage } = this.#data
    this.#turns ??= new LockTurns({
      cntFile,
      storage,
      keepCnt: false,
      onNotice: (level, message) => this.#tell({ type: 'notice', level, message }),
      onError: (error) => this.#breakDown(error),
    })
    try {
      const store = await this.#turns.open(applied)
      this.#store = store
      this.#turnCount += 1
      this.#turnStartMs = performance.now()
      this.#schedule = new CommitSchedule(storage.commitIntervalMs, () => this.#commit())
      if (this.#isFinishing) this.#schedule.finish()
      this.#storePending()
    } catch (error) {
      this.#breakDown(error)
    }
  }

  #storePending(): void {
    try {
      const store = this.#store as TrajectoryStore
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        this.#pendingBytes -= next.bytes
        store.storeRun(next.record)
        this.#uncommittedCount += 1
        this.#schedule?.noteWritten()
        if (this.#isWanted && performance.now() - this.#turnStartMs > SLICE_MS) break
      }
      this.#endWhenDue()
      this.#wake()
    } catch (error) {
      this.#breakDown(error)
    }
  }

  /** Gives the lock back: at once where runs take their time, else when others have waited long enough. */
  #endWhenDue(): void {
    if (this.#store === undefined) return
    clearTimeout(this.#idleTimer)
    const restMs = SLICE_MS - (performance.now() - this.#turnStartMs)
    const isQuick = this.#hasQuickRuns && !this.#isFinishing && !this.#data.isDurable
    if (!isQuick || (this.#isWanted && restMs <= 0)) {
      this.#end()
      return
    }
    this.#idleTimer = setTimeout(() => this.#end(), this.#isWanted ? Math.min(KEEP_MS, restMs) : KEEP_MS)
  }

  #commit(): void {
    try {
      if (this.#store?.hasUncommitted === true) this.#announce(this.#store.commit())
      this.#wake()
    } catch (error) {
      this.#breakDown(error)
    }
  }

  /** Commits and gives the lock back. */
  #end(): void {
    const store = this.#store
    if (store === undefined) return
    try {
      clearTimeout(this.#idleTimer)
      this.#schedule?.stop()
      this.#schedule = undefined
      this.#store = undefined
      this.#announce(store.leave())
      this.#tell({
        type: 'waited',
        waitedMs: this.#waitedMs,
        totalMs: performance.now() - this.#startMs,
        turnCount: this.#turnCount,
      })
      this.#isAsked = false
      this.#tell({ type: 'release' })
      if (this.#pending.length > 0) this.#ask()
      else this.#socket.unref()
      this.#wake()
    } catch (error) {
      this.#breakDown(error)
    }
  }

  #announce(commit: Commit): void {
    this.#uncommittedCount = 0
    if (commit.stored.length + commit.failed.length > 0) this.#tell({ type: 'committed', ...commit })
  }

  #tell(message: ToLock): void {
    if (!this.#socket.destroyed) writeLine(this.#socket, message)
  }

  /** Nothing can be trusted after an error in the file: main is told, and ends the experiment. */
  #breakDown(error: unknown): void {
    const record = toErrorRecord(error)
    this.#tell({ type: 'broken', error: record })
    this.#break(
      error instanceof PypetError ? error : new PypetError('PYPET_STORAGE_FAILED', record.message, {}),
    )
  }

  #break(error: PypetError): void {
    if (this.#error !== undefined) return
    this.#error = error
    clearTimeout(this.#idleTimer)
    this.#schedule?.stop()
    this.#store = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** One buffer of its own: the arrays of the job may change when it goes on. */
function decode(pieces: readonly Uint8Array[]): RawRunRecord {
  const frame = new Uint8Array(Buffer.concat(pieces))
  const { headerBytes } = decodeFramePrefix(frame)
  return decodeRunFrame(frame.subarray(FRAME_PREFIX_BYTES), headerBytes)
}

function mainIsGone(cause?: Error): PypetError {
  return new PypetError(
    'PYPET_WRITER_DIED',
    'the lock of the file cannot be reached: the main process is gone',
    {
      hint: 'Runs announced as stored are safe.',
      cause,
    },
  )
}
