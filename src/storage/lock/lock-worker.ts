/**
 * ENTRY of a worker's own storing, in the wrap mode `lock`: finished runs wait here for the lock, and are written by
 * this very thread or process when it is its turn. Loaded by executors by its address, since they do not know storages.
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
  /** So many quick runs may wait in a worker, to share a turn. */
  readonly pendingMax: number
  /** The worker may be ended between two runs: a job goes on only when its run is committed. */
  readonly isDurable: boolean
}

/** A run that follows the one before more slowly is not held back. */
const QUICK_MS = 10
/** Quick runs are held back for so long, to share a turn: the work that a worker's end may cost. */
const HOLD_MS = 200
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

/**
 * A turn is short: it stores what waits, commits and gives the lock back. No job computes meanwhile, since nobody else
 * could store until it ends; so a worker that has asked for the lock waits for its turn before it goes on. Only quick
 * runs do not ask: they wait in memory for 200 ms, or until the job that follows leaves its thread free, and share the
 * next turn.
 */
export class LockWorker {
  readonly #socket: Socket
  readonly #data: LockData
  readonly #holdMs: number
  #turns: LockTurns | undefined
  readonly #pending: Pending[] = []
  #pendingBytes = 0
  /** The lock was asked for, and has not been given back. */
  #isAsked = false
  /** No more runs begin for now: nothing waits to share a turn. */
  #isFinishing = false
  #holdTimer: NodeJS.Timeout | undefined
  #error: PypetError | undefined
  /** Jobs that wait for the end of the turn. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: PypetError) => void }[] = []
  readonly #startMs = performance.now()
  #lastTakenMs = Number.NEGATIVE_INFINITY
  /** When the oldest of the waiting runs was taken. */
  #heldSinceMs = 0
  #waitedMs = 0
  #turnCount = 0

  constructor(socket: Socket, data: LockData) {
    this.#socket = socket
    this.#data = data
    this.#holdMs = Math.min(HOLD_MS, data.storage.commitIntervalMs)
    // An open line must not keep a finished process alive.
    socket.unref()
    readLines<FromLock>(socket, (message) => this.#take(message))
    socket.on('error', (cause) => this.#break(mainIsGone(cause)))
    socket.on('close', () => this.#break(mainIsGone()))
  }

  /**
   * Takes a run. Resolves when the job may go on: the run is committed, or waits with few other quick ones.
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

  /** Resolves when a run may begin: this worker neither has the lock nor waits for it. */
  ready(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (!this.#isAsked) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Stores what was taken, unless main is gone. */
  async close(): Promise<void> {
    if (this.#pending.length > 0) this.#ask()
    await this.ready().catch(() => undefined)
    // What was said is heard before the line is cut.
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
      // The main process may have gone meanwhile.
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
    clearTimeout(this.#holdTimer)
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** Stores and commits runs, and tells those that are known already as well. */
function storeAll(store: TrajectoryStore, pending: readonly Pending[]): Commit {
  const known = store.known(pending.map(({ record }) => record.run))
  for (const { record } of pending) store.storeRun(record)
  return withKnown(store.leave(), known)
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
