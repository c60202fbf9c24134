import { spawn } from 'node:child_process'

/**
 * Takes the lock that readers of HDF5 files share, as libhdf5 does it: while it is held, a writer overwrites nothing in
 * the file. It goes with the descriptor; see `reader-gate` for the writer's side, and for how.
 *
 * @param waitMs how long to wait for a writer, in steps of a second
 * @returns false when a writer was at work all the time, or where there is no `flock`. Never throws.
 */
export function lockShared(descriptor: number, waitMs: number): Promise<boolean> {
  if (process.platform === 'win32') return Promise.resolve(false)
  const wait = waitMs === 0 ? ['-n'] : ['-w', String(Math.ceil(waitMs / 1000))]
  return new Promise((resolve) => {
    const flock = spawn('flock', ['-s', ...wait, '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] })
    flock.once('error', () => resolve(false))
    flock.once('close', (status) => resolve(status === 0))
  })
}
