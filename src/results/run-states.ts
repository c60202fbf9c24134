import { overviewPath, RUN_STATUS, runOfName } from '../names.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import type { RunIndex } from '../values/path.ts'
import type { FailureOverview, RunState } from './trajectory-overview.ts'

/** The state of every run of a trajectory, one byte per run. */
export interface RunStates {
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly left: number
  readonly failures: readonly FailureOverview[]
  stateOf(run: RunIndex): RunState
  /** The done run at this position, counted from 0. */
  doneAt(position: number): RunIndex
}

/**
 * Runs that have results although no run is marked as completed: pypet marks them only at the end. Empty if some run is
 * marked.
 *
 * @param root path of the trajectory
 */
export function unmarkedRuns(reader: Hdf5Reader, root: string, states: RunStates): RunIndex[] {
  const group = `${root}/results/runs`
  if (states.done > 0 || states.total === 0) return []
  if (reader.kind(`${root}/results`) !== 'group' || reader.kind(group) !== 'group') return []
  return reader.children(group).flatMap((name) => {
    const run = runOfName(name)
    const isOpen = run !== undefined && run < states.total && states.stateOf(run) === 'left'
    return isOpen ? [run] : []
  })
}

/** Failures shown in full; the log has all of them. */
const FAILURES_MAX = 3

const LEFT = 0
const DONE = 1
const FAILED = 2
const STATES = ['left', 'done', 'failed'] as const

/**
 * Reads which runs are done (`runs.completed`) and which failed (`failed_runs`, a table of pypet-ts that is absent if
 * none did). A run that failed once and was done later counts as done.
 *
 * @param root path of the trajectory
 * @throws PypetError `PYPET_STORAGE_FAILED`
 */
export function readRunStates(reader: Hdf5Reader, root: string): RunStates {
  const [runs, failedRuns] = [overviewPath(root, 'runs'), overviewPath(root, 'failed_runs')]
  const total = reader.kind(runs) === 'dataset' ? reader.rowCount(runs) : 0
  const states = new Uint8Array(total)
  let done = 0
  // Where results are in columns, so are the states. Another program may have added runs since.
  const set = reader.columns(root.slice(1))
  if (set?.layout === 'columns' && set.runCount === total) {
    for (const [run, status] of set.statuses().entries()) {
      if (status !== RUN_STATUS.stored) continue
      states[run] = DONE
      done += 1
    }
  } else if (total > 0) {
    reader.scanRows(runs, ['completed'], (run, [completed]) => {
      if (completed !== 1) return
      states[run] = DONE
      done += 1
    })
  }
  let failed = 0
  const failures: FailureOverview[] = []
  if (reader.kind(failedRuns) === 'dataset') {
    reader.scanRows(failedRuns, ['idx', 'error', 'message'], (_, [idx, error, message]) => {
      const run = Number(idx)
      if (states[run] !== LEFT) return
      states[run] = FAILED
      failed += 1
      if (failures.length < FAILURES_MAX)
        failures.push({ run, error: String(error), message: String(message) })
    })
  }
  return {
    total,
    done,
    failed,
    left: total - done - failed,
    failures,
    stateOf: (run) => STATES[states[run] ?? LEFT] ?? 'left',
    doneAt: (position) => {
      let run = states.indexOf(DONE)
      for (let passed = 0; passed < position; passed += 1) run = states.indexOf(DONE, run + 1)
      return run
    },
  }
}
