/**
 * What a `.cnt` file, or an HDF5 file, names and a command would load or write. The file may be a stranger's, so what lies
 * elsewhere than the experiment is used only when the user names it.
 */
import { readdirSync } from 'node:fs'
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path'
import { PypetError } from '../errors.ts'
import { realFileOf } from '../journal/real-file.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'

export interface RecordedPlace {
  /** What lies there: `job`, `log folder`. */
  readonly noun: string
  /** The flag that names it. */
  readonly flag: string
  /** Absolute. */
  readonly path: string
  /** Where it really leads to, if that is not the path itself. */
  readonly leadsTo?: string
}

/**
 * Whether a path leads into the folder of the file, the one above (the HDF5 file lies in `hdf5/`, beside the
 * job), or the working directory. Symbolic links are followed on both sides.
 */
export function isAtHome(path: string, file: string, workingDirectory: string = process.cwd()): boolean {
  const folder = realFileOf(dirname(resolve(file)))
  const homes = [folder, dirname(folder), realFileOf(workingDirectory)]
  const real = realFileOf(path)
  return homes.some((home) => liesIn(real, home))
}

/** Everything lies below the root, so there only what lies directly in it counts. */
function liesIn(path: string, folder: string): boolean {
  if (folder === parse(folder).root) return dirname(path) === folder
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** A link in a folder that leads away from home: who writes below the folder would write there. The folder itself if none does. */
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
    return [] // What is not there leads nowhere.
  }
}

/**
 * @param file the one that names them, as it was typed
 * @param words what the command was called with besides
 * @param command which is told to type
 * @throws PypetError `PYPET_USAGE` with the command that names them all, where any lies elsewhere
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
    `${file} names the ${named}, which is outside of its folder, of the one above and of the working directory`,
    { where: first.path, hint: `If you know what it is, name it: ${typed}` },
  )
}
