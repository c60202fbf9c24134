import { expect, test } from 'vitest'
import { type CommitState, commitDelayMs } from '../../src/storage/commit-policy.ts'

/** A run came 10 ms ago; the last commit ended 500 ms ago and took 4 ms; another may wait a second. */
const STATE: CommitState = {
  nowMs: 10_000,
  firstUncommittedMs: 9990,
  lastCommitEndMs: 9500,
  lastCommitDurationMs: 4,
  isIdle: true,
  isFinishing: false,
  commitIntervalMs: 1000,
}

test.each<[title: string, change: Partial<CommitState>, delayMs: number]>([
  ['a run that comes alone is committed at once', {}, 0],
  ['while more runs arrive, a commit waits for its interval', { isIdle: false }, 990],
  ['after its interval a run waits no longer', { isIdle: false, firstUncommittedMs: 9000 }, 0],
  ['an interval that passed long ago gives no negative delay', { firstUncommittedMs: 1 }, 0],
  ['after a commit of 4 ms there is a rest of 48 ms', { lastCommitEndMs: 9980 }, 28],
  [
    'a slow commit earns a long rest, but no longer than the interval',
    { lastCommitEndMs: 9980, lastCommitDurationMs: 500 },
    990,
  ],
  ['with an interval of 0 every turn commits', { isIdle: false, commitIntervalMs: 0 }, 0],
  [
    'when no more runs begin, nothing is waited for',
    { isFinishing: true, lastCommitEndMs: 9999, lastCommitDurationMs: 500 },
    0,
  ],
  ['at the end, too, what still arrives shares a commit', { isFinishing: true, isIdle: false }, 990],
])('%s', (_, change, delayMs) => {
  expect(commitDelayMs({ ...STATE, ...change })).toBe(delayMs)
})
