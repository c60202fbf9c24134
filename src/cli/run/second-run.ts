/** The second `run` of the same name: what to type instead. */
import { isPypetError, reworded } from '../../errors.ts'
import { unfinishedHint } from '../../journal/unfinished.ts'
import { shellWord } from '../../shell-word.ts'

/**
 * The error with three commands to copy, where it says that the file holds a trajectory of this name; else as it is.
 *
 * @param words the command as it was typed, without `pypet-ts`
 */
export function withWaysOut(error: unknown, words: readonly string[]): unknown {
  if (!isPypetError(error, 'PYPET_TRAJECTORY_EXISTS')) return error
  const { trajectory, cntFile } = error.details
  // It is unfinished: that comes first.
  const goOn = cntFile === undefined ? '' : `${unfinishedHint(cntFile)} `
  const commands = [
    commandWith(words, '--add-time'),
    commandWith(withoutName(words), '--name', nextName(trajectory)),
    commandWith(words, '--overwrite'),
  ]
  const hint = `${goOn}Run it under another name, or replace the file and all that it holds:\n${commands.join('\n')}`
  return reworded(error, { hint, cause: error })
}

/** Flags belong in front of the arguments of the job. */
function commandWith(words: readonly string[], ...flags: readonly string[]): string {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return ['pypet-ts', ...words.slice(0, end), ...flags, ...words.slice(end)].map(typed).join(' ')
}

/** `shellWord` takes a word for a path, and puts `./` in front of a dash. */
function typed(word: string): string {
  return word.startsWith('-') ? shellWord(`=${word}`).replace('=', '') : shellWord(word)
}

function withoutName(words: readonly string[]): readonly string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return words.filter((word, index) => {
    if (index >= end) return true
    return word !== '--name' && !word.startsWith('--name=') && words[index - 1] !== '--name'
  })
}

/** `multiply` → `multiply_2` → `multiply_3`. */
function nextName(name: string): string {
  const count = /_(\d{1,6})$/.exec(name)
  return count === null ? `${name}_2` : `${name.slice(0, count.index)}_${Number(count[1]) + 1}`
}
