import { isPypetError, tellSystemError, toErrorRecord } from '../errors.ts'
import { coloursOf, type OutputStream } from '../reporting/text-output.ts'
import { printableLine } from '../values/printable.ts'
import { exitCodeOf } from './exit-code.ts'
import { jsonDocument } from './json-document.ts'

export interface ReportErrorOptions {
  /** Include the stack, and the stacks of its causes. */
  readonly verbose?: boolean
  /** As one JSON object on one line, next to the lines of `eventLines`. */
  readonly json?: boolean
  /** Where the text will be written: decides on colours. Default: none. */
  readonly stream?: OutputStream
}

/**
 * The text for an error that ends the command, with a newline at its end:
 *
 *     error: ncores in pypet.config.json: expected a whole number >= 0, found "four"
 *       hint: Write ncores: 4.
 *
 * A line `where:` follows if the message does not name the place. Refusals of the operating system are reported as
 * such. Any other error without a code of pypet-ts is a bug in pypet-ts: the text says so and asks for a report.
 *
 * As JSON: `event` (`error`), `code` (null for a bug in pypet-ts), `message`, `where` and `hint` (null if there is
 * none), `exit_code`, and `stack` with `verbose`.
 */
export function reportError(error: unknown, options: ReportErrorOptions = {}): string {
  const { verbose = false, json = false, stream } = options
  const report = describeError(tellSystemError(error), verbose)
  if (json) {
    const { code, message, where, hint, stack } = report
    const fields = { event: 'error', code, message, where, hint, exit_code: exitCodeOf(error) }
    return jsonDocument(verbose ? { ...fields, stack } : fields)
  }
  const colours = coloursOf(stream ?? {}, stream ? process.env : {})
  const lines = [`${colours.red('error:')} ${harmless(report.message)}`]
  if (report.where !== null && !report.message.includes(report.where)) {
    lines.push(`  ${colours.dim('where:')} ${harmless(report.where)}`)
  }
  if (report.hint !== null)
    lines.push(`  ${colours.dim('hint:')} ${harmless(report.hint).replaceAll('\n', '\n        ')}`)
  if (verbose && report.stack !== '') lines.push(colours.dim(harmless(report.stack)))
  return `${lines.join('\n')}\n`
}

/** It may name what a file holds. */
function harmless(text: string): string {
  return text.split('\n').map(printableLine).join('\n')
}

interface ErrorReport {
  readonly code: string | null
  readonly message: string
  readonly where: string | null
  readonly hint: string | null
  readonly stack: string
}

function describeError(error: unknown, verbose: boolean): ErrorReport {
  const { name, message, stack, hint = null, where = null } = toErrorRecord(error)
  if (isPypetError(error)) return { code: error.code, message, where, hint, stack }
  const found = name === 'NonError' ? message : `${name}: ${message}`
  return {
    code: null,
    message: `internal error in pypet-ts: ${found}`,
    where: null,
    hint: verbose
      ? 'This is a bug in pypet-ts. Please report it, with the stack below and the command.'
      : 'This is a bug in pypet-ts. Please report it, with the output of the same command with --verbose.',
    stack,
  }
}
