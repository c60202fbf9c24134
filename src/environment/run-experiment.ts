/**
 * Runs an experiment: opens the writer, then the executor, sends every run down the road and waits until
 * the last is stored. This is the table of contents; the work is in the folders it calls.
 */
import { dirname } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import type { ExperimentEvent, ExperimentSummary, Reporter } from '../events.ts'
import { printedLine, strayErrorText } from '../executors/job-log.ts'
import { workerCount } from '../executors/open-executor.ts'
import { planRuns } from '../exploration/plan.ts'
import { returnedValues } from '../journal/cnt-journal.ts'
import { readCnt } from '../journal/cnt-state.ts'
import { FILES } from '../journal/disk.ts'
import { realFileOf } from '../journal/real-file.ts'
import { RunSet } from '../journal/run-set.ts'
import type { Extension, Opened, OpenRequest } from '../protocol.ts'
import { logFolderOf } from '../reporting/log-folder.ts'
import { shownPath } from '../reporting/shown-path.ts'
import type { RunStore } from '../storage/run-store.ts'
import {
  closingConfig,
  type EnvironmentIdentity,
  identifyEnvironment,
  openingConfig,
  RUNTIME_VERSION,
  VERSION,
} from './experiment-config.ts'
import { GrowingPlan } from './growing-plan.ts'
import { recordArguments } from './job-arguments.ts'
import { type Postprocessing, ReturnedBytes } from './postprocessing.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { collectProvenance } from './provenance.ts'
import { recordSettings } from './recorded-settings.ts'
import { RunLedger } from './run-ledger.ts'
import type { RunStores } from './run-stores.ts'
import { runNodes, type SeenNames, seenNames } from './seen-nodes.ts'
import { performSession, type SessionEnd } from './session.ts'
import type { Provenance } from './session-parts.ts'

export interface RunOptions {
  /** Where the storage comes from; it is closed here. */
  readonly stores: RunStores
  /** Called with the environment's name once the file holds the trajectory: before that nothing may be created beside it. */
  readonly openReporter: (environment: string) => Reporter
  /** Aborted, it lets active runs finish and starts no others. */
  readonly signal?: AbortSignal | undefined
  /** Aborted, it gives active runs up, and closes the file in order. */
  readonly giveUp?: AbortSignal | undefined
  /** Take over a lock that another host holds on the file. */
  readonly breakLock?: boolean | undefined
  /** Called when runs have ended. */
  readonly postprocessing?: Postprocessing | undefined
  /** Takes what jobs return, those of earlier executions too. */
  readonly returned?: ReturnedBytes | undefined
}

/**
 * Performs every run that is missing and stores it. Resolves when the file is closed; failed runs do not reject but
 * are counted in the summary, as are those that an abort left undone. A writer process that dies is
 * replaced once, and the runs that it had not stored are performed again.
 *
 * @throws PypetError as `openExecutor`, `RunStore.open` and `RunStore.continue`; `PYPET_STORAGE_FAILED` or `PYPET_WRITER_DIED` when
 *   storing has become impossible: runs announced until then are safe, and the hint says how to go on
 */
