/** A file name as a word of a shell command, quoted if necessary. */
export function shellWord(name: string, platform: NodeJS.Platform = process.platform): string {
  // A leading dash would be read as a flag.
  const word = name.startsWith('-') ? `./${name}` : name
  if (platform === 'win32') return /^[\w./\\:~+@,=-]+$/.test(word) ? word : `"${word}"`
  return shellArgument(word)
}

/** A word of a shell command that is not a file name, so a leading dash stays. */
export function shellArgument(word: string): string {
  return /^[\w./:+@,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
