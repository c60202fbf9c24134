import { spawn } from 'node:child_process'

/**
 * Takes the shared lock of HDF5 readers, as libhdf5 does: while you hold it, no writer overwrites anything in the file.
 * It belongs to the descriptor. See `reader-gate` for the writer's side, and for how it works.
 *
 * @param waitMs how long to wait for a writer, in steps of a second
 * @returns false if a writer was active all the time, or there is no `flock`. Never throws.
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
