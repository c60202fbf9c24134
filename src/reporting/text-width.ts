/** How wide texts are on a terminal. Chinese characters, for example, are two columns wide. */
import stringWidth from 'string-width'

/** Most texts are ASCII, where each character takes one column. */
export function textWidth(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text)
}

const ASCII = /^[ -~]*$/

/** A text with exactly this width: padded, or cut with an ellipsis. */
export function fitted(text: string, width: number): string {
  const room = width - textWidth(text)
  if (room >= 0) return text + ' '.repeat(room)
  let kept = ''
  for (const character of charactersOf(text)) {
    if (textWidth(kept + character) >= width) break
    kept += character
  }
  return fitted(`${kept}…`, width)
}

/** A text of at most this width. */
export function cutTo(text: string, width: number): string {
  return textWidth(text) > width ? fitted(text, width) : text
}

/** Lines of at most this width, broken between words. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && textWidth(last) + 1 + textWidth(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(cutTo(word, width))
  }
  return lines
}

/** Characters as readers see them: a letter with its accents, an emoji of several parts. */
export function charactersOf(text: string): string[] {
  return Array.from(CHARACTERS.segment(text), ({ segment }) => segment)
}

const CHARACTERS = new Intl.Segmenter()
