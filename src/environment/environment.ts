/**
 * Runs an experiment: opens the writer, then the executor, sends every run down the road and waits until
 * the last is stored. This is the table of contents; the work is in the folders it calls.
 */
import type { ExperimentSummary, Reporter } from '../events.ts'
import { openExecutor } from '../executors/open-executor.ts'
import { type ExplorationPlan, runPoint } from '../exploration/expand.ts'
import type { OpenRequest, RunTask, WorkerSetup } from '../protocol.ts'
import type { Writer } from '../storage/writer.ts'
import { closingConfig, identifyEnvironment, openingConfig, RUNTIME_VERSION, VERSION } from './experiment-config.ts'
import type { PreparedExperiment } from './prepare-experiment.ts'
import { RunLedger } from './run-ledger.ts'

/**
 * Performs every run and stores it. Resolves when the file is complete and closed; failed runs do not
 * reject but are counted in the summary.
 *
 * @param writer started, not opened; it is closed here
 * @throws PypetError as `Writer.open`; `PYPET_STORAGE_FAILED` or `PYPET_WRITER_DIED` when storing has
 *   become impossible: runs announced until then are in the file
 */
export async function runExperiment(
  experiment: PreparedExperiment,
  writer: Writer,
  reporter: Reporter,
): Promise<ExperimentSummary> {
  const { settings, parameters, plan, job } = experiment
  const identity = identifyEnvironment(settings.name, Date.now() / 1000)
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
  const ledger = new RunLedger(plan.runCount, writer, reporter)

  const address = await writer.address()
  const setup: WorkerSetup = {
    job,
    parameters: parameters.map(({ name, value }) => ({ name, value })),
    runCount: plan.runCount,
    writerAddress: address,
    logLevel: settings.logLevel,
  }
  // The workers load the job while the writer creates the file; no run starts before it is there.
  const opening = openExecutor(settings, setup, (line) => reporter.emit(line))
  try {
    await writer.open(request, ledger)
  } catch (error) {
    await (await opening)[Symbol.asyncDispose]()
    throw error
  }
  await using executor = await opening
  reporter.emit({
    type: 'experiment-started',
    trajectory: settings.name,
    file: settings.filename,
    runCount: plan.runCount,
    ncores: settings.ncores,
    executor: settings.executor,
    logFolder: settings.logFolder,
  })

  const startTimestamp = Date.now() / 1000
  const startMs = performance.now()
  await Promise.race([executor.perform(tasks(plan, ledger), (outcome) => ledger.note(outcome)), ledger.broken])
  await ledger.complete()
  const durationMs = performance.now() - startMs
  await writer.close(closingConfig(identity, { startTimestamp, finishTimestamp: Date.now() / 1000 }))

  const summary: ExperimentSummary = {
    trajectory: settings.name,
    file: settings.filename,
    logFolder: settings.logFolder,
    runCount: plan.runCount,
    storedCount: ledger.storedCount,
    failedCount: ledger.failedCount,
    durationMs,
  }
  reporter.emit({ type: 'experiment-finished', summary })
  return summary
}

/** Run after run, made when a worker asks for it; ends early when nothing can be stored any more. */
function* tasks(plan: ExplorationPlan, ledger: RunLedger): Generator<RunTask> {
  for (let run = 0; run < plan.runCount && !ledger.isBroken; run += 1) {
    yield { run, point: runPoint(plan, run) }
  }
}
