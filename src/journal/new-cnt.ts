/** Chooses the name of the `.cnt` file of a new trajectory. */
import { basename, extname, join } from 'node:path'
import type { DiskSystem } from './disk.ts'
import { realFileOf, realFolderOf } from './real-file.ts'

/**
 * `<trajectory>.cnt`, next to the HDF5 file. If another HDF5 file in the folder has an unfinished trajectory of that
 * name: `<trajectory>.<file>.cnt`.
 */
export function newCntFile(file: string, trajectory: string, system: DiskSystem): string {
  const names = cntNames(file, trajectory)
  return names.find((path) => !system.exists(path)) ?? (names[1] as string)
}

/** The same for a file that already has a name, if a better one has become free. */
export function betterCntFile(current: string, file: string, trajectory: string, system: DiskSystem): string {
  const names = cntNames(file, trajectory)
  const better = names.slice(0, Math.max(0, names.indexOf(current)))
  return better.find((path) => !system.exists(path)) ?? current
}

/** Best name first. The third is for a file that is being replaced while its old `.cnt` file has the second name. */
function cntNames(file: string, trajectory: string): string[] {
  const real = realFileOf(file)
  const ofFile = `${trajectory}.${basename(real, extname(real))}`
  return [`${trajectory}.cnt`, `${ofFile}.cnt`, `${ofFile}.2.cnt`].map((name) =>
    join(realFolderOf(file), name),
  )
}
