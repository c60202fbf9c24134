/** What to type instead of a second `run` with the same name. */
import { isPypetError, reworded } from '../../errors.ts'
import { unfinishedHint } from '../../journal/unfinished.ts'
import { shellWord } from '../../shell-word.ts'

/**
 * The error with three commands to copy, if it says that the file holds a trajectory with this name; otherwise
 * unchanged.
 *
 * @param words the command as typed, without `pypet-ts`
 */
export function withWaysOut(error: unknown, words: readonly string[]): unknown {
  if (!isPypetError(error, 'PYPET_TRAJECTORY_EXISTS')) return error
  const { trajectory, cntFile } = error.details
  // If it is unfinished, continuing comes first.
  const goOn = cntFile === undefined ? '' : `${unfinishedHint(cntFile)} `
  const commands = [
    commandWith(words, '--add-time'),
    commandWith(withoutName(words), '--name', nextName(trajectory)),
    commandWith(words, '--overwrite'),
  ]
  const hint = `${goOn}Run it under another name, or replace the file and everything in it:\n${commands.join('\n')}`
  return reworded(error, { hint, cause: error })
}

/** Flags must come before the arguments of the job. */
function commandWith(words: readonly string[], ...flags: readonly string[]): string {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return ['pypet-ts', ...words.slice(0, end), ...flags, ...words.slice(end)].map(typed).join(' ')
}

/** `shellWord` takes a word for a path, and prepends `./` to a dash. */
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
