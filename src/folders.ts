/** Making folders. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it that are missing. Not `recursive`: below a folder that takes no folders, such as
 * /proc, Node would try for ever.
 *
 * @returns the folders that were made, the uppermost first
 * @throws the error of the operating system; what was made until then stays, and is named in `made`
 */
export function makeFolders(folder: string, made: string[] = []): string[] {
  if (isFolder(folder)) return made
  if (dirname(folder) !== folder) makeFolders(dirname(folder), made)
  try {
    mkdirSync(folder)
  } catch (cause) {
    // Another process was faster.
    if (isFolder(folder)) return made
    throw cause
  }
  made.push(folder)
  return made
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
