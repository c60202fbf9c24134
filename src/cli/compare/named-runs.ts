/** Which runs the words of a command name. */
import { existsSync } from 'node:fs'
import { PypetError } from '../../errors.ts'
import { isRunWord } from '../../results/find-run.ts'

export interface NamedRun {
  readonly file: string
  /** Undefined for the only one. */
  readonly trajectory: string | undefined
  /** For `findRun`. */
  readonly run: string
}

/**
 * `a.h5 3 7` names two runs of a file, `a.h5#3 b.h5:name#7` one run of each. A file with a colon or hash in its name is
 * named whole, with runs after it.
 *
 * @param trajectory of the files that are named without one
 * @throws PypetError `PYPET_USAGE` for fewer than two runs, and for runs without a file
 */
export function namedRuns(words: readonly string[], trajectory: string | undefined): readonly NamedRun[] {
  const runs: NamedRun[] = []
  let place: Omit<NamedRun, 'run'> | undefined
  const wanting = new Set<string>()
  for (const word of words) {
    if (isRunWord(word)) {
      if (place === undefined) throw usage(`no file is named for run ${word}`)
      runs.push({ ...place, run: word })
      wanting.clear()
      continue
    }
    const hash = existsSync(word) ? -1 : word.lastIndexOf('#')
    place = placeOf(hash < 0 ? word : word.slice(0, hash), trajectory)
    if (hash >= 0) runs.push({ ...place, run: word.slice(hash + 1) })
    else wanting.add(word)
  }
  const [without] = wanting
  if (without !== undefined) throw usage(`no run of ${without} is named`)
  if (runs.length < 2) throw usage(`expected two or more runs, found ${runs.length === 0 ? 'none' : 'one'}`)
  return runs
}

function placeOf(word: string, trajectory: string | undefined): Omit<NamedRun, 'run'> {
  const colon = existsSync(word) ? -1 : word.lastIndexOf(':')
  // `C:\a.h5` names a drive.
  return colon < 2
    ? { file: word, trajectory }
    : { file: word.slice(0, colon), trajectory: word.slice(colon + 1) }
}

function usage(message: string): PypetError {
  return new PypetError('PYPET_USAGE', message, {
    hint: 'Write a file and its runs, as a.h5 3 7, or runs with their files, as a.h5#3 b.h5#7.',
  })
}
