/** Which experiments keep everybody else from changing their trajectories. */
import { PypetError } from '../errors.ts'
import { formatRuns } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'
import { type CntState, readCnt } from './cnt-state.ts'
import { type DiskSystem, FILES } from './disk.ts'
import { findCntFiles } from './find-cnt.ts'

/**
 * Refuses to let a trajectory be changed while an experiment of it is unfinished, or has failed runs that can be performed
 * again: it alone knows what the trajectory is to become. Asked under the lock of the file, by whatever is about to change
 * it; before that the answer may be an old one.
 *
 * @param trajectory any of the file unless given
 * @throws PypetError `PYPET_CNT_EXISTS` with the command that goes on
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

/** Removes the `.cnt` files of a trajectory that tell nothing any more: what becomes of it now has one of its own. */
export function dropFinished(file: string, trajectory: string, system: DiskSystem = FILES): void {
  for (const path of findCntFiles(file, system)) {
    const state = readCnt(path, system)
    const isOurs = state.experiment.request.trajectory.name === trajectory
    if (isOurs && state.isApplied && state.isComplete) system.remove(path)
  }
}

/** Removes the `.cnt` file of an expansion that ended before anything of it was committed: the file is as it was before. */
export function dropBegunExpansion(file: string, trajectory: string, system: DiskSystem = FILES): void {
  for (const path of findCntFiles(file, system)) {
    const state = readCnt(path, system)
    if (state.experiment.request.trajectory.name === trajectory && isBegunExpansion(state))
      system.remove(path)
  }
}

/** Whether `continue` has something to do that nothing else can do in its place. */
function isContinuable(state: CntState): boolean {
  const { isEdit, continuable } = state.experiment.request
  return isEdit !== true && continuable !== false && !state.isComplete && !isBegunExpansion(state)
}

function isBegunExpansion({ experiment, lastSequence }: CntState): boolean {
  return experiment.request.isExpansion === true && lastSequence === 0
}

/** What to do about a trajectory that is in the way and unfinished. */
export function unfinishedHint(cntFile: string): string {
  return `It is unfinished: go on with \`pypet-ts continue ${shellWord(cntFile)}\`.`
}

function unfinished(file: string, { path, experiment, failed, hasEnded, isApplied }: CntState): PypetError {
  const { name } = experiment.request.trajectory
  const command = `pypet-ts continue ${shellWord(shownPath(path))}`
  // The pages of an older state are in the file until then.
  const other = isApplied ? ' Or remove that file, if nothing is to be continued.' : ''
  if (hasEnded) {
    return new PypetError(
      'PYPET_CNT_EXISTS',
      `${name} in ${file} has failed runs, which can be performed again: ${formatRuns(failed.size)}`,
      {
        where: file,
        hint: `Perform them first: ${command} --retry-failed.${other}`,
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
