/** What is to be opened where an experiment goes on. */
import { type CntState, inEnvironment } from '../journal/cnt-state.ts'
import type { ContinueRequest, OpenRequest } from '../protocol.ts'

export interface ContinuedRequest {
  readonly openRequest: OpenRequest
  /** Of one of which nothing was committed: it begins as it was meant to, with the job that it has now. */
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
