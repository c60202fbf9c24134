/**
 * Runs an experiment: opens the writer, then the executor, sends every run down the road and waits until
 * the last is stored. This is the table of contents; the work is in the folders it calls.
 */
import type { ExperimentEvent, ExperimentSummary, Reporter } from '../events.ts'
import { strayErrorText } from '../executors/job-log.ts'
import { openExecutor, workerCount } from '../executors/open-executor.ts'
import { type ExplorationPlan, runPoint } from '../exploration/expand.ts'
import type { OpenRequest, RunTask, WorkerSetup } from '../protocol.ts'
import { logFolderOf } from '../reporting/log-folder.ts'
import type { Writer } from '../storage/writer.ts'
import {
  closingConfig,
  identifyEnvironment,
  openingConfig,
  RUNTIME_VERSION,
  VERSION,
} from './experiment-config.ts'
import type { PreparedExperiment } from './prepare-experiment.ts'
import { RunLedger } from './run-ledger.ts'

export interface RunOptions {
  /** Started, not opened. It is closed here. */
  readonly writer: Writer
  /** Called once the file holds the trajectory: before that nothing may be created beside it. */
  readonly openReporter: () => Reporter
  /** Aborted, it lets active runs finish and starts no others. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Performs every run and stores it. Resolves when the file is complete and closed; failed runs do not
 * reject but are counted in the summary, as are those that an abort left undone.
 *
 * @throws PypetError as `openExecutor` and `Writer.open`; `PYPET_STORAGE_FAILED` or `PYPET_WRITER_DIED` when storing has
 *   become impossible: runs announced until then are in the file
 */
export async function runExperiment(
  experiment: PreparedExperiment,
  { writer, openReporter, signal }: RunOptions,
): Promise<ExperimentSummary> {
  const { settings, parameters, plan, job, userCode } = experiment
  const identity = identifyEnvironment(settings.name, Date.now() / 1000)
  const logFolder = logFolderOf(settings.logFolder, settings.name)
  const request: OpenRequest = {
    file: settings.filename,
    fileTitle: settings.fileTitle,
    overwrite: settings.overwrite,
    trajectory: {
      name: settings.name,
      comment: settings.comment,
      timestamp: identity.timestamp,
      version: VERSION,
      runtimeVersion: RUNTIME_VERSION,
      environmentHexsha: identity.hexsha,
    },
    parameters,
    exploration: plan.exploration,
    config: openingConfig(identity, job.file, settings),
    storage: settings,
  }
  const setup: WorkerSetup = {
    job,
    parameters: parameters.map(({ name, value }) => ({ name, value })),
    runCount: plan.runCount,
    writerAddress: await writer.address(),
    logLevel: settings.logLevel,
  }

  const early: LogEvent[] = []
  let show = (line: LogEvent): void => void early.push(line)
  const ledger = new RunLedger(writer)
  const listen = (line: LogEvent): void => {
    if (line.isStray === true) ledger.strayErrorCount += 1
    // A job that logs inline calls this itself.
    userCode.leave(() => show(line))
  }
  userCode.listen({
    onLine: (message) => listen({ type: 'log', level: 'info', message }),
    onStrayError(thrown) {
      const message = strayErrorText(thrown, 'outside of any run')
      listen({ type: 'log', level: 'error', message, isStray: true })
    },
  })
  // The file is touched only when workers have loaded the job: one that does not load there changes nothing.
  await using executor = await openExecutor(settings, setup, listen, userCode)
  await writer.open(request, ledger)

  const reporter = openReporter()
  ledger.reportTo(reporter)
  show = (line) => reporter.emit(line)
  reporter.emit({
    type: 'experiment-started',
    trajectory: settings.name,
    file: settings.filename,
    runCount: plan.runCount,
    ncores: workerCount(settings, plan.runCount),
    executor: settings.executor,
    logFolder,
  })
  for (const line of early) reporter.emit(line)

  const performing = executor.perform(tasks(plan, ledger, signal), (outcome) => ledger.note(outcome))
  await Promise.race([performing, ledger.broken])
  writer.finish()
  // The threads end while the writer commits; what they have still to say comes before the end.
  await Promise.all([ledger.complete(), executor[Symbol.asyncDispose]()])
  const finishTimestamp = (performance.timeOrigin + performance.now()) / 1000
  const startTimestamp = Math.min(ledger.startTimestamp, finishTimestamp)
  await writer.close(closingConfig(identity, { startTimestamp, finishTimestamp }))

  const summary: ExperimentSummary = {
    trajectory: settings.name,
    file: settings.filename,
    logFolder,
    runCount: plan.runCount,
    storedCount: ledger.storedCount,
    failedCount: ledger.failedCount,
    strayErrorCount: ledger.strayErrorCount,
    durationMs: (finishTimestamp - startTimestamp) * 1000,
  }
  reporter.emit({ type: 'experiment-finished', summary })
  return summary
}

type LogEvent = Extract<ExperimentEvent, { type: 'log' }>

/** Run after run, made when a worker asks for it. */
function* tasks(
  plan: ExplorationPlan,
  ledger: RunLedger,
  signal: AbortSignal | undefined,
): Generator<RunTask> {
  for (let run = 0; run < plan.runCount; run += 1) {
    if (ledger.isBroken || signal?.aborted === true) return
    ledger.begin()
    yield { run, point: runPoint(plan, run) }
  }
}
