/**
 * ENTRY of a pool thread: loads the job once, then performs run after run. Loads nothing that a job does
 * not need; a log line is a message to main.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { toErrorRecord } from '../errors.ts'
import { importJob } from '../experiment/load-job.ts'
import type { FromWorker, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { captureOutput } from './captured-output.ts'
import { atLogLevel } from './job-log.ts'
import { RunPerformer } from './perform-run.ts'
import { RecordSender } from './record-sender.ts'

const setup = workerData as WorkerSetup
let performer: RunPerformer | undefined
let currentRun: number | undefined

const writeLog = atLogLevel(setup.logLevel, (level, message, run) => {
  const line: FromWorker = {
    type: 'log',
    level,
    message,
    worker: threadId,
    ...(run !== undefined && { run }),
  }
  parentPort?.postMessage(line)
})

const output = captureOutput(
  (line) => writeLog('info', line, currentRun),
  () => true,
)

process.on('uncaughtException', onStrayError)
process.on('unhandledRejection', onStrayError)

/** Never rejects or throws: what came out of it would be a stray error again. */
function onStrayError(thrown: unknown): void {
  if (performer !== undefined) performer.strayError(thrown)
  else writeLog('error', `while the job was loaded: ${toErrorRecord(thrown).stack}`)
}

async function start(): Promise<RunPerformer> {
  const [job, sender] = await Promise.all([importJob(setup.job), RecordSender.open(setup.writerAddress)])
  performer = new RunPerformer(job.run, setup, (record) => sender.send(record), writeLog)
  return performer
}

const starting = start()
// The first task reports it; until then nobody listens.
starting.catch(() => undefined)

/**
 * Performs the runs of this thread.
 *
 * @throws ErrorRecord when the job cannot be loaded here, so that no run can be performed; a record,
 *   because an error would lose its code and its hint on the way
 */
export default async function performTask(task: RunTask): Promise<RunOutcome> {
  const loaded = await starting.catch((thrown: unknown) => {
    throw toErrorRecord(thrown)
  })
  currentRun = task.run
  try {
    return await loaded.perform(task)
  } finally {
    output.flush()
    currentRun = undefined
  }
}
