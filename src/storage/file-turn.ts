/** Scripts in several processes that change one file wait for each other here. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { acquireLock, type FileLock, type LockRequest } from '../continue/file-lock.ts'
import { realFileOf } from '../continue/real-file.ts'
import { isPypetError, PypetError } from '../errors.ts'
import type { LogLevel } from '../trajectory/log-level.ts'
import { findHeldLocksBy } from './held-lock.ts'
import { makeFolderOf } from './result-folder.ts'

export interface TurnRequest {
  /** What is being written, for messages. */
  readonly trajectory: string
  /** Longest wait for others; 0 to be refused at once. */
  readonly waitMs: number
  readonly onNotice: (level: LogLevel, message: string) => void
}

interface Turn {
  readonly real: string
  readonly lock: FileLock
  isOver: boolean
}

/** Whose turn it is, for whatever is called within it, and nothing else in this process. */
const turns = new AsyncLocalStorage<Turn>()

findHeldLocksBy((file) => {
  const turn = turns.getStore()
  if (turn === undefined || turn.isOver || turn.real !== realFileOf(file)) return undefined
  return { ...turn.lock, notice: undefined, release: () => undefined }
})

/** The first attempts come quickly; then others need not be asked more often than a person waits. */
const REST_MS = 10
const REST_MS_MAX = 250
/** Who waits longer is told what for. */
const SILENT_MS = 2000

/**
 * Does several steps under the lock of a file, which is waited for while another process, or something else in this one,
 * has it. Whatever takes the lock within the action has it already.
 *
 * @throws PypetError `PYPET_FILE_LOCKED` when it is taken for longer; as `acquireLock`
 */
export async function takeTurn<Value>(
  file: string,
  request: TurnRequest,
  action: () => Promise<Value>,
): Promise<Value> {
  const real = realFileOf(file)
  const current = turns.getStore()
  if (current?.isOver === false && current.real === real) return await action()
  if (!existsSync(file)) makeFolderOf(real)
  const lock = await lockWaiting(file, request)
  if (lock.notice !== undefined) request.onNotice('warn', lock.notice)
  const turn: Turn = { real, lock, isOver: false }
  try {
    return await turns.run(turn, action)
  } finally {
    turn.isOver = true
    lock.release()
  }
}

async function lockWaiting(file: string, { trajectory, waitMs, onNotice }: TurnRequest): Promise<FileLock> {
  const wanted: LockRequest = { trajectory, breakLock: false }
  const startMs = performance.now()
  let isTold = false
  for (let restMs = REST_MS; ; restMs = Math.min(2 * restMs, REST_MS_MAX)) {
    try {
      return acquireLock(file, wanted)
    } catch (error) {
      if (!isPypetError(error, 'PYPET_FILE_LOCKED')) throw error
      const waitedMs = performance.now() - startMs
      if (waitedMs >= waitMs) throw waitMs > 0 ? waitedInVain(error, waitMs) : error
      if (!isTold && waitedMs > SILENT_MS) {
        isTold = true
        onNotice('warn', `${error.message}; ${trajectory} waits for it, ${seconds(waitMs)} at most`)
      }
    }
    // Several that wait do not ask in step.
    await delay(restMs * (0.5 + Math.random()))
  }
}

function waitedInVain({ message, where, hint, cause }: PypetError, waitMs: number): PypetError {
  return new PypetError('PYPET_FILE_LOCKED', `${message}; waited for ${seconds(waitMs)}`, {
    where,
    hint: `${hint} A script waits longer with the option lockWaitMs.`,
    cause,
  })
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}
