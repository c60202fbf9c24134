/**
 * Places named by a `.cnt` or HDF5 file that a command would load or write. The file may come from a stranger, so
 * places away from the experiment are used only if the user names them.
 */
import { readdirSync } from 'node:fs'
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path'
import { PypetError } from '../errors.ts'
import { realFileOf } from '../journal/real-file.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'

export interface RecordedPlace {
  /** What is at the place: `job`, `log folder`. */
  readonly noun: string
  /** The flag that names it. */
  readonly flag: string
  /** Absolute. */
  readonly path: string
  /** The real path, if it differs. */
  readonly leadsTo?: string
}

/**
 * Whether a path leads into the folder of the file, the folder above (the HDF5 file is in `hdf5/`, next to the job), or
 * the working directory. Follows symbolic links on both sides.
 */
export function isAtHome(path: string, file: string, workingDirectory: string = process.cwd()): boolean {
  const folder = realFileOf(dirname(resolve(file)))
  const homes = [folder, dirname(folder), realFileOf(workingDirectory)]
  const real = realFileOf(path)
  return homes.some((home) => liesIn(real, home))
}

/** Everything is below the root, so for the root only its direct children count. */
function liesIn(path: string, folder: string): boolean {
  if (folder === parse(folder).root) return dirname(path) === folder
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/**
 * A link in a folder that leads elsewhere: writing below the folder would write there. The folder itself if there is
 * none.
 */
export function leadsAway(folder: string, cntFile: string): string {
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    if (!isAtHome(path, cntFile)) return realFileOf(path)
  }
  return folder
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // It does not exist, so it leads nowhere.
  }
}

/**
 * @param file the file that names them, as typed
 * @param words the other words of the command
 * @param command the command to show
 * @throws PypetError `PYPET_USAGE` with the command that names them all, if any is elsewhere
 */
export function refuseElsewhere(
  file: string,
  places: readonly RecordedPlace[],
  words: readonly string[],
  command: 'continue' | 'expand' | 'verify' = 'continue',
): void {
  const [first, ...others] = places.filter(({ path, leadsTo = path }) => !isAtHome(leadsTo, file))
  if (first === undefined) return
  const all = [first, ...others]
  const named = all.map(({ noun, path }) => `${noun} ${path}`).join(' and ')
  const flags = all.flatMap(({ flag, path }) => [flag, shellWord(path)])
  const typed = ['pypet-ts', command, shellWord(shownPath(file)), ...flags, ...words].join(' ')
  throw new PypetError(
    'PYPET_USAGE',
    `${file} names the ${named}, which is not in its folder, the folder above or the working directory`,
    { where: first.path, hint: `If you trust it, name it: ${typed}` },
  )
}
