/** Finds the real file behind a path. Locks, `.cnt` files and temporary files are next to it, whatever name is used. */
import { lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { cannotWrite } from '../errors.ts'
import { shellWord } from '../shell-word.ts'

/** The limit of Linux. */
const LINKS_MAX = 40

/** The absolute path behind all symbolic links. The file or its folder need not exist. */
export function realFileOf(path: string): string {
  let wanted = resolve(path)
  for (let count = 0; count < LINKS_MAX; count += 1) {
    try {
      return realpathSync(wanted)
    } catch {
      const target = linkAt(wanted)
      if (target === undefined) return besideReal(wanted)
      wanted = resolve(dirname(wanted), target)
    }
  }
  // A loop of links: opening it gives the system's error.
  return resolve(path)
}

/** The folder of the real file, spelled as typed if that is the same folder. */
export function realFolderOf(path: string): string {
  const real = dirname(realFileOf(path))
  const typed = dirname(path)
  return realFileOf(typed) === real ? typed : real
}

function besideReal(path: string): string {
  const folder = dirname(path)
  return folder === path ? path : join(realFileOf(folder), basename(path))
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch {
    return undefined
  }
}

/**
 * Refuses anything other than a regular file with one name: it could be written under its other name at the same time.
 *
 * @param path as typed
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
 */
export function refuseOtherNames(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  const refuse = (what: string, hint: string) => cannotWrite(path, `it ${what}`, { hint })
  if (!found.isFile()) throw refuse('is not a file', 'Choose another file with --file.')
  if (found.nlink > 1) {
    throw refuse(
      `has ${found.nlink} names (hard links), so another program could write it under another name`,
      `Replace it with a copy: cp ${shellWord(path)} ${shellWord(`${path}.copy`)} && mv ${shellWord(`${path}.copy`)} ${shellWord(path)}`,
    )
  }
  // A mounted file has one name but two paths. Its other folder has separate locks and `.cnt` files.
  if (mountPoints().has(realpathSync(path))) {
    throw refuse(
      'is a mount point, so another program could write it under its other path',
      'Mount its folder instead of the file.',
    )
  }
}

/** Empty if the system does not tell. */
function mountPoints(): ReadonlySet<string> {
  try {
    return mountPointsOf(readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch {
    return new Set()
  }
}

/** The mount points in the text of `/proc/<pid>/mountinfo`. */
export function mountPointsOf(mountInfo: string): ReadonlySet<string> {
  const escaped = mountInfo.split('\n').flatMap((line) => line.split(' ')[MOUNT_POINT] ?? [])
  return new Set(escaped.map(unescaped))
}

const MOUNT_POINT = 4

/** Spaces, tabs, line ends and backslashes are written as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
