/**
 * ENTRY for storing in a worker, in the wrap mode `lock`: finished runs wait here for the lock. This thread or process
 * writes them when it is its turn. Executors load it by its address, since they do not know storages.
 */
import { connect, type Socket } from 'node:net'
import { PypetError, toErrorRecord } from '../../errors.ts'
import { proveHook } from '../../hdf5/hook.ts'
import type { StorageSettings } from '../../protocol.ts'
import {
  decodeFramePrefix,
  decodeRunFrame,
  FRAME_PREFIX_BYTES,
  type RawRunRecord,
} from '../../run/run-frame.ts'
import type { RunIndex } from '../../values/path.ts'
import type { Commit, TrajectoryStore } from '../trajectory-store.ts'
import { type FromLock, readLines, type ToLock, writeLine } from './lock-messages.ts'
import { LockTurns, withKnown } from './lock-turn.ts'

/** What main tells its workers. Cloneable. */
export interface LockData {
  /** Of the lock, see `lock-server`. */
  readonly address: string
  readonly storage: StorageSettings
  /** The number of quick runs that may wait in a worker to share a turn. */
  readonly pendingMax: number
  /** The worker may be stopped between two runs: a job continues only when its run is committed. */
  readonly isDurable: boolean
}

/** A run that takes longer than this after the previous one is stored at once. */
const QUICK_MS = 10
/** How long quick runs wait to share a turn. This much work is lost if the worker ends. */
const HOLD_MS = 200
/** Size of the runs that may wait in a worker. A single larger run is allowed. */
const PENDING_BYTES_MAX = 67_108_864

interface Pending {
  readonly record: RawRunRecord
  readonly bytes: number
}

