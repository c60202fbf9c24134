/** The priority of workers, as of `nice`: how they take it, and what main says when they may not. */
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import type { WorkerListener } from './executor.ts'

/**
 * Gives the calling worker its priority. On Linux a priority belongs to a thread: a pool thread changes its own
 * alone, a process that of each of its threads. Elsewhere it belongs to the process, so a pool takes main along.
 *
 * @returns why the system refused, or undefined
 */
export function takeNiceness(niceness: number): string | undefined {
  if (niceness === 0) return undefined
  try {
    for (const thread of ownThreads()) setPriority(thread, niceness)
    return undefined
  } catch (cause) {
    const { code, info } = cause as NodeJS.ErrnoException & { readonly info?: { readonly code?: string } }
    return info?.code ?? code ?? String(cause)
  }
}

/** 0 is the thread that calls. */
function ownThreads(): readonly number[] {
  if (process.platform !== 'linux' || !isMainThread) return [0]
  // Not imported: each thread would load all of `node:fs` for it.
  const { readdirSync } = createRequire(import.meta.url)('node:fs') as typeof import('node:fs')
  return readdirSync('/proc/self/task').map(Number)
}

/** Each worker may be refused, and one warning says it. */
export function priorityWarning(niceness: number, listener: WorkerListener): (reason: string) => void {
  let isSaid = false
  return (reason) => {
    if (isSaid) return
    isSaid = true
    const message = `workers keep the priority they have: the system does not allow them the niceness ${niceness} (${reason})`
    listener({ type: 'log', level: 'warn', message })
  }
}
