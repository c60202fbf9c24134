/**
 * A new file is written next to its final place, and renamed when its first commit is durable. The same holds for a
 * file that replaces another one (`--overwrite`). Its `.cnt` file says so. Until the rename, the old file and its
 * `.cnt` files count, and no run was reported as stored. After it, only the new ones count. So a kill at any moment
 * leaves the old file or the new one, each with its `.cnt` files.
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

/** A name next to the real file of this path. */
export function replacementBeside(path: string): string {
  return `${realFileOf(path)}.${MARK}-${randomBytes(4).toString('hex')}`
}

/**
 * Where the file of an experiment is: in its `place`; `pending`, next to it; or `nowhere`, if the pending file is gone
 * and the place is unchanged.
 */
export type Whereabouts =
  | { readonly at: 'place' }
  | { readonly at: 'pending'; readonly path: string }
  | { readonly at: 'nowhere' }

/** @param hasCommit whether anything was committed. Only then was the file renamed. */
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
  // Someone has removed the pending file, and the old one is still in place.
  const isOld = replacesIdentity !== '' && identityAt(file) === replacesIdentity
  return { at: isOld || !hasCommit() ? 'nowhere' : 'place' }
}

/** Whether the place still holds what it held when the new file was begun. */
export function isAsBefore(file: string, replaces: string, system: DiskSystem): boolean {
  return headIn(file, system) === replaces
}

/** `superblockOf` a file. Empty if the file is missing or empty. */
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

/** Under the lock, when no `.cnt` file refers to them: removes pending files that were to replace this one. */
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
    return [] // A missing folder is empty.
  }
}
