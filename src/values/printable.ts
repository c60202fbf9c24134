/** One line without control characters: a file must not move the cursor or colour the terminal. */
export function printable(text: string): string {
  return text.replace(/\s+/gu, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')
}

/** The same for a line in which spaces are kept. */
export function printableLine(line: string): string {
  return line.replace(/\t/g, '    ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
