import { PypetError } from '../errors.ts'

/**
 * The parts of a list like `x, mean(z, 2), "a,b"`, or of several such lists. Commas in brackets and quotes separate nothing.
 *
 * @throws PypetError `PYPET_USAGE` for an empty part
 */
export function splitList(given: string | readonly string[], where: string): string[] {
  return (typeof given === 'string' ? [given] : given).flatMap((text) => splitText(text, where))
}

function splitText(text: string, where: string): string[] {
  const parts: string[] = []
  let [depth, quote, start] = [0, '', 0]
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if ('"\'`'.includes(character)) quote = character
    else if ('([{'.includes(character)) depth += 1
    else if (')]}'.includes(character)) depth -= 1
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  const trimmed = parts.map((part) => part.trim())
  if (!trimmed.includes('')) return trimmed
  throw new PypetError('PYPET_USAGE', `${where}: ${JSON.stringify(text)} has an empty part`, {
    where,
    hint: 'Separate names with single commas, as in x,z.',
  })
}
