/** What the `.cnt` file of a new trajectory is called. */
import { basename, extname, join } from 'node:path'
import type { DiskSystem } from './disk.ts'
import { realFileOf, realFolderOf } from './real-file.ts'

/**
 * `<trajectory>.cnt`, beside the HDF5 file. Where a trajectory of the same name is unfinished in another HDF5 file
 * of the folder, `<trajectory>.<file>.cnt`.
 */
export function newCntFile(file: string, trajectory: string, system: DiskSystem): string {
  const names = cntNames(file, trajectory)
  return names.find((path) => !system.exists(path)) ?? (names[1] as string)
}

/** The same for one that has a name already, when better ones have become free. */
export function betterCntFile(current: string, file: string, trajectory: string, system: DiskSystem): string {
  const names = cntNames(file, trajectory)
  const better = names.slice(0, Math.max(0, names.indexOf(current)))
  return better.find((path) => !system.exists(path)) ?? current
}

/** The best first; the third is for a file whose old `.cnt` file has the second name while it is replaced. */
function cntNames(file: string, trajectory: string): string[] {
  const real = realFileOf(file)
  const ofFile = `${trajectory}.${basename(real, extname(real))}`
  return [`${trajectory}.cnt`, `${ofFile}.cnt`, `${ofFile}.2.cnt`].map((name) =>
    join(realFolderOf(file), name),
  )
}
