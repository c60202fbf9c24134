/**
 * Decides when to commit. A run that takes an hour is stored as soon as it arrives. A thousand runs a second share a
 * commit. So: commit when nothing is waiting to be written, unless commits would then take more than their share of the
 * time. Commit at the latest after the configured interval.
 */

/** While runs keep arriving, commits take at most one part in this many of the writer's time. */
const COMMIT_SHARE = 12

export interface CommitState {
  readonly nowMs: number
  /** When the first uncommitted run was written. */
  readonly firstUncommittedMs: number
  readonly lastCommitEndMs: number
  readonly lastCommitDurationMs: number
  /** Nothing else is waiting to be written now. */
  readonly isIdle: boolean
  /** No more runs will start. */
  readonly isFinishing: boolean
  readonly commitIntervalMs: number
}

/** Milliseconds until the next commit is due. 0 for now. */
export function commitDelayMs(state: CommitState): number {
  if (state.isFinishing && state.isIdle) return 0
  const deadlineMs = state.firstUncommittedMs + state.commitIntervalMs
  const restedMs = state.lastCommitEndMs + state.lastCommitDurationMs * COMMIT_SHARE
  const dueMs = state.isIdle ? Math.min(deadlineMs, restedMs) : deadlineMs
  return Math.max(0, dueMs - state.nowMs)
}
