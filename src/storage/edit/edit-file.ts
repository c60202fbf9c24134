/**
 * Changes an HDF5 file from this process: what a script stores, deletes or merges. Uses the same transaction as runs,
 * so a kill at any moment leaves a committed state.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { checkSignature } from '../../hdf5/signature.ts'
import { FILES } from '../../journal/disk.ts'
import { releaseReaders } from '../../journal/open-readers.ts'
import { realFileOf } from '../../journal/real-file.ts'
import { type Replacement, settleReplacements } from '../../journal/replace-file.ts'
import { makeFolderOf, syncFolders } from '../../journal/result-folder.ts'
import type { Hdf5Transaction } from '../../journal/transaction.ts'
import { assertFinished, dropBegunExpansion } from '../../journal/unfinished.ts'
import type { OpenRequest, StorageSettings } from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import { beginFile, isEmpty, openDisk, recoverOthers, takeLock } from '../open-trajectory.ts'

export interface EditRequest {
  /** The trajectory to change. Refused while an experiment of it is unfinished. */
  readonly trajectory: string
  /** Take over a lock of another host. */
  readonly breakLock?: boolean
  /** Replace the file and all its content once the new one is complete. */
  readonly overwrite?: boolean
  /** Longest wait for readers of the file. */
  readonly readerWaitMs?: number
  readonly onNotice?: (level: LogLevel, message: string) => void
  /**
   * Called when nobody else can write the file any more, before anything is written: checks that it has not changed
   * since it was read.
   */
  readonly check?: () => void | Promise<void>
}

export interface FileEditor {
  /** The file was missing or empty: it needs its root attributes. */
  readonly isNewFile: boolean
  apply(operations: readonly Hdf5Operation[]): void
  /** Makes applied operations durable. Always done at the end. */
  commit(): void
}

const READER_WAIT_MS = 60_000

/** Default settings for writing a file. */
export const STORAGE_DEFAULTS: StorageSettings = {
  complevel: 0,
  purgeDuplicateComments: false,
  exploredParameterOverviewInRuns: false,
  resultsPerRun: 0,
  derivedParametersPerRun: 0,
  commitIntervalMs: 1000,
  readerWaitMs: READER_WAIT_MS,
  cntCompactBytes: 1_048_576,
  layout: 'tree',
  overviews: {
    // What a script stores has none.
    columns: false,
    config: true,
    parameters: true,
    derivedParameters: false,
    results: false,
    exploredParameters: true,
    derivedParametersSummary: true,
    resultsSummary: true,
  },
}

/**
 * Opens a file for changes, and creates it if needed. When this resolves, everything that `edit` applied is durable. If
 * `edit` throws, uncommitted changes are undone.
 *
 * @throws PypetError `PYPET_FILE_LOCKED`, `PYPET_FILE_NOT_WRITABLE`, `PYPET_FILE_NOT_HDF5`, `PYPET_STORAGE_FAILED`;
 *   `PYPET_CNT_EXISTS` while an experiment of the trajectory is unfinished
 */
export async function editHdf5File<Value>(
  file: string,
  request: EditRequest,
  edit: (editor: FileEditor) => Value | Promise<Value>,
): Promise<Value> {
  const { trajectory, breakLock = false, readerWaitMs = READER_WAIT_MS, onNotice = warn } = request
  const folders = existsSync(file) ? [] : makeFolderOf(realFileOf(file))
  const lock = await takeLock(file, trajectory, { breakLock, onNotice })
  releaseReaders(file)
  try {
    settleReplacements(file, { onNotice })
    const isReplaced = request.overwrite === true && !isEmpty(file)
    const isNewFile = isReplaced || isEmpty(file)
    // A file that may not be written may not be replaced.
    if (isReplaced) {
      // Nor one with other content.
      await checkSignature(file)
      openDisk(file, FILES).close()
    }
    if (!isNewFile) {
      await checkSignature(file)
      assertFinished(file, trajectory)
      await recoverOthers(file, readerWaitMs, { onNotice })
      dropBegunExpansion(file, trajectory)
      await request.check?.()
    }
    const edited = { ...editRequest(file, trajectory), overwrite: isReplaced }
    const { transaction, replacement } = await beginFile({
      request: { ...edited, storage: { ...STORAGE_DEFAULTS, readerWaitMs } },
      isNewFile,
      cntFile: `${realFileOf(file)}.edit.cnt`,
      lock,
      onNotice,
      // The next commit fails with the disk's error.
      onError: () => undefined,
    })
    syncFolders(folders)
    return await performEdit(transaction, { file, replacement }, edit)
  } finally {
    releaseReaders(file)
    lock.release()
  }
}

