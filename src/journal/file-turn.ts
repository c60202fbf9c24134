/** Scripts in several processes that change one file wait for each other here. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync } from 'node:fs'
import type { LogLevel } from '../run/log-level.ts'
import type { FileLock } from './file-lock.ts'
import { findHeldLocksBy } from './held-lock.ts'
import { realFileOf } from './real-file.ts'
import { makeFolderOf } from './result-folder.ts'
import { waitForLock } from './wait-for-lock.ts'

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
  const { trajectory, waitMs, onNotice } = request
  const hint = 'A script waits longer with the option lockWaitMs.'
  const lock = await waitForLock(file, { trajectory, breakLock: false }, { waitMs, hint, onNotice })
  if (lock.notice !== undefined) onNotice('warn', lock.notice)
  const turn: Turn = { real, lock, isOver: false }
  try {
    return await turns.run(turn, action)
  } finally {
    turn.isOver = true
    lock.release()
  }
}