/** @throws PypetError `PYPET_WRITER_DIED` if nobody listens at the address */
export async function openRecordStore(data: LockData): Promise<LockWorker> {
  // Compiles the HDF5 library, and proves that it writes through the transaction.
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

/**
 * A turn is short: it stores the waiting runs, commits and releases the lock. No job computes meanwhile, since nobody
 * else could store until it ends. So a worker that has asked for the lock waits for its turn before it continues. Only
 * quick runs do not ask: they wait in memory for 200 ms, or until the next job leaves its thread free, and share the
 * next turn.
 */
export class LockWorker {
  readonly #socket: Socket
  readonly #data: LockData
  readonly #holdMs: number
  #turns: LockTurns | undefined
  readonly #pending: Pending[] = []
  #pendingBytes = 0
  /** The lock was requested and has not been released. */
  #isAsked = false
  /** No more runs start for now, so runs need not wait to share a turn. */
  #isFinishing = false
  #holdTimer: NodeJS.Timeout | undefined
  #error: PypetError | undefined
  /** Jobs waiting for the end of the turn. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: PypetError) => void }[] = []
  readonly #startMs = performance.now()
  #lastTakenMs = Number.NEGATIVE_INFINITY
  /** When the oldest waiting run was taken. */
  #heldSinceMs = 0
  #waitedMs = 0
  #turnCount = 0

  constructor(socket: Socket, data: LockData) {
    this.#socket = socket
    this.#data = data
    this.#holdMs = Math.min(HOLD_MS, data.storage.commitIntervalMs)
    // An idle connection must not keep a finished process alive.
    socket.unref()
    readLines<FromLock>(socket, (message) => this.#take(message))
    socket.on('error', (cause) => this.#break(mainIsGone(cause)))
    socket.on('close', () => this.#break(mainIsGone()))
  }

  /**
   * Takes a run. Resolves when the job may continue: the run is committed, or waits with a few other quick ones.
   *
   * @throws PypetError `PYPET_WRITER_DIED`, `PYPET_STORAGE_FAILED`
   */
  async sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    const startMs = performance.now()
    const isQuick = startMs - this.#lastTakenMs < QUICK_MS
    const record = decode(pieces)
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    if (this.#pending.length === 0) this.#heldSinceMs = startMs
    this.#pending.push({ record, bytes })
    this.#pendingBytes += bytes
    this.#socket.ref()
    if (isQuick && this.#mayHold(startMs)) this.#hold(record.run)
    else this.#ask()
    await this.ready()
    const endMs = performance.now()
    this.#waitedMs += endMs - startMs
    this.#lastTakenMs = endMs
  }

  /** Resolves when a run may start: this worker neither has the lock nor waits for it. */
  ready(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (!this.#isAsked) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Stores the waiting runs, unless main is gone. */
  async close(): Promise<void> {
    if (this.#pending.length > 0) this.#ask()
    await this.ready().catch(() => undefined)
    // Sent messages arrive before the connection closes.
    await new Promise<void>((resolve) => this.#socket.end(() => resolve()))
    this.#socket.destroy()
    this.#turns?.close()
  }

  #mayHold(nowMs: number): boolean {
    const { pendingMax, isDurable } = this.#data
    if (isDurable || this.#isFinishing || this.#isAsked) return false
    return (
      this.#pending.length <= pendingMax &&
      this.#pendingBytes <= PENDING_BYTES_MAX &&
      nowMs - this.#heldSinceMs < this.#holdMs
    )
  }

  #hold(run: RunIndex): void {
    this.#tell({ type: 'taken', run })
    this.#holdTimer ??= setTimeout(() => this.#ask(), this.#holdMs)
  }

  #ask(): void {
    clearTimeout(this.#holdTimer)
    this.#holdTimer = undefined
    if (this.#isAsked || this.#error !== undefined) return
    this.#isAsked = true
    this.#tell({ type: 'acquire' })
  }

  #take(message: FromLock): void {
    switch (message.type) {
      case 'granted':
        void this.#turn(message)
        break
      case 'finish':
        this.#isFinishing = message.isFinishing
        if (message.isFinishing && this.#pending.length > 0) this.#ask()
        break
    }
  }

  async #turn({ cntFile, applied, left }: Extract<FromLock, { type: 'granted' }>): Promise<void> {
    const { storage } = this.#data
    this.#turns ??= new LockTurns({
      cntFile,
      storage,
      keepCnt: false,
      onNotice: (level, message) => this.#tell({ type: 'notice', level, message }),
      onError: (error) => this.#breakDown(error),
    })
    try {
      const store = await this.#turns.open(applied, { left })
      // Main may be gone by now.
      if (this.#error !== undefined) return
      this.#turnCount += 1
      this.#tellCommitted(storeAll(store, this.#pending.splice(0)))
      this.#pendingBytes = 0
      this.#socket.unref()
      const totalMs = performance.now() - this.#startMs
      this.#tell({ type: 'waited', waitedMs: this.#waitedMs, totalMs, turnCount: this.#turnCount })
      this.#isAsked = false
      this.#tell({ type: 'release' })
      for (const { resolve } of this.#waiting.splice(0)) resolve()
    } catch (error) {
      this.#breakDown(error)
    }
  }

  #tellCommitted(commit: Commit): void {
    if (commit.stored.length + commit.failed.length > 0) this.#tell({ type: 'committed', ...commit })
  }

  #tell(message: ToLock): void {
    if (!this.#socket.destroyed) writeLine(this.#socket, message)
  }

  /** After an error in the file, nothing can be trusted: main is told, and ends the experiment. */
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
    clearTimeout(this.#holdTimer)
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** Stores and commits runs, and also reports runs that are already known. */
function storeAll(store: TrajectoryStore, pending: readonly Pending[]): Commit {
  const known = store.known(pending.map(({ record }) => record.run))
  for (const { record } of pending) store.storeRun(record)
  return withKnown(store.leave(), known)
}

/** A separate buffer: the job may change its arrays when it continues. */
function decode(pieces: readonly Uint8Array[]): RawRunRecord {
  const frame = new Uint8Array(Buffer.concat(pieces))
  const { headerBytes } = decodeFramePrefix(frame)
  return decodeRunFrame(frame.subarray(FRAME_PREFIX_BYTES), headerBytes)
}

function mainIsGone(cause?: Error): PypetError {
  return new PypetError('PYPET_WRITER_DIED', 'cannot take the lock of the file: the main process is gone', {
    hint: 'Runs reported as stored are safe.',
    cause,
  })
}
