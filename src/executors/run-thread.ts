/**
 * ENTRY of a pool thread: loads the job once, then performs run after run. Loads nothing that a job does
 * not need; a log line is a message to main.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { toErrorRecord } from '../errors.ts'
import { importJob, type LoadedJob } from '../experiment/load-job.ts'
import { ExitRefusal, refuseExit } from '../experiment/refuse-exit.ts'
import type { FromWorker, RunOutcome, RunTask, WorkerSetup } from '../protocol.ts'
import { captureOutput } from './captured-output.ts'
import { atLogLevel, strayErrorLine } from './job-log.ts'
import { RunPerformer } from './perform-run.ts'
import { openRecordStore } from './record-store.ts'

const setup = workerData as WorkerSetup
let performer: RunPerformer | undefined
let currentRun: number | undefined

/** Main makes the number of a worker of it: those of threads grow with each that has died before. */
const worker = threadId

function tell(line: FromWorker): void {
  parentPort?.postMessage(line)
}

const writeLog = atLogLevel(setup.logLevel, (level, message, run) =>
  tell({ type: 'log', level, message, worker, ...(run !== undefined && { run }) }),
)

const output = captureOutput(
  (line) => writeLog('info', line, currentRun),
  () => true,
)

process.on('uncaughtException', onStrayError)
process.on('unhandledRejection', onStrayError)

/** Never rejects or throws: what came out of it would be a stray error again. */
function onStrayError(thrown: unknown): void {
  // Which run it comes from is not known here; while one is performed it is most likely that one.
  if (performer?.strayError(thrown, undefined) === true) return
  const when = performer === undefined ? 'while the job was loaded' : 'after its run had ended'
  tell(strayErrorLine(thrown, { when, worker }))
}

/** `process.exit` would end the thread, then the next one, and so on, and no reason would be known. */
async function loadJob(): Promise<LoadedJob> {
  let giveBack: () => void = () => undefined
  const exited = new Promise<never>((_resolve, reject) => {
    giveBack = refuseExit((exitCode) => {
      const refusal = new ExitRefusal(exitCode)
      reject(refusal)
      return refusal
    })
  })
  try {
    return await importJob(setup.job, exited)
  } finally {
    giveBack()
  }
}

async function start(): Promise<RunPerformer> {
  const [job, store] = await Promise.all([loadJob(), openRecordStore(setup.storage)])
  performer = new RunPerformer(job.run, setup, (frame) => store.sendFrame(frame), writeLog)
  return performer
}

const starting = start()
// The first task reports it; until then nobody listens.
starting.catch(() => undefined)

/**
 * Resolves when this thread can perform runs.
 *
 * @throws ErrorRecord when the job cannot be loaded here, so that no run can be performed; a record,
 *   because an error would lose its code and its hint on the way
 */
export async function load(): Promise<void> {
  await starting.catch((thrown: unknown) => {
    throw toErrorRecord(thrown)
  })
}

/**
 * Performs a run.
 *
 * @throws ErrorRecord as `load`, and when the writer is gone
 */
export default async function performTask(task: RunTask): Promise<RunOutcome> {
  await load()
  currentRun = task.run
  if (setup.timeoutMs > 0) tell({ type: 'begun', run: task.run })
  try {
    return await (performer as RunPerformer).perform(task)
  } catch (thrown) {
    // An error would lose its code and its hint on the way.
    throw toErrorRecord(thrown)
  } finally {
    output.flush()
    currentRun = undefined
  }
}
