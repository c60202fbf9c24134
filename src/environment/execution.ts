/** One execution of an experiment: the state its sessions share. A second session replaces one whose writer died. */
import { dirname } from 'node:path'
import type { ExperimentEvent, ExperimentSummary, Reporter } from '../events.ts'
import { printedLine, strayErrorText } from '../executors/job-log.ts'
import { workerCount } from '../executors/open-executor.ts'
import { returnedValues } from '../journal/cnt-journal.ts'
import { FILES } from '../journal/disk.ts'
import { realFileOf } from '../journal/real-file.ts'
import { RunSet } from '../journal/run-set.ts'
import type { Opened, OpenRequest } from '../protocol.ts'
import { logFolderOf } from '../reporting/log-folder.ts'
import type { Parameter } from '../run/parameter.ts'
import type { RunNodes } from '../tree/run-nodes.ts'
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
import type { PartsFolder } from './parts-folder.ts'
import { type Postprocessing, ReturnedBytes } from './postprocessing.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { type Provenance, provenanceOf } from './provenance-once.ts'
import { recordSettings } from './recorded-settings.ts'
import { RunLedger } from './run-ledger.ts'
import type { RunStores } from './run-stores.ts'
import { runNodes, type SeenNames, seenNames } from './seen-nodes.ts'

export interface RunOptions {
  /** Provides the storage. Closed at the end of the experiment. */
  readonly stores: RunStores
  /**
   * Called with the environment's name once the file holds the trajectory. Nothing may be created next to the file
   * before that.
   */
  readonly openReporter: (environment: string) => Reporter
  /** Abort it to let active runs finish and start no new ones. */
  readonly signal?: AbortSignal | undefined
  /** Abort it to cancel active runs and close the file properly. */
  readonly giveUp?: AbortSignal | undefined
  /** Take over a lock that another host holds on the file. */
  readonly breakLock?: boolean | undefined
  /** Called when runs have ended. */
  readonly postprocessing?: Postprocessing | undefined
  /** Collects what jobs return, including in earlier executions. */
  readonly returned?: ReturnedBytes | undefined
}

/** Why runs are missing, if the experiment was stopped. */
export type StopReason = 'signal' | 'failures'

export interface SessionEnd {
  /** The `.cnt` file, unless it was removed because every run is stored. */
  readonly cntFile: string | undefined
  /** See `Closed`. */
  readonly isBehind?: true
  /** Why runs are missing, if the experiment was stopped. */
  readonly stoppedBy: StopReason | undefined
  /** From the first run of this session to the last one stored. */
  readonly durationMs: number
}

type LogEvent = Extract<ExperimentEvent, { type: 'log' }>

/** Dispose of it at the end in every case: this also ends the programs that collect provenance. */
export class Execution implements Disposable {
  readonly experiment: PreparedExperiment
  readonly options: RunOptions
  readonly plan: GrowingPlan
  readonly request: OpenRequest
  readonly ledger = new RunLedger()
  /** What jobs see of the trajectory besides its parameters. */
  readonly nodes: RunNodes
  readonly partsFolder: PartsFolder
  readonly provenance: Provenance
  /** Collects what jobs return, if the caller wants it. */
  readonly returned: ReturnedBytes
  readonly wantsReturned: boolean
  /** Set when the file is open. */
  cntFile: string | undefined
  readonly #identity: EnvironmentIdentity
  readonly #ended = new AbortController()
  #reporter: Reporter | undefined
  #previouslyStoredCount = 0
  /** Logged before the reporter existed. */
  readonly #early: LogEvent[]

  /** Starts listening to the user's code. Touches no file. */
  constructor(experiment: PreparedExperiment, options: RunOptions) {
    const { settings, opening, userCode, warnings = [] } = experiment
    this.experiment = experiment
    this.options = options
    this.plan = new GrowingPlan(experiment.plan, experiment.parameters)
    this.#identity = identityOf(experiment)
    this.#early = warnings.map((message) => ({ type: 'log', level: 'warn', message }))
    userCode.listen({
      onLine: (message, run, from) => {
        const line = printedLine(settings, { message, from, run })
        if (line !== undefined) this.listen(line)
      },
      onStrayError: (thrown) => {
        const message = strayErrorText(thrown, 'outside of any run')
        this.listen({ type: 'log', level: 'error', message, isStray: true })
      },
    })
    this.request = openRequest(experiment, this.#identity, options)
    this.returned = options.returned ?? new ReturnedBytes()
    this.wantsReturned = options.returned !== undefined || options.postprocessing !== undefined
    if (this.wantsReturned && opening.kind === 'continue') {
      this.returned.add(opening.ownStored, returnedValues(opening.cntFile, FILES))
    }
    this.nodes = nodesFor(experiment, this.request)
    const { signal } = this.#ended
    this.provenance = provenanceOf(experiment, this.#identity, {
      signal,
      notice: (message) => {
        if (!signal.aborted) this.listen({ type: 'log', level: 'warn', message })
      },
    })
    this.partsFolder = options.stores.partsFolder(settings)
  }