export async function runExperiment(
  experiment: PreparedExperiment,
  options: RunOptions,
): Promise<ExperimentSummary> {
  const { settings, parameters, userCode } = experiment
  const plan = new GrowingPlan(experiment.plan, parameters)
  const identity = identityOf(experiment)
  const logFolder = settings.logging
    ? logFolderOf(settings.logFolder, settings.name, identity.name)
    : undefined
  const inService = settings.useHdf5 ? {} : { isInService: true as const }
  const ledger = new RunLedger()
  let reporter: Reporter | undefined
  const early: LogEvent[] = (experiment.warnings ?? []).map((message) => ({
    type: 'log',
    level: 'warn',
    message,
  }))
  const listen = (line: LogEvent): void => {
    if (line.isStray === true) ledger.strayErrorCount += 1
    // A job that logs inline calls this itself.
    userCode.leave(() => (reporter === undefined ? void early.push(line) : reporter.emit(line)))
  }
  userCode.listen({
    onLine(message, run, from) {
      const line = printedLine(settings, { message, from, run })
      if (line !== undefined) listen(line)
    },
    onStrayError(thrown) {
      const message = strayErrorText(thrown, 'outside of any run')
      listen({ type: 'log', level: 'error', message, isStray: true })
    },
  })

  let cntFile: string | undefined
  let previouslyStoredCount = 0
  const onOpened = (opened: Opened): Reporter => {
    cntFile = opened.cntFile
    // A service knows by itself which runs it has; its .cnt file only tells what they returned, if that is something.
    if (!settings.useHdf5) returned.add(RunSet.ofRanges(opened.stored), new Map())
    if (reporter !== undefined) return reporter
    previouslyStoredCount = ledger.storedCount
    reporter = options.openReporter(identity.name)
    ledger.reportTo(reporter)
    reporter.emit({
      type: 'experiment-started',
      trajectory: settings.name,
      file: settings.filename,
      ...inService,
      cntFile,
      runCount: plan.runCount,
      storedCount: ledger.storedCount,
      failedCount: ledger.failedCount,
      ncores: workerCount(settings, plan.runCount),
      executor: settings.executor,
      logFolder,
    })
    for (const line of early.splice(0)) reporter.emit(line)
    return reporter
  }

  const request = openRequest(experiment, identity, options)
  const returned = options.returned ?? new ReturnedBytes()
  const wantsReturned = options.returned !== undefined || options.postprocessing !== undefined
  if (wantsReturned && experiment.opening.kind === 'continue') {
    returned.add(experiment.opening.ownStored, returnedValues(experiment.opening.cntFile, FILES))
  }
  // However it ends, programs that collect provenance end with it.
  const ended = new AbortController()
  const session = {
    experiment,
    plan,
    wantsReturned,
    nodes: nodesFor(experiment, request),
    ledger,
    listen,
    onOpened,
    closingConfig: closing(identity, ledger),
    provenance: provenanceOf(experiment, identity, {
      signal: ended.signal,
      notice(message) {
        if (!ended.signal.aborted) listen({ type: 'log', level: 'warn', message })
      },
    }),
    ...options,
    partsFolder: options.stores.partsFolder(settings),
    returned,
  }
  const end = await performWithRecovery().finally(() => ended.abort())
  const summary: ExperimentSummary = {
    trajectory: settings.name,
    file: settings.filename,
    ...inService,
    cntFile: end.cntFile,
    ...(end.isBehind && { isBehind: true as const }),
    logFolder,
    runCount: plan.runCount,
    storedCount: ledger.storedCount,
    previouslyStoredCount,
    failedCount: ledger.failedCount,
    leftCount: plan.runCount - ledger.storedCount - ledger.failedCount,
    stoppedBy: end.stoppedBy,
    strayErrorCount: ledger.strayErrorCount,
    durationMs: end.durationMs,
  }
  returned.settle(ledger.stored)
  reporter?.emit({ type: 'experiment-finished', summary })
  return summary

  /** The first session, and another one when its writer has died. */
  async function performWithRecovery(): Promise<SessionEnd> {
    try {
      const store = await options.stores.next(settings)
      const { breakLock = false } = options
      store.prepare?.(request, { ...serviceOpening(experiment), breakLock })
      return await performSession({ ...session, store, open: openingOf(experiment, request, options) })
    } catch (error) {
      if (cntFile === undefined) throw error
      if (!isPypetError(error, 'PYPET_WRITER_DIED')) throw withContinueHint(error, cntFile)
      const { message } = error
      ledger.onNotice('warn', `${message}; another one goes on, and performs again what was not stored`)
      return await performAgain(cntFile)
    }
  }

  async function performAgain(unfinished: string): Promise<SessionEnd> {
    try {
      // The one before is ended by then.
      const store = await options.stores.next(settings)
      if (await hasCompleted(unfinished)) return { cntFile: undefined, stoppedBy: undefined, durationMs: 0 }
      await takeCommittedPoints(unfinished)
      return await performSession({ ...session, store, open: reopening(request, unfinished) })
    } catch (error) {
      throw withContinueHint(duringRuns(error), unfinished)
    }
  }

  /** The writer died when it had removed the `.cnt` file, which is the last that it does, and could not say so. */
  async function hasCompleted(unfinished: string): Promise<boolean> {
    if (!settings.useHdf5 || FILES.exists(unfinished) || ledger.storedCount < plan.runCount) return false
    const { settleCompleted } = await import('./settle.ts')
    return await settleCompleted(settings.filename, settings.name, plan.runCount)
  }

  /** Points whose commit the writer did not live to tell. */
  async function takeCommittedPoints(unfinished: string): Promise<void> {
    const { exploration } = readCnt(unfinished).experiment.request
    const found = planRuns({ parameters, exploration })
    if (found.runCount <= plan.runCount) return
    const { planWithValues } = await import('./explored-values.ts')
    const committed = await planWithValues(found, request, plan.now)
    const addedCount = committed.runCount - plan.runCount
    plan.take(committed)
    reporter?.emit({ type: 'runs-added', addedCount, runCount: committed.runCount })
  }
}

