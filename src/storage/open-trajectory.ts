/** Opens a trajectory for writing: a new one, or an unfinished one that is resumed. */
import { existsSync, statSync } from 'node:fs'
import { cannotWrite, PypetError, systemRefusal } from '../errors.ts'
import { planRuns } from '../exploration/plan.ts'
import { Hdf5File } from '../hdf5/file.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { checkSignature } from '../hdf5/signature.ts'
import { superblockOf } from '../journal/cnt-format.ts'
import { CntJournal } from '../journal/cnt-journal.ts'
import type { ExperimentRecord } from '../journal/cnt-record.ts'
import { type CntState, readCnt, readExperiment } from '../journal/cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from '../journal/disk.ts'
import type { FileLock } from '../journal/file-lock.ts'
import { findCntFiles } from '../journal/find-cnt.ts'
import { heldLock } from '../journal/held-lock.ts'
import { betterCntFile, newCntFile } from '../journal/new-cnt.ts'
import { realFileOf } from '../journal/real-file.ts'
import { type RecoverOptions, recoverBehindGate } from '../journal/recover-behind-gate.ts'
import {
  completeReplacement,
  type Replacement,
  replacementOf,
  settleReplacements,
} from '../journal/replace-file.ts'
import { makeFolderOf, syncFolders } from '../journal/result-folder.ts'
import { RunSet } from '../journal/run-set.ts'
import { Hdf5Transaction } from '../journal/transaction.ts'
import { assertFinished, dropFinished, unfinishedHint } from '../journal/unfinished.ts'
import { waitForLock } from '../journal/wait-for-lock.ts'
import { LayoutMemory } from '../layout/layout-memory.ts'
import type { EndedBefore } from '../layout/run-columns.ts'
import { TrajectoryLayout } from '../layout/trajectory-layout.ts'
import type { Layout } from '../names.ts'
import type { ContinueRequest, OpenRequest, RunEnvironment } from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import { shellWord } from '../shell-word.ts'
import { assertHolds } from './completed-runs.ts'
import { continuedRequest } from './continued-request.ts'
import { readStoredTrajectory } from './expand-trajectory.ts'

export interface TrajectoryStoreOptions {
  /** Take over a lock that another host holds. */
  readonly breakLock: boolean
  readonly onNotice: (level: LogLevel, message: string) => void
  /** The disk has failed between two calls: nothing more can be committed. */
  readonly onError: (error: PypetError) => void
  /** The disk. Replaced in some tests. */
  readonly system?: DiskSystem
  /** See `PageWriterOptions`, for tests. */
  readonly pageRestMs?: number
}

/** A trajectory that is open for writing. */
export interface OpenTrajectory {
  readonly request: OpenRequest
  readonly runCount: number
  readonly keepCnt: boolean
  readonly layout: TrajectoryLayout
  readonly memory: LayoutMemory
  readonly transaction: Hdf5Transaction
  /** Runs that are already stored. */
  readonly stored: RunSet
  /** Stored runs that are in no commit: another experiment stored them. */
  readonly unrecorded?: RunSet
  /** The environment of later runs, noted in the first commit. */
  readonly environment?: RunEnvironment | undefined
  /** Failed runs that are not retried. */
  readonly failed: RunSet
  /** Failed runs to retry, noted in the next commit. */
  readonly reopened: RunSet
  /** When the very first run started, in seconds since 1970. Undefined before that. */
  readonly startTimestamp: number | undefined
  /** Of the file. Undefined for one turn of several: whoever opened the trajectory has it. */
  readonly lock: FileLock | undefined
  /** Nothing of it was in the file before. */
  readonly isNew?: true
  /** For a new file: called when its first commit is durable. */
  readonly publish?: () => void
  /** For a new file: called if it gets no commit. */
  readonly discard?: () => void
}

