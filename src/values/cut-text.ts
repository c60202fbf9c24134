/** At most so many characters of a text; where it was cut, it ends in `mark`. */
export function cutText(text: string, lengthMax: number, mark = '...'): string {
  return text.length > lengthMax ? text.slice(0, Math.max(0, lengthMax - mark.length)) + mark : text
}