type LogEvent = Extract<ExperimentEvent, { type: 'log' }>

function serviceOpening({ opening }: PreparedExperiment) {
  const isContinued = opening.kind === 'continue'
  return { isContinued, retryFailed: isContinued && opening.retryFailed }
}

/** How the storage is to begin. */
type StoreOpening = (store: RunStore, ledger: RunLedger) => Promise<Opened>

function openingOf(
  { opening, settings }: PreparedExperiment,
  request: OpenRequest,
  { breakLock = false }: RunOptions,
): StoreOpening {
  if (opening.kind !== 'continue') return (store, ledger) => store.open(request, ledger, { breakLock })
  const { cntFile, retryFailed, environment } = opening
  const { keepCnt } = settings
  // Of the file itself it has been said before.
  const config = request.config.filter(({ name }) => name.startsWith('environment.'))
  const asked = {
    cntFile,
    breakLock,
    retryFailed,
    storage: settings,
    keepCnt,
    ...(environment === undefined ? { config: [] } : { environment, config }),
  }
  return (store, ledger) => store.continue(asked, ledger)
}

/** A command that asks for the file while it has no writer has its lock for a moment, and is refused then. */
const LOCK_WAIT_MS = 60_000

/** After the death of a writer. Its lock is stale, and what was to be reopened has been reopened. */
function reopening({ storage, keepCnt }: OpenRequest, cntFile: string): StoreOpening {
  const asked = { cntFile, breakLock: false, retryFailed: false, storage, keepCnt, config: [] }
  return (store, ledger) => store.continue({ ...asked, lockWaitMs: LOCK_WAIT_MS }, ledger)
}

function identityOf({ opening, settings, identity }: PreparedExperiment): EnvironmentIdentity {
  if (opening.kind === 'continue') return opening.identity
  return identity ?? identifyEnvironment(settings.name, Date.now() / 1000)
}

function openRequest(
  experiment: PreparedExperiment,
  identity: EnvironmentIdentity,
  options: RunOptions,
): OpenRequest {
  const { settings, parameters, plan, job } = experiment
  const jobIdentity = experiment.identifyJob(dirname(realFileOf(settings.filename)))
  return {
    file: settings.filename,
    fileTitle: settings.fileTitle,
    overwrite: settings.overwrite,
    ...(experiment.opening.kind === 'expand' && { isExpansion: true }),
    keepCnt: settings.keepCnt,
    ...(!settings.continuable && { continuable: false }),
    ...(experiment.nodes !== undefined && { nodes: experiment.nodes }),
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
    ...(options.postprocessing !== undefined && { mayGrow: true }),
    config: openingConfig(identity, job.file, settings, jobIdentity, experiment.tree, seenOf(experiment)),
    storage: settings,
    continuation: {
      job: jobIdentity,
      settings: recordSettings(settings),
      ...recordArguments(experiment.args),
      ...(experiment.tree !== undefined && { tree: experiment.tree }),
      environmentName: identity.name,
    },
  }
}

