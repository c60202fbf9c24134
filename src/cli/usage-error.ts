import { PypetError } from '../errors.ts'

/**
 * Rewrites errors of commander in the style of pypet-ts: without its `error:` prefix, and always with a hint.
 *
 * @param command the subcommand that was called, if commander got that far, and its arguments
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

/** The part of a `CommanderError` used here; only `main` imports commander. */
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
      return { message: text, hint: 'Leave out one of them.' }
    case 'commander.excessArguments': {
      const [, ...extra] = operands
      const points = extra.find((operand) => /^[A-Za-z_][\w.]*=/.test(operand))
      return {
        message: `expected one file, found ${operands.length} arguments: ${operands.join(' ')}`,
        // The shell has split `--explore x=1, 2` in two, or the option is missing: `--explore x=1,2 y=3,4`.
        hint:
          points === undefined
            ? `Remove ${extra.join(' ')}, or quote a value that contains spaces.`
            : `Remove ${extra.join(' ')}, or write its option again, as in --explore ${points}`,
      }
    }
    default:
      return { message: text }
  }
}
