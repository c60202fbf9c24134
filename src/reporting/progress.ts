/** The start and the progress of an experiment, counted from its events. The clock is passed in. */
import { availableParallelism } from 'node:os'
import type { ExperimentEvent } from '../events.ts'
import { formatCount, formatRate, formatRemaining, formatRuns } from './quantity.ts'
import { shownPath } from './shown-path.ts'

/** Milliseconds that never run backwards, from any origin, such as `performance.now`. */
export type Clock = () => number

export interface Progress {
  readonly runCount: number
  readonly storedCount: number
  readonly failedCount: number
  /** 0 to 1; an experiment without runs is complete. */
  readonly fraction: number
  /** Since the experiment started. */
  readonly elapsedMs: number
  /** Runs finished in this execution, including failed ones, per second; undefined before the first. */
  readonly runsPerSecond: number | undefined
  /** Expected time until the last run is finished, estimated from the runs so far; undefined before the first. */
  readonly remainingMs: number | undefined
}

/** Counts runs from events. Snapshots are cheap and can be taken at any time. */
export class ProgressCounter {
  readonly #clock: Clock
  #startMs: number
  #lastFinishMs: number
  #runCount = 0
  #storedCount = 0
  #failedCount = 0
  /** Finished by earlier executions. */
  #previousCount = 0
  #workerCount = 1

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock()
    this.#lastFinishMs = this.#startMs
  }

  observe(event: ExperimentEvent): void {
    switch (event.type) {
      case 'experiment-started':
        this.#runCount = event.runCount
        this.#storedCount = event.storedCount
        this.#failedCount = event.failedCount
        this.#previousCount = event.storedCount + event.failedCount
        this.#workerCount = event.ncores
        this.#startMs = this.#clock()
        this.#lastFinishMs = this.#startMs
        return
      case 'runs-added':
        this.#runCount = event.runCount
        return
      case 'runs-stored':
        this.#storedCount += event.runs.length
        this.#lastFinishMs = this.#clock()
        return
      case 'run-failed':
        this.#failedCount += 1
        this.#lastFinishMs = this.#clock()
        return
      default:
        return
    }
  }

  snapshot(): Progress {
    const nowMs = this.#clock()
    const finishedCount = this.#storedCount + this.#failedCount
    // Runs arrive in bursts, one per commit. Dividing by the time of the last burst keeps the rate constant between
    // bursts, and the time left then decreases by the elapsed time.
    const workedMs = this.#lastFinishMs - this.#startMs
    const ownCount = finishedCount - this.#previousCount
    const msPerRun = ownCount > 0 ? workedMs / ownCount : undefined
    // Workers start together, so when the first of four runs ends, the other three are nearly done. Counting in rounds
    // of as many runs as there are workers makes the estimate right for equal runs from the first on; with many runs it
    // approaches that of the rate.
    const roundsDone = Math.ceil(ownCount / this.#workerCount)
    const roundsAll = Math.ceil((this.#runCount - this.#previousCount) / this.#workerCount)
    const msPerRound = ownCount > 0 ? workedMs / roundsDone : undefined
    const roundsLeft = Math.max(0, roundsAll - roundsDone)
    return {
      runCount: this.#runCount,
      storedCount: this.#storedCount,
      failedCount: this.#failedCount,
      fraction: this.#runCount > 0 ? Math.min(1, finishedCount / this.#runCount) : 1,
      elapsedMs: nowMs - this.#startMs,
      runsPerSecond: msPerRun !== undefined && msPerRun > 0 ? 1000 / msPerRun : undefined,
      remainingMs:
        msPerRound === undefined
          ? undefined
          : Math.max(0, roundsLeft * msPerRound - (nowMs - this.#lastFinishMs)),
    }
  }
}

/** `42 %`: rounded down, so that 100 % means every run. */
export function formatPercent(progress: Progress): string {
  // The small addition undoes binary rounding: 0.29 * 100 is 28.999999999999996.
  return `${Math.floor(progress.fraction * 100 + 1e-9)} %`
}

/** `600 of 12,000 runs, 2 failed, 1,234 runs/s, 10 s left`; the 600 include failed ones. */
export function describeProgress(progress: Progress): string {
  const { runCount, storedCount, failedCount, runsPerSecond, remainingMs } = progress
  const parts = [`${formatCount(storedCount + failedCount)} of ${formatRuns(runCount)}`]
  if (failedCount > 0) parts.push(`${formatCount(failedCount)} failed`)
  if (runsPerSecond !== undefined) parts.push(formatRate(runsPerSecond))
  if (remainingMs !== undefined && progress.fraction < 1) parts.push(`${formatRemaining(remainingMs)} left`)
  return parts.join(', ')
}

/**
 * `multiply: 12 runs on 2 cores into hdf5/multiply.h5`; for a continued one `multiply: 5 of 12 runs left, on 2 cores ...`. If
 * only one of several cores is used, it says how to use them all.
 *
 * @param coreCount number of cores available to this process
 */
export function describeStart(
  started: Extract<ExperimentEvent, { type: 'experiment-started' }>,
  coreCount = availableParallelism(),
): string {
  const { trajectory, runCount, ncores, file, isInService, storedCount, failedCount } = started
  const leftCount = runCount - storedCount - failedCount
  const hasIdleCores = ncores === 1 && coreCount > 1 && leftCount > 1
  const idle = hasIdleCores ? ` (--ncores 0 uses all ${coreCount})` : ''
  const cores = ncores === 1 ? `1 core${idle}` : `${ncores} cores`
  const runs =
    leftCount === runCount
      ? formatRuns(runCount)
      : `${formatCount(leftCount)} of ${formatRuns(runCount)} left,`
  return `${trajectory}: ${runs} on ${cores} into ${isInService ? 'the storage service' : shownPath(file)}`
}
