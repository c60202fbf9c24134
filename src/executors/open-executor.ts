import type { WorkerSetup } from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import type { Executor, WorkerListener } from './executor.ts'
import { packNodes } from './packed-nodes.ts'
import type { UserCode } from './user-code.ts'

export interface ExecutorSettings {
  readonly executor: 'inline' | 'pool' | 'process'
  readonly ncores: number
  /** Memory limit of the process of a run, in MB. 0 for no limit. */
  readonly memoryLimit: number
}

/**
 * Opens the executor in the settings. Does not load Piscina for an inline experiment.
 *
 * @throws PypetError if runs cannot be performed: as `importJob` if the job does not load in a worker,
 *   `PYPET_EXECUTOR_FAILED` if workers do not start, `PYPET_WRITER_DIED` if they cannot reach the writer
 */
export async function openExecutor(
  settings: ExecutorSettings,
  setup: WorkerSetup,
  listener: WorkerListener,
  userCode: UserCode,
  storedBefore: StoredBefore,
): Promise<Executor> {
  if (settings.executor === 'inline') {
    const { openInlineExecutor } = await import('./inline-executor.ts')
    return openInlineExecutor(setup, listener, userCode, storedBefore)
  }
  const count = workerCount(settings, setup.runCount)
  const packed = withPackedNodes(setup, { isShared: settings.executor === 'pool' })
  if (settings.executor === 'process') {
    const { openProcessExecutor } = await import('./process-executor.ts')
    const { memoryLimit } = settings
    const { plan: _plan, ...sent } = packed
    return openProcessExecutor(sent, { processCount: count, memoryLimit }, listener, storedBefore)
  }
  const { openPoolExecutor } = await import('./pool-executor.ts')
  return openPoolExecutor(packed, count, listener, storedBefore)
}

function withPackedNodes(setup: WorkerSetup, options: { readonly isShared: boolean }): WorkerSetup {
  const { nodes } = setup
  return nodes === undefined || !('leaves' in nodes) ? setup : { ...setup, nodes: packNodes(nodes, options) }
}

/** Number of workers. Each idle one would waste 50 MB. */
export function workerCount({ ncores }: Pick<ExecutorSettings, 'ncores'>, runCount: number): number {
  return Math.max(1, Math.min(ncores, runCount))
}
