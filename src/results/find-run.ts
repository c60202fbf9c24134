/** Which run is meant by a word that a user has typed. */
import { PypetError } from '../errors.ts'
import { runOfName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'

/** Whether a word can be meant as a run. */
export function isRunWord(word: string): boolean {
  return /^-?\d+$/.test(word) || runOfName(word) !== undefined
}

/**
 * The run with this number or name: `417`, `run_00000417`. Negative numbers count from the end: `-1` is the last run.
 *
 * @throws PypetError `PYPET_USAGE` for another word; `PYPET_RUN_UNKNOWN` for a run that the trajectory does not have
 */
export function findRun(
  word: string,
  {
    file,
    trajectory,
    runCount,
  }: { readonly file: string; readonly trajectory: string; readonly runCount: number },
): RunIndex {
  if (!isRunWord(word)) {
    throw new PypetError('PYPET_USAGE', `expected the number of a run, found ${JSON.stringify(word)}`, {
      where: word,
      hint: 'Write a number, such as 3, a name, such as run_00000003, or -1 for the last run.',
    })
  }
  const number = runOfName(word) ?? Number(word)
  const run = word.startsWith('-') ? runCount + number : number
  if (Number.isSafeInteger(run) && run >= 0 && run < runCount) return run
  const found =
    runCount === 0
      ? 'It has no runs.'
      : runCount === 1
        ? 'It has only run 0.'
        : `Its runs are 0 to ${runCount - 1}.`
  throw new PypetError('PYPET_RUN_UNKNOWN', `${trajectory} in ${file} has no run ${word}`, {
    where: word,
    hint: found,
  })
}
