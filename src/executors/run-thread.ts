/**
 * ENTRY of a pool thread: loads the job once, then performs run after run. Loads nothing that a job does
 * not need; a log line is a message to main.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { importJob } from '../experiment/load-job.ts'
import type { FromWorker, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { captureOutput } from './captured-output.ts'
import { RunPerformer, type WriteLog } from './perform-run.ts'
import { RecordSender } from './record-sender.ts'

const setup = workerData as WorkerSetup

const writeLog: WriteLog = (level, message, run) => {
  const line: FromWorker = {
    type: 'log',
    level,
    message,
    worker: threadId,
    ...(run !== undefined && { run }),
  }
  parentPort?.postMessage(line)
}

captureOutput(
  (line) => writeLog('info', line, currentRun),
  () => true,
)

let currentRun: number | undefined

async function start(): Promise<RunPerformer> {
  const [job, sender] = await Promise.all([importJob(setup.job), RecordSender.open(setup.writerAddress)])
  return new RunPerformer(job.run, setup, (record) => sender.send(record), writeLog)
}

const starting = start()
// The first task reports it; until then nobody listens.
starting.catch(() => undefined)

function onStrayError(thrown: unknown): void {
  void starting.then((performer) => performer.strayError(thrown))
}
process.on('uncaughtException', onStrayError)
process.on('unhandledRejection', onStrayError)

export default async function performTask(task: RunTask): Promise<RunOutcome> {
  const performer = await starting
  currentRun = task.run
  try {
    return await performer.perform(task)
  } finally {
    currentRun = undefined
  }
}
