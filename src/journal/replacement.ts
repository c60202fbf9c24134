/**
 * A new file is written beside its place, and renamed when its first commit is durable; so is one that takes the place of
 * another (`--overwrite`). Its `.cnt` file says so: while the file beside is there, the place is still the old file's, and the
 * old `.cnt` files count; when it is in its place, they do not. So the rename decides, and a kill at any moment leaves the
 * old file or the new one, each with what belongs to it. Before the rename no run was announced.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import type { ExperimentRecord } from './cnt-record.ts'
import type { DiskSystem } from './disk.ts'
import { identityAt } from './file-identity.ts'
import { realFileOf } from './real-file.ts'

const MARK = 'replacement'

/** A name beside the real file of this path. */
export function replacementBeside(path: string): string {
  return `${realFileOf(path)}.${MARK}-${randomBytes(4).toString('hex')}`
}

/**
 * Where the file of an experiment is: in its `place`; `pending`, beside it; or `nowhere`, where the file beside it is gone
 * and the place is as it was before.
 */
export type Whereabouts =
  | { readonly at: 'place' }
  | { readonly at: 'pending'; readonly path: string }
  | { readonly at: 'nowhere' }

/** @param hasCommit whether anything of it was committed: only then was it renamed */
export function whereaboutsOf(
  { request }: ExperimentRecord,
  hasCommit: () => boolean,
  system: DiskSystem,
): Whereabouts {
  const { file, replacement } = request
  if (replacement === undefined) return { at: 'place' }
  const path = join(dirname(file), replacement.writtenAs)
  if (system.exists(path)) return { at: 'pending', path }
  const { replacesIdentity } = replacement
  // Somebody has removed the file beside, and the old one is where it was.
  const isOld = replacesIdentity !== '' && identityAt(file) === replacesIdentity
  return { at: isOld || !hasCommit() ? 'nowhere' : 'place' }
}

/** Whether the place of a file holds what it held when the file was begun. */
export function isAsBefore(file: string, replaces: string, system: DiskSystem): boolean {
  return headIn(file, system) === replaces
}

/** `superblockOf` a file; empty where there is none, or nothing in it. */
export function headIn(file: string, system: DiskSystem): string {
  if (!system.exists(file)) return ''
  const disk = system.open(file, 'read')
  try {
    const head = new Uint8Array(SUPERBLOCK_BYTES)
    const count = disk.read(head, 0)
    return count === 0 ? '' : superblockOf(head.subarray(0, count))
  } finally {
    disk.close()
  }
}

/** Under the lock, when no `.cnt` file names one any more: removes files that were to take the place of this one. */
export function sweepReplacements(path: string, system: DiskSystem): void {
  const real = realFileOf(path)
  const prefix = `${basename(real)}.${MARK}-`
  for (const name of namesIn(dirname(real))) {
    const isOurs = name.startsWith(prefix) && /^[0-9a-f]{8}$/.test(name.slice(prefix.length))
    if (isOurs) system.remove(join(dirname(real), name))
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // A folder that is not there holds nothing.
  }
}
