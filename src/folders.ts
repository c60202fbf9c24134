/** Making folders. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a folder and its missing parents. Does not use `recursive`: below a folder such as /proc, which takes no
 * folders, Node would loop forever.
 *
 * @returns the created folders, topmost first
 * @throws the error of the operating system. Folders created before stay, and are listed in `made`.
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
