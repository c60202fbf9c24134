import { PypetError } from '../errors.ts'

/**
 * What commander refuses, in our voice: `error:` without its prefix, and always a hint.
 *
 * @param command the subcommand that was called, if commander got as far as that, and its arguments
 */
export function usageError(
  error: Refusal,
  command: { readonly name: string; readonly operands: readonly string[] } | undefined,
): PypetError {
  const [text = '', suggestion] = error.message.replace(/^error: /, '').split(/\n\(|\)$/)
  const help = `See: pypet-ts ${command === undefined ? '' : `${command.name} `}--help`
  const { message, hint } = described(error.code, text, command?.operands ?? [])
  return new PypetError('PYPET_USAGE', message, { hint: suggestion ?? hint ?? help, cause: error })
}

/** What is used of a `CommanderError`; `main` alone knows commander. */
interface Refusal {
  readonly code: string
  readonly message: string
}

function described(
  code: string,
  text: string,
  operands: readonly string[],
): { readonly message: string; readonly hint?: string } {
  switch (code) {
    case 'commander.optionMissingArgument': {
      const option = /'(.*)'/.exec(text)?.[1] ?? text
      return { message: `${option.split(' ')[0]}: expected a value, found nothing`, hint: `Write ${option}.` }
    }
    case 'commander.conflictingOption':
      return { message: text, hint: 'Take one of the two away.' }
    case 'commander.excessArguments': {
      const [, ...extra] = operands
      return {
        message: `expected one file, found ${operands.length} arguments: ${operands.join(' ')}`,
        // The shell has cut `--explore x=1, 2` in two.
        hint: `Take ${extra.join(' ')} away, or put a value that holds spaces in quotes.`,
      }
    }
    default:
      return { message: text }
  }
}
