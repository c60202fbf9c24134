/**
 * Runs an experiment: opens the writer, then the executor, runs everything and waits until the last run is stored. This
 * module is the overview; the modules it calls do the work.
 */
import { isPypetError, PypetError, reworded } from '../errors.ts'
import type { ExperimentSummary } from '../events.ts'
import { planRuns } from '../exploration/plan.ts'
import { returnedValues } from '../journal/cnt-journal.ts'
import { readCnt } from '../journal/cnt-state.ts'
import { FILES } from '../journal/disk.ts'
import type { OpenRequest } from '../protocol.ts'
import { shownPath } from '../reporting/shown-path.ts'
import type { RunStore } from '../storage/run-store.ts'
import { Execution, type RunOptions, type SessionEnd } from './execution.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { closeSession, openSession, performUntilQuiet } from './session.ts'

/**
 * Computes and stores every missing run. Resolves when the file is closed. Failed runs do not reject but are counted in
 * the summary, like those that an abort left undone. A writer process that dies is replaced once, and the runs that it
 * had not stored are repeated.
 *
 * @throws PypetError as `openExecutor`, `RunStore.open` and `RunStore.continue`; `PYPET_STORAGE_FAILED` or
 *   `PYPET_WRITER_DIED` if storing has become impossible: runs announced until then are safe, and the hint says how to
 *   continue
 */
export async function runExperiment(
  experiment: PreparedExperiment,
  options: RunOptions,
): Promise<ExperimentSummary> {
  using execution = new Execution(experiment, options)
  const end = await withSecondWriter(execution, async (store, open) => {
    await using session = await openSession(execution, store, open)
    await performUntilQuiet(session)
    return await closeSession(session)
  })
  return execution.summarise(end)
}

type StoreOpening = Parameters<typeof openSession>[2]

/** Runs a session, and another one if the writer of the first dies. */
async function withSecondWriter(
  execution: Execution,
  perform: (store: RunStore, open: StoreOpening) => Promise<SessionEnd>,
): Promise<SessionEnd> {
  const { experiment, options, request, ledger } = execution
  const { stores, breakLock = false } = options
  try {
    const store = await stores.next(experiment.settings)
    store.prepare?.(request, { ...serviceOpening(experiment), breakLock })
    return await perform(store, firstOpening(execution))
  } catch (error) {
    const { cntFile } = execution
    if (cntFile === undefined) throw error
    if (!isPypetError(error, 'PYPET_WRITER_DIED')) throw withContinueHint(error, cntFile)
    ledger.onNotice('warn', `${error.message}; a new one continues and repeats the runs that were not stored`)
    try {
      // The previous storage has ended by now.
      const store = await stores.next(experiment.settings)
      if (await hasCompleted(execution, cntFile))
        return { cntFile: undefined, stoppedBy: undefined, durationMs: 0 }
      await takeCommittedPoints(execution, cntFile)
      takeCommittedReturns(execution, cntFile)
      return await perform(store, reopening(request, cntFile))
    } catch (again) {
      throw withContinueHint(duringRuns(again), cntFile)
    }
  }
}

function serviceOpening({ opening }: PreparedExperiment) {
  const isContinued = opening.kind === 'continue'
  return { isContinued, retryFailed: isContinued && opening.retryFailed }
}

/** How the storage starts. */
function firstOpening({ experiment, options, request }: Execution): StoreOpening {
  const { opening, settings } = experiment
  const { breakLock = false } = options
  if (opening.kind !== 'continue') return (store, ledger) => store.open(request, ledger, { breakLock })
  const { cntFile, retryFailed, environment } = opening
  const { keepCnt } = settings
  // Config of the file itself was written before.
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

/** Another command may briefly hold the lock while the file has no writer. */
const LOCK_WAIT_MS = 60_000

/** After the death of a writer. Its lock is stale, and everything to be reopened has been reopened. */
function reopening({ storage, keepCnt }: OpenRequest, cntFile: string): StoreOpening {
  const asked = { cntFile, breakLock: false, retryFailed: false, storage, keepCnt, config: [] }
  return (store, ledger) => store.continue({ ...asked, lockWaitMs: LOCK_WAIT_MS }, ledger)
}

/** The writer died after its last step, removing the `.cnt` file, before it could report it. */
async function hasCompleted({ experiment, ledger, plan }: Execution, cntFile: string): Promise<boolean> {
  const { useHdf5, filename, name } = experiment.settings
  if (!useHdf5 || FILES.exists(cntFile) || ledger.storedCount < plan.runCount) return false
  const { settleCompleted } = await import('./settle.ts')
  return await settleCompleted(filename, name, plan.runCount)
}

/** Points that the writer committed but did not live to report. */
async function takeCommittedPoints(execution: Execution, cntFile: string): Promise<void> {
  const { experiment, plan, request } = execution
  const { exploration } = readCnt(cntFile).experiment.request
  const found = planRuns({ parameters: experiment.parameters, exploration })
  if (found.runCount <= plan.runCount) return
  const { planWithValues } = await import('./explored-values.ts')
  const committed = await planWithValues(found, request, plan.now)
  const addedCount = committed.runCount - plan.runCount
  plan.take(committed)
  execution.emit({ type: 'runs-added', addedCount, runCount: committed.runCount })
}

/** What jobs of committed runs returned, even if the writer did not live to report it. */
function takeCommittedReturns({ wantsReturned, returned }: Execution, cntFile: string): void {
  if (wantsReturned) returned.add(readCnt(cntFile).stored, returnedValues(cntFile, FILES))
}

/** Runs were stored before, so this is not the refusal of a command that has started nothing. */
function duringRuns(thrown: unknown): unknown {
  if (!isPypetError(thrown) || FAILED_CODES.has(thrown.code)) return thrown
  const { message, hint, where } = thrown
  return new PypetError('PYPET_STORAGE_FAILED', `the storage failed: ${message}`, {
    hint,
    where,
    cause: thrown,
  })
}

/** Codes that already say so. */
const FAILED_CODES: ReadonlySet<string> = new Set([
  'PYPET_STORAGE_FAILED',
  'PYPET_WRITER_DIED',
  'PYPET_FILE_MOVED',
  'PYPET_SYSTEM_FAILED',
  'PYPET_EXECUTOR_FAILED',
  'PYPET_POSTPROCESSING_FAILED',
  'PYPET_STORAGE_SERVICE_FAILED',
])

/** Whatever stopped the experiment, stored runs are safe. The hint says how to continue. */
function withContinueHint(thrown: unknown, cntFile: string): unknown {
  if (!isPypetError(thrown)) return thrown
  const goOn = `Continue with: pypet-ts continue ${shownPath(cntFile)}`
  const hint = thrown.hint === undefined ? goOn : `${thrown.hint} ${goOn}`
  const error = reworded(thrown, { hint })
  if (thrown.stack !== undefined) error.stack = thrown.stack
  return error
}
