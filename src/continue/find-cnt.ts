/** Which `.cnt` file belongs to an HDF5 file. */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import { readExperiment } from './cnt-state.ts'
import { type DiskSystem, FILES } from './disk.ts'
import { realFileOf, realFolderOf } from './real-file.ts'

/**
 * The `.cnt` files beside an HDF5 file that belong to it: of unfinished trajectories, or kept on request. In
 * alphabetical order.
 *
 * @param onUnreadable gets the error of a file that may belong to it and does not say; otherwise it is thrown
 * @throws PypetError `PYPET_CNT_NEWER`, `PYPET_CNT_DAMAGED`
 */
export function findCntFiles(
  file: string,
  system: DiskSystem = FILES,
  onUnreadable: (error: unknown) => void = throwIt,
): string[] {
  const wanted = realFileOf(file)
  const folder = realFolderOf(file)
  return namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.cnt'))
    .sort()
    .filter((path) => {
      try {
        return realFileOf(readExperiment(path, system).request.file) === wanted
      } catch (error) {
        // Other programs have files of this ending, too.
        if (isPypetError(error, 'PYPET_CNT_NOT_CNT') || isPypetError(error, 'PYPET_CNT_NOT_FOUND'))
          return false
        onUnreadable(error)
        return false
      }
    })
}

/**
 * The `.cnt` file that is meant by its own path or by that of its HDF5 file.
 *
 * @throws PypetError `PYPET_CNT_NOT_FOUND`, `PYPET_CNT_SEVERAL`, and as `findCntFiles`
 */
export function findCnt(path: string, system: DiskSystem = FILES): string {
  const absolute = resolve(path)
  if (absolute.endsWith('.cnt')) {
    if (existsSync(absolute)) return absolute
    throw notFound(
      path,
      'there is no such file',
      'It is removed when every run is stored; see `pypet-ts overview`.',
    )
  }
  const found = findCntFiles(absolute, system)
  const [first] = found
  if (first === undefined) {
    throw notFound(
      path,
      'no .cnt file beside it belongs to it',
      'It is removed when every run is stored; see `pypet-ts overview`.',
    )
  }
  if (found.length === 1) return first
  throw new PypetError('PYPET_CNT_SEVERAL', `${path} has ${found.length} unfinished trajectories`, {
    where: path,
    hint: `Name one of them: ${found.join(', ')}.`,
  })
}

function throwIt(error: unknown): never {
  throw error
}

function notFound(path: string, found: string, hint: string): PypetError {
  return new PypetError('PYPET_CNT_NOT_FOUND', `cannot continue ${path}: ${found}`, { where: path, hint })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    // A folder that is not there holds nothing. What cannot be known must not pass for that.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
