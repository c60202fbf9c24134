/** The request to open an experiment that is resumed. */
import { type CntState, inEnvironment } from '../journal/cnt-state.ts'
import type { ContinueRequest, OpenRequest } from '../protocol.ts'

export interface ContinuedRequest {
  readonly openRequest: OpenRequest
  /** For an experiment without any commit: it starts as planned, with its current job. */
  readonly beginning: OpenRequest
}

export function continuedRequest(
  { experiment }: CntState,
  { storage, keepCnt, environment, config }: ContinueRequest,
): ContinuedRequest {
  const recorded = { ...experiment.request, storage, keepCnt }
  if (environment === undefined) return { openRequest: recorded, beginning: recorded }
  const openRequest = inEnvironment(recorded, environment)
  const before = `environment.${recorded.continuation.environmentName}.`
  const ofOthers = recorded.config.filter(({ name }) => !name.startsWith(before))
  return { openRequest, beginning: { ...openRequest, config: [...ofOthers, ...config] } }
}
