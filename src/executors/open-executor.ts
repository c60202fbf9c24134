import type { WorkerSetup } from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import type { Executor, WorkerListener } from './executor.ts'
import { packNodes } from './packed-nodes.ts'
import type { UserCode } from './user-code.ts'

export interface ExecutorSettings {
  readonly executor: 'inline' | 'pool' | 'process'
  readonly ncores: number
  /** MB that the process of a run may take; 0 for any number. */
  readonly memoryLimit: number
}

/**
 * Opens the executor that the settings name. Piscina is not loaded for an inline experiment.
 *
 * @throws PypetError when runs cannot be performed: as `importJob` when the job does not load in a
 *   worker, `PYPET_EXECUTOR_FAILED` when workers do not start, `PYPET_WRITER_DIED` when they cannot reach it
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
    return openProcessExecutor(packed, { processCount: count, memoryLimit }, listener, storedBefore)
  }
  const { openPoolExecutor } = await import('./pool-executor.ts')
  return openPoolExecutor(packed, count, listener, storedBefore)
}

function withPackedNodes(setup: WorkerSetup, options: { readonly isShared: boolean }): WorkerSetup {
  const { nodes } = setup
  return nodes === undefined || !('leaves' in nodes) ? setup : { ...setup, nodes: packNodes(nodes, options) }
}

/** How many workers perform the runs: one that gets none would cost 50 MB for nothing. */
export function workerCount({ ncores }: Pick<ExecutorSettings, 'ncores'>, runCount: number): number {
  return Math.max(1, Math.min(ncores, runCount))
}
