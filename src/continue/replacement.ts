/**
 * A file that takes the place of another one (`--overwrite`) is written beside it, and renamed when its first commit is
 * durable. Its `.cnt` file says so: while the file beside is there, the place is still the old file's, and the old `.cnt`
 * files count; when it is gone, it is in its place, and they do not. So the rename decides, and a kill at any moment leaves
 * the old file or the new one, each with what belongs to it. Before the rename no run was announced.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ExperimentRecord } from './cnt-record.ts'
import type { DiskSystem } from './disk.ts'
import { realFileOf } from './real-file.ts'

const MARK = 'replacement'

/** A name beside the real file of this path. */
export function replacementBeside(path: string): string {
  return `${realFileOf(path)}.${MARK}-${randomBytes(4).toString('hex')}`
}

/** The file that is to take the place of the experiment's file, and has not yet. */
export function pendingReplacement(
  { request: { file, replacement } }: ExperimentRecord,
  system: DiskSystem,
): string | undefined {
  if (replacement === undefined) return undefined
  const path = join(dirname(file), replacement.writtenAs)
  return system.exists(path) ? path : undefined
}

/** Removes what was to take the place of a file, and is named by no `.cnt` file: it was never begun. */
export function sweepReplacements(path: string, named: readonly string[], system: DiskSystem): void {
  const real = realFileOf(path)
  const prefix = `${basename(real)}.${MARK}-`
  for (const name of namesIn(dirname(real))) {
    const isOurs = name.startsWith(prefix) && /^[0-9a-f]{8}$/.test(name.slice(prefix.length))
    const found = join(dirname(real), name)
    if (isOurs && !named.includes(found)) system.remove(found)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // A folder that is not there holds nothing.
  }
}
