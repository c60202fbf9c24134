/**
 * Node has no `flock`. The program of that name takes the lock on a descriptor that it inherits, and the lock stays: it
 * belongs to the open file, which both share.
 */
import { spawnSync } from 'node:child_process'

export type FlockAnswer = 'locked' | 'taken' | 'unavailable'

/** It does not wait for a lock, so it answers in milliseconds or never. */
const ANSWER_MS = 5000

/**
 * Takes, shares or gives back the lock of an open file, now or not at all.
 *
 * @param flags of the program, such as `-x -n`
 * @returns `taken` also where the program gives no answer in time; `unavailable` where there is no such program, or the file system has no locks
 */
export function flockNow(descriptor: number, ...flags: readonly string[]): FlockAnswer {
  if (process.platform === 'win32') return 'unavailable'
  for (const program of PROGRAMS) {
    const { status, error } = spawnSync(program, [...flags, '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
      timeout: ANSWER_MS,
      killSignal: 'SIGKILL',
    })
    if (status === 0) return 'locked'
    if (status === 1) return 'taken'
    const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
    // It is there, and might have said that somebody has the lock.
    if (SILENT.has(code)) return 'taken'
    if (code !== 'ENOENT') return 'unavailable'
  }
  return 'unavailable'
}

/** No answer in time, or no process for the question. */
const SILENT: ReadonlySet<string> = new Set(['ETIMEDOUT', 'EAGAIN'])

/** It must be found without PATH, too. */
const PROGRAMS = ['flock', '/usr/bin/flock']
