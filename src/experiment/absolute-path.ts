import { resolve, sep } from 'node:path'

/** A path from its base folder. A trailing separator, which says that a folder is meant, is kept. */
export function absolutePath(path: string, folder: string): string {
  const absolute = resolve(folder, path)
  return /[/\\]$/.test(path) && !absolute.endsWith(sep) ? absolute + sep : absolute
}