/**
 * Writes what an interrupted edit has committed into its file, and removes its `.cnt` file.
 *
 * @throws PypetError as `editHdf5File`
 */
export async function finishEdit(file: string): Promise<void> {
  const lock = await takeLock(file, 'edit', { breakLock: false, onNotice: () => undefined })
  try {
    releaseReaders(file)
    await recoverOthers(file, READER_WAIT_MS, { onNotice: () => undefined })
  } finally {
    lock.release()
  }
}

/**
 * Checks that a trajectory can be changed, and completes what others left unfinished in its file and next to it.
 *
 * @throws PypetError as `editHdf5File`
 */
export async function prepareEdits(
  file: string,
  { trajectory, breakLock = false, readerWaitMs = READER_WAIT_MS, onNotice = warn }: EditRequest,
): Promise<void> {
  const lock = await takeLock(file, trajectory, { breakLock, onNotice })
  try {
    assertFinished(file, trajectory)
    releaseReaders(file)
    await recoverOthers(file, readerWaitMs, { onNotice })
  } finally {
    lock.release()
  }
}

/** Reports to a script like other warnings of Node. */
export function warn(level: LogLevel, message: string): void {
  if (level === 'warn') process.emitWarning(message)
}

async function performEdit<Value>(
  transaction: Hdf5Transaction,
  { file, replacement }: { readonly file: string; readonly replacement: Replacement | undefined },
  edit: (editor: FileEditor) => Value | Promise<Value>,
): Promise<Value> {
  let outcome: Value
  let isPublished = replacement === undefined
  const publish = () => {
    if (isPublished) return
    replacement?.publish()
    isPublished = true
    transaction.noteRenamed(file, transaction.cntFile)
  }
  const forget = () => transaction.forget()
  // Before the lock is released, which also happens at the exit.
  process.prependListener('exit', forget)
  try {
    outcome = await edit({
      isNewFile: replacement !== undefined,
      apply: (operations) => transaction.file.apply(operations),
      commit() {
        transaction.commit(NOTHING_RUN)
        publish()
      },
    })
  } catch (error) {
    // What HDF5 holds in memory must not reach the file: only the last commit counts.
    const explained = transaction.explain(error)
    await transaction.abandon()
    if (!isPublished) replacement?.discard(transaction.cntFile)
    throw explained
  } finally {
    process.off('exit', forget)
  }
  transaction.close(NOTHING_RUN)
  publish()
  await transaction.finish(true)
  return outcome
}

const NOTHING_RUN = {
  stored: [],
  failed: [],
  reopened: [],
  memory: { added: {}, values: {} },
  isComplete: false,
  returned: [],
}

function editRequest(file: string, trajectory: string): OpenRequest {
  return {
    file,
    fileTitle: '',
    overwrite: false,
    keepCnt: false,
    isEdit: true,
    trajectory: {
      name: trajectory,
      comment: '',
      timestamp: 0,
      version: '',
      runtimeVersion: '',
      // Distinguishes it from other edits.
      environmentHexsha: randomBytes(8).toString('hex'),
    },
    parameters: [],
    exploration: undefined,
    config: [],
    storage: STORAGE_DEFAULTS,
    continuation: {
      job: { file: '', relativeFile: '', sha256: '', sources: {} },
      settings: {},
      environmentName: '',
    },
  }
}
