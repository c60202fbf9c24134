/** Finds unfinished experiments, which prevent other changes of their trajectories. */
import { PypetError } from '../errors.ts'
import { formatRuns } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'
import { type CntState, readCnt } from './cnt-state.ts'
import { type DiskSystem, FILES } from './disk.ts'
import { findCntFiles } from './find-cnt.ts'

/**
 * Refuses to change a trajectory while an experiment of it is unfinished, or has failed runs to retry: only that
 * experiment may continue it. Call this under the lock of the file, just before the change. Before that, the answer may
 * be outdated.
 *
 * @param trajectory default: any trajectory of the file
 * @throws PypetError `PYPET_CNT_EXISTS` with the command that continues
 */
export function assertFinished(
  file: string,
  trajectory: string | undefined,
  system: DiskSystem = FILES,
): void {
  for (const path of findCntFiles(file, system)) {
    const state = readCnt(path, system)
    const { name } = state.experiment.request.trajectory
    if (trajectory !== undefined && name !== trajectory) continue
    if (isContinuable(state)) throw unfinished(file, state)
  }
}

/** Removes obsolete `.cnt` files of a trajectory: its next change has its own. */
export function dropFinished(file: string, trajectory: string, system: DiskSystem = FILES): void {
  for (const path of findCntFiles(file, system)) {
    const state = readCnt(path, system)
    const isOurs = state.experiment.request.trajectory.name === trajectory
    if (isOurs && state.isApplied && state.isComplete) system.remove(path)
  }
}

/** Removes the `.cnt` file of an expansion that ended before its first commit: the file is unchanged. */
export function dropBegunExpansion(file: string, trajectory: string, system: DiskSystem = FILES): void {
  for (const path of findCntFiles(file, system)) {
    const state = readCnt(path, system)
    if (state.experiment.request.trajectory.name === trajectory && isBegunExpansion(state))
      system.remove(path)
  }
}

/** Whether only `continue` can complete this experiment. */
function isContinuable(state: CntState): boolean {
  const { isEdit, continuable } = state.experiment.request
  return isEdit !== true && continuable !== false && !state.isComplete && !isBegunExpansion(state)
}

function isBegunExpansion({ experiment, lastSequence }: CntState): boolean {
  return experiment.request.isExpansion === true && lastSequence === 0
}

/** What to do about an unfinished trajectory that is in the way. */
export function unfinishedHint(cntFile: string): string {
  return `It is unfinished: resume it with \`pypet-ts continue ${shellWord(cntFile)}\`.`
}

function unfinished(file: string, { path, experiment, failed, hasEnded, isApplied }: CntState): PypetError {
  const { name } = experiment.request.trajectory
  const command = `pypet-ts continue ${shellWord(shownPath(path))}`
  // Otherwise the file still has pages of an older state.
  const other = isApplied ? ' Or remove that .cnt file, if you do not want to resume.' : ''
  if (hasEnded) {
    return new PypetError(
      'PYPET_CNT_EXISTS',
      `${name} in ${file} has failed runs that you can retry: ${formatRuns(failed.size)}`,
      {
        where: file,
        hint: `Retry them first: ${command} --retry-failed.${other}`,
        details: { cntFile: path },
      },
    )
  }
  return new PypetError('PYPET_CNT_EXISTS', `${name} in ${file} is an unfinished experiment`, {
    where: file,
    hint: `Finish it first: ${command}.${other}`,
    details: { cntFile: path },
  })
}
