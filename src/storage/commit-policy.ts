/**
 * When to commit. A run that takes an hour is stored the moment it arrives; a thousand runs a second
 * share a commit. So: commit when nothing waits to be written, unless commits themselves would then
 * take more than their share of the time; and at the latest after the configured interval.
 */

/** Committing may cost at most one part in this many of the writer's time, while runs keep arriving. */
const COMMIT_SHARE = 12

export interface CommitState {
  readonly nowMs: number
  /** When the first uncommitted run was written. */
  readonly firstUncommittedMs: number
  readonly lastCommitEndMs: number
  readonly lastCommitDurationMs: number
  /** Nothing more is waiting to be written at this moment. */
  readonly isIdle: boolean
  /** No more runs will begin. */
  readonly isFinishing: boolean
  readonly commitIntervalMs: number
}

/** Milliseconds until the next commit is due; 0 means now. */
export function commitDelayMs(state: CommitState): number {
  if (state.isFinishing && state.isIdle) return 0
  const deadlineMs = state.firstUncommittedMs + state.commitIntervalMs
  const restedMs = state.lastCommitEndMs + state.lastCommitDurationMs * COMMIT_SHARE
  const dueMs = state.isIdle ? Math.min(deadlineMs, restedMs) : deadlineMs
  return Math.max(0, dueMs - state.nowMs)
}
