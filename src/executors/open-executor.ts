import type { WorkerSetup } from '../protocol.ts'
import type { Executor, WorkerListener } from './executor.ts'
import type { UserCode } from './user-code.ts'

export interface ExecutorSettings {
  readonly executor: 'inline' | 'pool'
  readonly ncores: number
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
): Promise<Executor> {
  if (settings.executor === 'inline') {
    const { openInlineExecutor } = await import('./inline-executor.ts')
    return openInlineExecutor(setup, listener, userCode)
  }
  const { openPoolExecutor } = await import('./pool-executor.ts')
  return openPoolExecutor(setup, workerCount(settings, setup.runCount), listener)
}

/** How many workers perform the runs: a thread that gets none would cost 50 MB for nothing. */
export function workerCount({ ncores }: ExecutorSettings, runCount: number): number {
  return Math.max(1, Math.min(ncores, runCount))
}
