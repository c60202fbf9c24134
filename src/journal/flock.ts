/**
 * Node has no `flock`. The program `flock` takes the lock on a descriptor that it inherits. The lock stays, because it
 * belongs to the open file, which both processes share.
 */
import { spawnSync } from 'node:child_process'

export type FlockAnswer = 'locked' | 'taken' | 'unavailable'

/** It does not wait for a lock, so it answers in milliseconds or never. */
const ANSWER_MS = 5000

/**
 * Takes, shares or releases the lock of an open file, without waiting.
 *
 * @param flags of the program, such as `-x -n`
 * @returns `taken` also if the program does not answer in time. `unavailable` if the program is missing, or the file
 *   system has no locks.
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
    // The program exists, and might have said that the lock is taken.
    if (SILENT.has(code)) return 'taken'
    if (code !== 'ENOENT') return 'unavailable'
  }
  return 'unavailable'
}

/** No answer in time, or no process to ask. */
const SILENT: ReadonlySet<string> = new Set(['ETIMEDOUT', 'EAGAIN'])

/** Must be found without PATH too. */
const PROGRAMS = ['flock', '/usr/bin/flock']
