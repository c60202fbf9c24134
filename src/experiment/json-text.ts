/** Parses JSON that people wrote, and reports the line and column of errors. */
import { describeOverflow, overflowingNumber } from '../exploration/overflowing-number.ts'

/**
 * Parses JSON.
 *
 * @throws SyntaxError whose message starts with the place, `2:1: Expected ',' or '}' …`, and shows the line
 */
export function parseJsonText(text: string): unknown {
  return assertFits(text, parse(text), 'JSON has no infinity')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SyntaxError(describeFault(text, (cause as Error).message), { cause })
  }
}

/**
 * The parsed value, unless a number in the text is too large.
 *
 * @param infinity how the format writes it
 * @throws SyntaxError with the place
 */
export function assertFits(text: string, read: unknown, infinity: string): unknown {
  const found = overflowingNumber(text, read)
  if (found === undefined) return read
  throw new SyntaxError(faultAt(text, found.position, `${describeOverflow(found.text)}; ${infinity}`))
}

/** V8 gives the position from 0, or none if the text ends too early. Newer versions also give a line. */
function describeFault(text: string, message: string): string {
  const found = /^(.*?) (?:in JSON )?at position (\d+)/s.exec(message)
  const what = found?.[1] ?? message.replace(/, ?".*" is not valid JSON$/s, '')
  const position = found === null ? text.trimEnd().length : Number(found[2])
  return faultAt(text, position, what)
}

/** The place, the error, and the line. */
function faultAt(text: string, position: number, what: string): string {
  const before = text.slice(0, position).split('\n')
  const line = text.split('\n')[before.length - 1] ?? ''
  const column = (before.at(-1) ?? '').length + 1
  const gutter = `  ${before.length} | `
  return `${before.length}:${column}: ${what}\n${gutter}${line}\n${' '.repeat(gutter.length + column - 1)}^`
}
