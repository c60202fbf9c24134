/** Cuts a text to `lengthMax` characters. A text that was cut ends in `mark`. */
export function cutText(text: string, lengthMax: number, mark = '...'): string {
  return text.length > lengthMax ? text.slice(0, Math.max(0, lengthMax - mark.length)) + mark : text
}
