/** JSON as people write it, with the line and column of what is wrong. */

/**
 * Parses JSON.
 *
 * @throws SyntaxError whose message starts with the place, `2:1: Expected ',' or '}' …`, and shows the line
 */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SyntaxError(describeFault(text, (cause as Error).message), { cause })
  }
}

/** V8 tells the position from 0, or not at all where the text ends too early; newer ones tell a line too. */
function describeFault(text: string, message: string): string {
  const found = /^(.*?) (?:in JSON )?at position (\d+)/s.exec(message)
  const what = found?.[1] ?? message.replace(/, ?".*" is not valid JSON$/s, '')
  const position = found === null ? text.trimEnd().length : Number(found[2])
  const before = text.slice(0, position).split('\n')
  const line = text.split('\n')[before.length - 1] ?? ''
  const column = (before.at(-1) ?? '').length + 1
  const gutter = `  ${before.length} | `
  return `${before.length}:${column}: ${what}\n${gutter}${line}\n${' '.repeat(gutter.length + column - 1)}^`
}
