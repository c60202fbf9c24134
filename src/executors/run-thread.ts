/**
 * ENTRY of a pool thread: loads the job once, then performs range after range of runs. Loads only what a job needs. A
 * log line is a message to main.
 */
import { MessageChannel, type MessagePort, parentPort, threadId, workerData } from 'node:worker_threads'
import { type ExplorationPlan, runPoint } from '../exploration/run-point.ts'
import type { ReadBefore, RunTask, ThreadResult, ThreadTask, WorkerSetup } from '../protocol.ts'
import type { StoredBeforeAnswer } from '../run/stored-items.ts'
import { nextTurn, nowMs } from './own-clock.ts'
import { RANGE_MS } from './range-length.ts'
import type { RangeRows } from './range-rows.ts'
import { RunWorker } from './run-worker.ts'
import { SharedRange } from './shared-range.ts'

const setup = workerData as WorkerSetup
/** Main maps thread ids to worker numbers, because ids grow with each thread that dies. */
const worker = new RunWorker(setup, threadId, (message) => parentPort?.postMessage(message), readBefore)

function readBefore(name: string): Promise<StoredBeforeAnswer> {
  const { port1: answers, port2: port } = new MessageChannel()
  parentPort?.postMessage({ type: 'read-before', name, port } satisfies ReadBefore<MessagePort>, [port])
  return new Promise((resolve) => {
    answers.once('message', (answer: StoredBeforeAnswer) => {
      answers.close()
      resolve(answer)
    })
  })
}

/**
 * Resolves when this thread can perform runs.
 *
 * @throws ErrorRecord as `RunWorker.load`
 */
export async function load(): Promise<void> {
  await worker.load()
}

/**
 * Performs runs one after the other, until they take longer than a range should, main has taken back the rest, or a run
 * has something to tell main: it has failed, or returned a value.
 *
 * @throws ErrorRecord as `RunWorker.perform`
 */
export default async function performRange(task: ThreadTask): Promise<ThreadResult> {
  const range = new SharedRange(task.numbers)
  const rows = task.rows && (await worker.rowsOf(task.run, range, task.rows))
  try {
    return await performRuns(task, range, rows)
  } finally {
    if (rows !== undefined) await worker.flush(rows)
  }
}

async function performRuns(
  task: ThreadTask,
  range: SharedRange,
  rows: RangeRows | undefined,
): Promise<ThreadResult> {
  const startMs = nowMs()
  let startTimestamp = Number.POSITIVE_INFINITY
  let elapsedMs = 0
  for (let at = range.beginRun(); at !== undefined; at = range.beginRun()) {
    const outcome = await worker.perform(taskAt(task, at), { tellsBegin: setup.timeoutMs > 0, rows })
    elapsedMs = nowMs() - startMs
    if (outcome.state === 'failed') {
      startTimestamp = Math.min(startTimestamp, outcome.failure.startTimestamp)
      return { startTimestamp, elapsedMs, failure: outcome.failure }
    }
    startTimestamp = Math.min(startTimestamp, outcome.startTimestamp)
    const { returned } = outcome
    if (returned !== undefined) return { startTimestamp, elapsedMs, returned }
    if (rows?.hasPacked(outcome.run) !== true) range.noteHandedOver()
    if (elapsedMs >= RANGE_MS) break
    // Between two runs, sockets, timers and late errors of the job have their turn.
    await nextTurn()
  }
  return { startTimestamp, elapsedMs }
}

function taskAt({ run: first, attempt, runCount, points, args }: ThreadTask, offset: number): RunTask {
  const run = first + offset
  // If there are no points, the thread has the plan.
  const point = points?.[offset] ?? runPoint(setup.plan as ExplorationPlan, run)
  return { run, attempt, runCount, point, ...(args !== undefined && { args }) }
}