function closing(identity: EnvironmentIdentity, ledger: RunLedger) {
  return (finishTimestamp: number) =>
    closingConfig(identity, {
      startTimestamp: Math.min(ledger.startTimestamp, finishTimestamp),
      finishTimestamp,
    })
}

/** What is recorded of what jobs see. */
function seenOf({ seen, nodes, seenFrom = 0 }: PreparedExperiment): SeenNames | undefined {
  const found = seen ?? nodes
  return found === undefined ? undefined : { from: seenFrom, names: seenNames(found) }
}

/** What jobs see. Of an experiment that goes on, what was recorded when it began counts. */
function nodesFor({ opening, seen, nodes, parameters, tree }: PreparedExperiment, { config }: OpenRequest) {
  const isRecorded = opening.kind === 'continue'
  return runNodes(seen ?? nodes, { parameters, config: isRecorded ? [] : config, tree })
}

/** Collects it once, also where a second session goes on for the first. */
function provenanceOf(
  experiment: PreparedExperiment,
  { name: environment }: EnvironmentIdentity,
  { notice, signal }: { readonly notice: (message: string) => void; readonly signal: AbortSignal },
): Provenance {
  const { opening, settings } = experiment
  const nothing: Extension = { groups: [], leaves: [], links: [] }
  let collecting: Promise<Extension> | undefined
  const isInFile = async (): Promise<boolean> => {
    const { hasProvenance } = await import('./known-provenance.ts')
    return await hasProvenance(experiment, environment)
  }
  const collect = async (): Promise<Extension> => {
    if (!settings.provenance) return nothing
    const isKnown = opening.kind !== 'new' && (await isInFile())
    return await collectProvenance(experiment, { environment, isKnown, notice, signal })
  }
  let sessionCount = 0
  return {
    begin() {
      // Of another trajectory the file must be asked what it has, which nobody else may be writing then.
      if (opening.kind === 'new') collecting ??= collect()
    },
    async collected() {
      sessionCount += 1
      collecting ??= collect()
      // After the death of a writer, which may have stored it before.
      const isStored = sessionCount > 1 && settings.provenance && (!settings.useHdf5 || (await isInFile()))
      return isStored ? nothing : await collecting
    },
  }
}

/** Runs were stored before: this is no refusal of a command that has started nothing. */
function duringRuns(thrown: unknown): unknown {
  if (!isPypetError(thrown) || FAILED_CODES.has(thrown.code)) return thrown
  const { message, hint, where } = thrown
  return new PypetError('PYPET_STORAGE_FAILED', `the storage cannot go on: ${message}`, {
    hint,
    where,
    cause: thrown,
  })
}

/** Codes that say so already. */
const FAILED_CODES: ReadonlySet<string> = new Set([
  'PYPET_STORAGE_FAILED',
  'PYPET_WRITER_DIED',
  'PYPET_FILE_MOVED',
  'PYPET_SYSTEM_FAILED',
  'PYPET_EXECUTOR_FAILED',
  'PYPET_POSTPROCESSING_FAILED',
  'PYPET_STORAGE_SERVICE_FAILED',
])

/** Whatever has stopped the experiment, what is stored is safe, and this is how to go on. */
function withContinueHint(thrown: unknown, cntFile: string): unknown {
  if (!isPypetError(thrown)) return thrown
  const goOn = `Go on with: pypet-ts continue ${shownPath(cntFile)}`
  const hint = thrown.hint === undefined ? goOn : `${thrown.hint} ${goOn}`
  const error = new PypetError(thrown.code, thrown.message, {
    hint,
    where: thrown.where,
    cause: thrown.cause,
  })
  if (thrown.stack !== undefined) error.stack = thrown.stack
  return error
}
