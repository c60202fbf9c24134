/** Lets scripts in several processes that change one file wait for each other. */
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
  /** Longest wait for others. 0 to be refused at once. */
  readonly waitMs: number
  readonly onNotice: (level: LogLevel, message: string) => void
}

interface Turn {
  readonly real: string
  readonly lock: FileLock
  isOver: boolean
}

/** Whose turn it is: known to everything called within it, and to nothing else in this process. */
const turns = new AsyncLocalStorage<Turn>()

findHeldLocksBy((file) => {
  const turn = turns.getStore()
  if (turn === undefined || turn.isOver || turn.real !== realFileOf(file)) return undefined
  return { ...turn.lock, notice: undefined, release: () => undefined }
})

/**
 * Performs several steps under the lock of a file. Waits while another process, or something else in this process, has
 * it. Code within the action that takes the lock already has it.
 *
 * @throws PypetError `PYPET_FILE_LOCKED` if others keep it for longer; as `acquireLock`
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
  const hint = 'In a script, wait longer with the option lockWaitMs.'
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
