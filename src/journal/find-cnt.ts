/** Finds the `.cnt` file that belongs to an HDF5 file. */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import type { ExperimentRecord } from './cnt-record.ts'
import { hasCommit, readExperiment } from './cnt-state.ts'
import { type DiskSystem, FILES } from './disk.ts'
import { realFileOf, realFolderOf } from './real-file.ts'
import { type Whereabouts, whereaboutsOf } from './replacement.ts'

/** A `.cnt` file next to an HDF5 file, of an experiment in it. */
export interface CntBeside {
  readonly path: string
  readonly experiment: ExperimentRecord
  /** Where the file of its experiment is. Only one in its `place` is this HDF5 file. */
  readonly whereabouts: Whereabouts
  /** The file of its experiment was replaced, so this `.cnt` file is obsolete. */
  readonly isSuperseded: boolean
}

/**
 * The `.cnt` files that belong to an HDF5 file and are next to it: of unfinished trajectories, or kept on request. In
 * alphabetical order.
 *
 * @param onUnreadable gets the error of an unreadable file that may belong to it. Without it, the error is thrown.
 * @throws PypetError `PYPET_CNT_NEWER`, `PYPET_CNT_DAMAGED`
 */
export function findCntFiles(
  file: string,
  system: DiskSystem = FILES,
  onUnreadable: (error: unknown) => void = throwIt,
): string[] {
  return cntFilesBeside(file, system, onUnreadable)
    .filter(({ whereabouts, isSuperseded }) => whereabouts.at === 'place' && !isSuperseded)
    .map(({ path }) => path)
}

/** Also includes those of a file that is just being replaced; see `replacement`. As `findCntFiles`. */
export function cntFilesBeside(
  file: string,
  system: DiskSystem = FILES,
  onUnreadable: (error: unknown) => void = throwIt,
): CntBeside[] {
  const wanted = realFileOf(file)
  const folder = realFolderOf(file)
  const found = namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.cnt'))
    .sort()
    .flatMap((path) => {
      try {
        const experiment = readExperiment(path, system)
        if (realFileOf(experiment.request.file) !== wanted) return []
        return [
          { path, experiment, whereabouts: whereaboutsOf(experiment, () => hasCommit(path, system), system) },
        ]
      } catch (error) {
        // Other programs use this extension too.
        const isOther = isPypetError(error, 'PYPET_CNT_NOT_CNT') || isPypetError(error, 'PYPET_CNT_NOT_FOUND')
        if (!isOther) onUnreadable(error)
        return []
      }
    })
  const inPlace = found.filter(({ whereabouts }) => whereabouts.at === 'place')
  const superseded = new Set(
    inPlace.flatMap(({ experiment }) => experiment.request.replacement?.supersedes ?? []),
  )
  return found.map((each) => ({ ...each, isSuperseded: superseded.has(identityOf(each)) }))
}

/** Unique for each experiment, unlike its name. */
function identityOf({ experiment }: Pick<CntBeside, 'experiment'>): string {
  return experiment.request.trajectory.environmentHexsha
}

/**
 * The `.cnt` file, given its path or that of its HDF5 file.
 *
 * @throws PypetError `PYPET_CNT_NOT_FOUND`, `PYPET_CNT_SEVERAL`, and as `findCntFiles`
 */
export function findCnt(path: string, system: DiskSystem = FILES): string {
  const absolute = resolve(path)
  if (absolute.endsWith('.cnt')) {
    if (existsSync(absolute)) return absolute
    throw notFound(
      path,
      'the file does not exist',
      'The .cnt file is removed once every run is stored. Check with `pypet-ts overview`.',
    )
  }
  const found = cntFilesBeside(absolute, system)
    .filter(({ isSuperseded }) => !isSuperseded)
    .map(({ path }) => path)
  const [first] = found
  if (first === undefined) {
    throw notFound(
      path,
      'no .cnt file next to it belongs to it',
      'The .cnt file is removed once every run is stored. Check with `pypet-ts overview`.',
    )
  }
  if (found.length === 1) return first
  throw new PypetError('PYPET_CNT_SEVERAL', `${path} has ${found.length} unfinished trajectories`, {
    where: path,
    hint: `Choose one of them: ${found.join(', ')}.`,
    details: { file: path, cntFiles: found },
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
    // A missing folder is empty. Other errors must not pass for that.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