/** Creates the trajectory with its parameters and ranges, without a commit. As `TrajectoryStore.open`. */
export async function createTrajectory(
  request: OpenRequest,
  options: TrajectoryStoreOptions,
): Promise<OpenTrajectory> {
  const { file } = request
  const isNewFile = request.overwrite || isEmpty(file)
  // Refuse before anything changes, if the file can be read as it is.
  if (!isNewFile && request.isExpansion !== true && findCntFiles(file, options.system).length === 0) {
    await assertNameIsFree(file, request.trajectory.name)
  }
  const folders = isNewFile ? makeFolderOf(realFileOf(file)) : []
  const lock = await takeLock(file, request.trajectory.name, options)
  try {
    const opened = await create(request, options, lock)
    syncFolders(folders)
    return opened
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Opens an unfinished trajectory after recovering its file. As `TrajectoryStore.continue`. */
export async function continueTrajectory(
  request: ContinueRequest,
  options: TrajectoryStoreOptions,
): Promise<OpenTrajectory> {
  const { system = FILES } = options
  const { file, trajectory } = readExperiment(request.cntFile, system).request
  const lock = await takeLock(file, trajectory.name, { ...options, waitMs: request.lockWaitMs })
  try {
    const { readerWaitMs } = request.storage
    const found = readCnt(request.cntFile, system)
    const { openRequest, beginning } = continuedRequest(found, request)
    const isTakenBack = completeReplacement(found, system)
    settleReplacements(file, options)
    if (isTakenBack) return await create(beginning, options, lock)
    if (found.lastSequence === 0) {
      // It ended before its first commit.
      await recoverBehindGate(found, readerWaitMs, { ...options, onWaiting: lock.noteWaiting })
      return await create({ ...beginning, overwrite: false }, options, lock)
    }
    await recoverOthers(file, readerWaitMs, options, found.path)
    const state = await recover(found, readerWaitMs, { ...options, onWaiting: lock.noteWaiting })
    return await resume(state, openRequest, request, options, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function create(
  request: OpenRequest,
  options: TrajectoryStoreOptions,
  lock: FileLock,
): Promise<OpenTrajectory> {
  if (request.isExpansion === true) return await expandStored(request, options, lock)
  const { file, trajectory } = request
  const { system = FILES } = options
  settleReplacements(file, options)
  const isReplaced = request.overwrite && !isEmpty(file)
  const isNewFile = isReplaced || isEmpty(file)
  // A file that may not be written may not be replaced.
  if (isReplaced) openDisk(file, system).close()
  else if (isNewFile) refuseLost(file, system)
  else {
    await recoverOthers(file, request.storage.readerWaitMs, options)
    await assertNameIsFree(file, trajectory.name)
    dropBegun(file, trajectory.name, system)
  }
  const parts = plannedParts(request)
  const cntFile = newCntFile(file, trajectory.name, system)
  const { transaction, replacement } = await beginFile({ ...options, request, isNewFile, cntFile, lock })
  const { layout } = parts
  applyTo(transaction, function* () {
    yield* layout.open(isNewFile)
  })
  return {
    ...opened(request, parts, transaction, lock),
    isNew: true,
    ...(replacement !== undefined && {
      publish() {
        replacement.publish()
        transaction.noteRenamed(file, betterCntFile(transaction.cntFile, file, trajectory.name, system))
      },
      discard: () => replacement.discard(transaction.cntFile),
    }),
  }
}

/** Opens a stored trajectory with runs that were not performed yet. */
async function expandStored(
  wanted: OpenRequest,
  options: TrajectoryStoreOptions,
  lock: FileLock,
): Promise<OpenTrajectory> {
  const { file, trajectory } = wanted
  const { system = FILES } = options
  await recoverOthers(file, wanted.storage.readerWaitMs, options)
  dropBegun(file, trajectory.name, system)
  assertFinished(file, trajectory.name, system)
  const plan = planRuns(wanted)
  const found = await readStoredTrajectory(file, wanted, plan)
  const request = inLayout(wanted, found.layout)
  dropFinished(file, trajectory.name, system)
  const { stored } = found
  const parts = plannedParts(request, LayoutMemory.of(found.memory), plan, found)
  const cntFile = newCntFile(file, trajectory.name, system)
  const { transaction } = await beginFile({ ...options, request, isNewFile: false, cntFile, lock })
  applyTo(transaction, function* () {
    yield parts.layout.addConfig(found.config)
    if (found.failed.length > 0) yield parts.layout.reopen(found.failed)
  })
  return {
    ...opened(request, parts, transaction, lock),
    stored,
    unrecorded: stored,
  }
}

/** The layout of a stored trajectory stays as it is. */
function inLayout(request: OpenRequest, found: Layout | undefined): OpenRequest {
  const { storage } = request
  const overviews = { ...storage.overviews, columns: found !== undefined }
  return { ...request, storage: { ...storage, layout: found ?? 'tree', overviews } }
}

async function resume(
  state: CntState,
  request: OpenRequest,
  { environment, config, retryFailed }: ContinueRequest,
  options: TrajectoryStoreOptions,
  lock: FileLock,
): Promise<OpenTrajectory> {
  const { system = FILES } = options
  const parts = plannedParts(request, new LayoutMemory(state.memory), planRuns(request), {
    stored: state.stored,
    failed: state.failed.keys(),
  })
  const disk = openDisk(request.file, system)
  // If others have written to the file since, check that it has all runs in the `.cnt` file.
  if (baseOf(disk).superblock !== state.superblock) await assertHolds(state)
  const transaction = await Hdf5Transaction.begin({
    ...options,
    path: request.file,
    isNewFile: false,
    disk,
    storage: request.storage,
    onWaiting: lock.noteWaiting,
    openJournal: () => CntJournal.resume(system, state),
  })
  const failed = RunSet.of(state.failed.keys())
  applyTo(transaction, function* () {
    if (environment !== undefined) yield parts.layout.beginEnvironment(config)
    if (retryFailed && failed.count > 0) yield parts.layout.reopen([...state.failed.keys()])
  })
  return {
    ...opened(request, parts, transaction, lock),
    stored: state.stored,
    ...(retryFailed ? { reopened: failed } : { failed }),
    environment,
    startTimestamp: environment === undefined ? state.startTimestamp : undefined,
  }
}

interface PlannedParts {
  readonly runCount: number
  readonly memory: LayoutMemory
  readonly layout: TrajectoryLayout
}

function plannedParts(
  request: OpenRequest,
  memory = new LayoutMemory(),
  plan = planRuns(request),
  ended?: EndedBefore,
): PlannedParts {
  return { runCount: plan.runCount, memory, layout: new TrajectoryLayout(request, plan, memory, ended) }
}

/** The result of opening, with nothing stored yet. */
function opened(
  request: OpenRequest,
  parts: PlannedParts,
  transaction: Hdf5Transaction,
  lock: FileLock,
): OpenTrajectory {
  return {
    request,
    ...parts,
    keepCnt: request.keepCnt,
    transaction,
    stored: new RunSet(),
    failed: new RunSet(),
    reopened: new RunSet(),
    startTimestamp: undefined,
    lock,
  }
}

function applyTo(transaction: Hdf5Transaction, operations: () => Generator<readonly Hdf5Operation[]>): void {
  try {
    for (const part of operations()) transaction.file.apply(part)
  } catch (error) {
    throw transaction.explain(error)
  }
}

interface BeginOptions extends Omit<TrajectoryStoreOptions, 'breakLock'> {
  readonly request: OpenRequest
  readonly isNewFile: boolean
  readonly cntFile: string
  readonly lock: FileLock
}

/**
 * Opens a file for writing, with a new `.cnt` file. A new HDF5 file is written next to its final place.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`, `PYPET_CNT_EXISTS`
 */
export async function beginFile({
  request,
  isNewFile,
  cntFile,
  lock,
  system = FILES,
  ...listener
}: BeginOptions): Promise<{
  readonly transaction: Hdf5Transaction
  readonly replacement: Replacement | undefined
}> {
  const { file, storage } = request
  const replacement = isNewFile ? replacementOf(request, { system, onNotice: listener.onNotice }) : undefined
  const path = replacement?.path ?? file
  const disk = isNewFile ? createDisk(path, system) : openDisk(path, system)
  replacement?.adoptMode(disk)
  const record = experimentRecord(replacement?.request ?? request, disk)
  const transaction = await Hdf5Transaction.begin({
    ...listener,
    path,
    isNewFile,
    disk,
    storage,
    onWaiting: lock.noteWaiting,
    openJournal: () => CntJournal.create(system, cntFile, record),
  })
  return { transaction, replacement }
}

/** The first record. It names the real file behind the path. */
function experimentRecord(request: OpenRequest, disk: Disk): ExperimentRecord {
  const { bytes, superblock } = baseOf(disk)
  return {
    type: 'experiment',
    request: { ...request, file: realFileOf(request.file) },
    baseBytes: bytes,
    baseSuperblock: superblock,
  }
}

/** The `.cnt` file of this trajectory in this file, if there is one. */
function cntFileOf(file: string, trajectory: string, system: DiskSystem): string | undefined {
  const isOurs = (path: string) => readExperiment(path, system).request.trajectory.name === trajectory
  return findCntFiles(file, system).find(isOurs)
}

/**
 * Completes what others left unfinished in this file, before anything is added.
 *
 * @param own a `.cnt` file that the caller handles itself
 */
export async function recoverOthers(
  file: string,
  waitMs: number,
  { system = FILES, onNotice }: Pick<TrajectoryStoreOptions, 'system' | 'onNotice'>,
  own?: string,
): Promise<void> {
  settleReplacements(file, { system, onNotice })
  for (const path of findCntFiles(file, system)) {
    if (path === own) continue
    const state = readCnt(path, system)
    await recover(state, waitMs, { system, onNotice })
    // A recovered edit needs nothing else.
    const { isEdit, continuable } = state.experiment.request
    if (isEdit === true || continuable === false) system.remove(path)
  }
}

/** Recovers the file if it needs that, and reports it. Returns the current content of the `.cnt` file. */
async function recover(
  state: CntState,
  waitMs: number,
  options: RecoverOptions & Pick<TrajectoryStoreOptions, 'onNotice'>,
): Promise<CntState> {
  if (state.isApplied) return state
  const { file } = state.experiment.request
  const now = await recoverBehindGate(state, waitMs, options)
  options.onNotice('info', `${file} was recovered from ${state.path} (commit ${state.lastSequence})`)
  return now
}

/** Removes a `.cnt` file of this trajectory without any commit. */
function dropBegun(file: string, trajectory: string, system: DiskSystem): void {
  const cntFile = cntFileOf(file, trajectory, system)
  if (cntFile !== undefined && readCnt(cntFile, system).lastSequence === 0) system.remove(cntFile)
}

/** A file that was moved away may come back. Then the data that only its `.cnt` file has must still exist. */
function refuseLost(file: string, system: DiskSystem): void {
  for (const path of findCntFiles(file, system)) {
    const { isApplied, stored } = readCnt(path, system)
    if (isApplied || stored.count === 0) continue
    throw new PypetError(
      'PYPET_CNT_EXISTS',
      `${file} is missing or empty, but ${path} holds the last pages of its ${stored.count} stored runs`,
      {
        where: path,
        hint: `Restore it, then: pypet-ts continue ${shellWord(path)}. To discard these runs, use --overwrite.`,
        details: { cntFile: path },
      },
    )
  }
}

/** Takes the lock of a file, unless the caller already holds it for several steps. As `waitForLock`. */
export async function takeLock(
  file: string,
  trajectory: string,
  {
    breakLock,
    onNotice,
    waitMs = 0,
  }: Pick<TrajectoryStoreOptions, 'breakLock' | 'onNotice'> & { readonly waitMs?: number | undefined },
): Promise<FileLock> {
  const lock = heldLock(file) ?? (await waitForLock(file, { trajectory, breakLock }, { waitMs, onNotice }))
  if (lock.notice !== undefined) onNotice('warn', lock.notice)
  return lock
}

function createDisk(file: string, system: DiskSystem) {
  try {
    const real = realFileOf(file)
    const disk = system.create(real)
    system.syncFolderOf(real)
    return disk
  } catch (cause) {
    throw cannotWrite(file, systemRefusal(cause).found, { cause })
  }
}

export function openDisk(file: string, system: DiskSystem) {
  try {
    return system.open(file, 'write')
  } catch (cause) {
    throw cannotWrite(file, systemRefusal(cause).found, { cause })
  }
}

function baseOf(disk: Disk) {
  const head = new Uint8Array(96)
  const bytes = disk.size()
  return { bytes, superblock: bytes === 0 ? '' : superblockOf(head.subarray(0, disk.read(head, 0))) }
}

export function isEmpty(file: string): boolean {
  return !existsSync(file) || statSync(file).size === 0
}

/**
 * Checks that an existing file can take another trajectory of this name.
 *
 * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_FILE_NOT_HDF5`
 */
export async function assertNameIsFree(path: string, name: string): Promise<void> {
  await checkSignature(path)
  const names = await Hdf5File.rootNames(path)
  if (!names.includes(name)) return
  const cntFile = cntFileOf(path, name, FILES)
  throw new PypetError('PYPET_TRAJECTORY_EXISTS', `${path} already holds a trajectory named ${name}`, {
    where: path,
    hint: cntFile === undefined ? OTHER_PLACES : `${unfinishedHint(cntFile)} ${OTHER_PLACES}`,
    details: { file: path, trajectory: name, cntFile },
  })
}

const OTHER_PLACES =
  'Choose another name (--name or --add-time) or file (--file), or replace the file (--overwrite).'
