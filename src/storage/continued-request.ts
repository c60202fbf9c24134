/** The request to open an experiment that is resumed. */
import { type CntState, inEnvironment } from '../journal/cnt-state.ts'
import type { ContinueRequest, OpenRequest, StorageSettings } from '../protocol.ts'

export interface ContinuedRequest {
  readonly openRequest: OpenRequest
  /** For an experiment without any commit: it starts as planned, with its current job. */
  readonly beginning: OpenRequest
}

export function continuedRequest(
  { experiment }: CntState,
  { storage, keepCnt, environment, config }: ContinueRequest,
): ContinuedRequest {
  const { request } = experiment
  const recorded = { ...request, storage: continuedStorage(request, storage), keepCnt }
  if (environment === undefined) return { openRequest: recorded, beginning: recorded }
  const openRequest = inEnvironment(recorded, environment)
  const before = `environment.${recorded.continuation.environmentName}.`
  const ofOthers = recorded.config.filter(({ name }) => !name.startsWith(before))
  return { openRequest, beginning: { ...openRequest, config: [...ofOthers, ...config] } }
}

/** The layout stays as it is. Files from before there were columns have none. */
export function continuedStorage(
  { storage: recorded }: Pick<OpenRequest, 'storage'>,
  storage: StorageSettings,
): StorageSettings {
  const { layout = 'tree', overviews }: Partial<StorageSettings> = recorded
  return { ...storage, layout, overviews: { ...storage.overviews, columns: overviews?.columns ?? false } }
}
