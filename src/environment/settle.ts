/** What commands do with a file that has no runs left to compute. */
import { isPypetError } from '../errors.ts'
import { CntJournal } from '../journal/cnt-journal.ts'
import { type CntState, readCnt } from '../journal/cnt-state.ts'
import { FILES } from '../journal/disk.ts'
import { acquireLock } from '../journal/file-lock.ts'
import { recoverBehindGate } from '../journal/recover-behind-gate.ts'
import { completeReplacement, settleReplacements } from '../journal/replace-file.ts'
import { openHdf5Reader } from '../reading/reader.ts'
import { completedCountIn } from '../storage/completed-runs.ts'

/**
 * Ends an experiment without runs to compute: writes pages to the HDF5 file that a reader or a crash has kept out, and
 * removes the `.cnt` file if every run is stored.
 *
 * @throws PypetError as `acquireLock` and `recoverBehindGate`
 */
export async function settleExperiment(
  { path, experiment }: CntState,
  { breakLock, keepCnt }: { readonly breakLock: boolean; readonly keepCnt: boolean },
): Promise<void> {
  const { file, trajectory } = experiment.request
  const lock = acquireLock(file, { trajectory: trajectory.name, breakLock })
  try {
    const { readerWaitMs } = experiment.request.storage
    const began = readCnt(path)
    // An experiment without commits needs no ending.
    if (began.lastSequence === 0 || completeReplacement(began, FILES)) return
    settleReplacements(file, { onNotice: () => undefined })
    await recoverBehindGate(readCnt(path), readerWaitMs, { onWaiting: lock.noteWaiting })
    const state = readCnt(path)
    if (keepCnt || experiment.request.keepCnt || !state.isComplete) return
    const journal = CntJournal.resume(FILES, state)
    journal.remove()
    journal.close()
  } finally {
    lock.release()
  }
}

/**
 * Removes the lock that a dead writer left on a file it had completed.
 *
 * @returns whether the file holds this many completed runs of the trajectory
 */
export async function settleCompleted(file: string, trajectory: string, runCount: number): Promise<boolean> {
  const lock = acquireLock(file, { trajectory, breakLock: false })
  try {
    using reader = await openHdf5Reader(file)
    return completedCountIn(reader, trajectory) === runCount
  } finally {
    lock.release()
  }
}

/** Removes what no living process owns next to a file without unfinished experiments. What cannot be removed stays. */
export function sweepFile(file: string): void {
  try {
    acquireLock(file, { trajectory: 'nothing', breakLock: false }).release()
  } catch (error) {
    if (!isPypetError(error)) throw error
  }
}
