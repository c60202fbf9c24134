import type { FlagValues } from '../experiment/layers.ts'
import { OPTIONS, type OptionName } from '../experiment/options.ts'
import { shellWord } from '../shell-word.ts'

/** Options as they stand in a command that is to be copied. */
export function optionWords(flags: FlagValues): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const { flag } = OPTIONS[name as OptionName] ?? {}
    if (flag === undefined || value === undefined) return []
    if (typeof value === 'boolean') return [value ? flag : flag.replace('--', '--no-')]
    return [flag, shellWord(String(value))]
  })
}
