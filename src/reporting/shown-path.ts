import { isAbsolute, relative } from 'node:path'

/** A path as it is shortest to read and to type: relative when it lies in the working directory. */
export function shownPath(path: string, directory: string = process.cwd()): string {
  if (!isAbsolute(path)) return path
  const short = relative(directory, path)
  const isInside = short !== '' && !short.startsWith('..') && !isAbsolute(short)
  return isInside ? short : path
}
