/**
 * ENTRY of a pool thread: loads the job once, then performs run after run. Loads only what a job needs. A log line is a
 * message to main.
 */
import { MessageChannel, type MessagePort, parentPort, threadId, workerData } from 'node:worker_threads'
import type { ReadBefore, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import type { StoredBeforeAnswer } from '../run/stored-items.ts'
import { RunWorker } from './run-worker.ts'

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
 * Performs a run.
 *
 * @throws ErrorRecord as `RunWorker.perform`
 */
export default async function performTask(task: RunTask): Promise<RunOutcome> {
  return await worker.perform(task, { tellsBegin: setup.timeoutMs > 0 })
}
