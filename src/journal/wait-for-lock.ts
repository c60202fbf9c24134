/** Waits for a lock that another process holds briefly. */
import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError, type PypetError, reworded } from '../errors.ts'
import type { LogLevel } from '../run/log-level.ts'
import { acquireLock, type FileLock, type LockRequest } from './file-lock.ts'

export interface LockWait {
  /** Longest wait for others. 0 to be refused at once. */
  readonly waitMs: number
  /** Appended to the hint if the wait was in vain. */
  readonly hint?: string
  readonly onNotice: (level: LogLevel, message: string) => void
}

/** The first attempts follow quickly. Later ones are less frequent: the caller has waited for a while. */
const REST_MS = 10
const REST_MS_MAX = 250
/** After this long, the user is told what the wait is for. */
const SILENT_MS = 2000

/**
 * Takes the lock of an HDF5 file, as `acquireLock`, but waits while another process has it.
 *
 * @throws PypetError `PYPET_FILE_LOCKED` if others keep it for longer; as `acquireLock`
 */
export async function waitForLock(file: string, wanted: LockRequest, wait: LockWait): Promise<FileLock> {
  const { waitMs, onNotice } = wait
  const startMs = performance.now()
  let isTold = false
  for (let restMs = REST_MS; ; restMs = Math.min(2 * restMs, REST_MS_MAX)) {
    try {
      return acquireLock(file, wanted)
    } catch (error) {
      if (!isPypetError(error, 'PYPET_FILE_LOCKED')) throw error
      const waitedMs = performance.now() - startMs
      if (waitedMs >= waitMs) throw waitMs > 0 ? waitedInVain(error, wait) : error
      if (!isTold && waitedMs > SILENT_MS) {
        isTold = true
        onNotice('warn', `${error.message}; ${wanted.trajectory} waits up to ${seconds(waitMs)}`)
      }
    }
    // Waiting processes must not retry in step.
    await delay(restMs * (0.5 + Math.random()))
  }
}

function waitedInVain(
  error: PypetError<'PYPET_FILE_LOCKED'>,
  { waitMs, hint: longer }: LockWait,
): PypetError {
  return reworded(error, {
    message: `${error.message}; waited for ${seconds(waitMs)}`,
    hint: longer === undefined ? error.hint : `${error.hint} ${longer}`,
  })
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}
