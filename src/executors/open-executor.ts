import type { WorkerSetup } from '../protocol.ts'
import type { Executor, WorkerListener } from './executor.ts'

/** Opens the executor that the settings name. Piscina is not loaded for an inline experiment. */
export async function openExecutor(
  settings: { readonly executor: 'inline' | 'pool'; readonly ncores: number },
  setup: WorkerSetup,
  listener: WorkerListener,
): Promise<Executor> {
  if (settings.executor === 'inline') {
    const { openInlineExecutor } = await import('./inline-executor.ts')
    return openInlineExecutor(setup, listener)
  }
  const { openPoolExecutor } = await import('./pool-executor.ts')
  return openPoolExecutor(setup, settings.ncores, listener)
}