  /** Handles a log line. */
  readonly listen = (line: LogEvent): void => {
    if (line.isStray === true) this.ledger.strayErrorCount += 1
    // A job that logs inline calls this itself.
    this.experiment.userCode.leave(() =>
      this.#reporter === undefined ? void this.#early.push(line) : this.#reporter.emit(line),
    )
  }

  /** The job does not load in a worker, and what it printed most likely explains why. */
  showEarlyLines(): void {
    const printed = this.#early.filter(({ level }) => level === 'info')
    if (printed.length > 0) process.stderr.write(`${printed.map(({ message }) => message).join('\n')}\n`)
  }

  /** The file is open. Returns the reporter for all further events. */
  opened({ cntFile, stored }: Opened): Reporter {
    const { ledger, plan } = this
    const { settings } = this.experiment
    this.cntFile = cntFile
    // A service knows which runs it has. Its .cnt file only records what they returned.
    if (!settings.useHdf5) this.returned.add(RunSet.ofRanges(stored), new Map())
    if (this.#reporter !== undefined) return this.#reporter
    this.#previouslyStoredCount = ledger.storedCount
    const reporter = this.options.openReporter(this.#identity.name)
    this.#reporter = reporter
    ledger.reportTo(reporter)
    reporter.emit({
      type: 'experiment-started',
      ...this.#facts,
      cntFile,
      runCount: plan.runCount,
      storedCount: ledger.storedCount,
      failedCount: ledger.failedCount,
      ncores: workerCount(settings, plan.runCount),
      executor: settings.executor,
    })
    for (const line of this.#early.splice(0)) reporter.emit(line)
    return reporter
  }

  emit(event: ExperimentEvent): void {
    this.#reporter?.emit(event)
  }

  /** What is known when the last run has ended, in seconds since 1970. */
  closingConfig(finishTimestamp: number): readonly Parameter[] {
    const startTimestamp = Math.min(this.ledger.startTimestamp, finishTimestamp)
    return closingConfig(this.#identity, { startTimestamp, finishTimestamp })
  }

  summarise({ cntFile, isBehind, stoppedBy, durationMs }: SessionEnd): ExperimentSummary {
    const { ledger, plan } = this
    const summary: ExperimentSummary = {
      ...this.#facts,
      cntFile,
      ...(isBehind && { isBehind }),
      runCount: plan.runCount,
      storedCount: ledger.storedCount,
      previouslyStoredCount: this.#previouslyStoredCount,
      failedCount: ledger.failedCount,
      leftCount: plan.runCount - ledger.storedCount - ledger.failedCount,
      stoppedBy,
      strayErrorCount: ledger.strayErrorCount,
      durationMs,
    }
    this.returned.settle(ledger.stored)
    this.emit({ type: 'experiment-finished', summary })
    return summary
  }

  [Symbol.dispose](): void {
    this.#ended.abort()
  }

  get #facts() {
    const { name, filename, useHdf5, logging, logFolder } = this.experiment.settings
    return {
      trajectory: name,
      file: filename,
      ...(!useHdf5 && { isInService: true as const }),
      logFolder: logging ? logFolderOf(logFolder, name, this.#identity.name) : undefined,
    }
  }
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

/** What is recorded about what jobs see. */
function seenOf({ seen, nodes, seenFrom = 0 }: PreparedExperiment): SeenNames | undefined {
  const found = seen ?? nodes
  return found === undefined ? undefined : { from: seenFrom, names: seenNames(found) }
}

/** What jobs see. In a resumed experiment, the record from its start counts. */
function nodesFor({ opening, seen, nodes, parameters, tree }: PreparedExperiment, { config }: OpenRequest) {
  const isRecorded = opening.kind === 'continue'
  return runNodes(seen ?? nodes, { parameters, config: isRecorded ? [] : config, tree })
}
