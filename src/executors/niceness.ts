/** The priority of workers, as in `nice`: how workers set it, and the warning if they may not. */
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import type { WorkerListener } from './executor.ts'

/**
 * Sets the priority of the calling worker. On Linux, each thread has a priority: a pool thread changes only its own, a
 * process changes all its threads. Elsewhere the process has the priority, so a pool changes main too.
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

/** 0 is the calling thread. */
function ownThreads(): readonly number[] {
  if (process.platform !== 'linux' || !isMainThread) return [0]
  // Not an import: each thread would load all of `node:fs` for it.
  const { readdirSync } = createRequire(import.meta.url)('node:fs') as typeof import('node:fs')
  return readdirSync('/proc/self/task').map(Number)
}

/** Every worker may be refused. One warning is enough. */
export function priorityWarning(niceness: number, listener: WorkerListener): (reason: string) => void {
  let isSaid = false
  return (reason) => {
    if (isSaid) return
    isSaid = true
    const message = `workers keep their current priority: the system refused niceness ${niceness} (${reason})`
    listener({ type: 'log', level: 'warn', message })
  }
}
