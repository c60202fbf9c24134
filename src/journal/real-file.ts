/** Which file a path really means. Locks, `.cnt` files and temporary files lie beside that one, whatever it is called by. */
import { lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { cannotWrite } from '../errors.ts'
import { shellWord } from '../shell-word.ts'

/** As many as Linux follows. */
const LINKS_MAX = 40

/** The absolute path behind all symbolic links, also where the file, or its folder, is not there yet. */
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
  // A ring of links: whoever opens it is told so by the system.
  return resolve(path)
}

/** The folder of the real file, spelled as it was typed where that is the same folder. */
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
 * Refuses what is no plain file of one name: another name of it could be written at the same time.
 *
 * @param path as it was typed
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
 */
export function refuseOtherNames(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  const refuse = (what: string, hint: string) => cannotWrite(path, `it ${what}`, { hint })
  if (!found.isFile()) throw refuse('is not a file', 'Choose another file with --file.')
  if (found.nlink > 1) {
    throw refuse(
      `has ${found.nlink} names (hard links), and could be written under another one at the same time`,
      `Make it a file of its own: cp ${shellWord(path)} ${shellWord(`${path}.copy`)} && mv ${shellWord(`${path}.copy`)} ${shellWord(path)}`,
    )
  }
  // Such a file has one name, and yet another path: its folder there has locks and `.cnt` files of its own.
  if (mountPoints().has(realpathSync(path))) {
    throw refuse(
      'is a mount point, and could be written under its other path at the same time',
      'Mount its folder instead of the file.',
    )
  }
}

/** Empty where the system does not say. */
function mountPoints(): ReadonlySet<string> {
  try {
    return mountPointsOf(readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch {
    return new Set()
  }
}

/** The paths that something is mounted at, by the text of `/proc/<pid>/mountinfo`. */
export function mountPointsOf(mountInfo: string): ReadonlySet<string> {
  const escaped = mountInfo.split('\n').flatMap((line) => line.split(' ')[MOUNT_POINT] ?? [])
  return new Set(escaped.map(unescaped))
}

const MOUNT_POINT = 4

/** A space, a tab, a line end and a backslash are written as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
