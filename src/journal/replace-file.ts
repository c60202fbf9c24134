/**
 * Creates new files, and cleans up after a kill during that. Whoever takes the lock of the file next does the cleanup.
 */
import { fchmodSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { PypetError } from '../errors.ts'
import type { OpenRequest } from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import type { CntState } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'
import { identityAt } from './file-identity.ts'
import { cntFilesBeside } from './find-cnt.ts'
import { realFileOf } from './real-file.ts'
import { headIn, isAsBefore, replacementBeside, sweepReplacements, whereaboutsOf } from './replacement.ts'

interface SettleOptions {
  readonly system?: DiskSystem | undefined
  readonly onNotice: (level: LogLevel, message: string) => void
}

/**
 * Under the lock: removes `.cnt` files of a replaced file, and unfinished replacements. No run of those was reported as
 * stored, and the file in place is intact.
 */
export function settleReplacements(file: string, { system = FILES, onNotice }: SettleOptions): void {
  // An unreadable one cannot be judged here.
  for (const { path, whereabouts, isSuperseded } of cntFilesBeside(file, system, () => undefined)) {
    if (whereabouts.at === 'place' && !isSuperseded) continue
    // First the `.cnt` file, which makes the other one count.
    system.remove(path)
    if (whereabouts.at === 'pending') system.remove(whereabouts.path)
    const why = isSuperseded ? 'its file was replaced' : 'its experiment ended before its file was in place'
    onNotice('warn', `${path} was removed: ${why}; ${file} is intact`)
  }
  sweepReplacements(file, system)
}

/**
 * Under the lock: puts the file of a `.cnt` file in place, or discards it if nothing of it was committed.
 *
 * @returns whether it was discarded. Then start it again.
 * @throws PypetError `PYPET_CNT_FILE_MISMATCH` if the file in place has changed since
 */
export function completeReplacement(state: CntState, system: DiskSystem): boolean {
  const { file, replacement } = state.experiment.request
  const whereabouts = whereaboutsOf(state.experiment, () => state.lastSequence > 0, system)
  if (replacement === undefined || whereabouts.at === 'place') return false
  if (!isAsBefore(file, replacement.replaces, system)) {
    throw new PypetError(
      'PYPET_CNT_FILE_MISMATCH',
      `another program has written to ${file} since ${state.path} was created`,
      {
        where: file,
        hint: `Move the HDF5 file away and continue. Or remove ${state.path}: it holds no stored runs.`,
      },
    )
  }
  if (whereabouts.at === 'nowhere' || state.lastSequence === 0) {
    system.remove(state.path)
    if (whereabouts.at === 'pending') system.remove(whereabouts.path)
    return true
  }
  system.rename(whereabouts.path, realFileOf(file))
  system.syncFolderOf(file)
  return false
}

/** A file that is written next to its final place. */
export interface Replacement {
  readonly path: string
  readonly request: OpenRequest
  /** Copies the permissions of the file that it replaces. Call this after its creation. */
  adoptMode(disk: Disk): void
  /** Renames it. On return, a replaced file and its `.cnt` files are durably gone. */
  publish(): void
  /** Discards it and its `.cnt` file, before it is in place. */
  discard(cntFile: string): void
}

export function replacementOf(request: OpenRequest, options: SettleOptions): Replacement {
  const { file } = request
  const { system = FILES, onNotice } = options
  const path = replacementBeside(file)
  const old = cntFilesBeside(file, system, () => undefined)
  const own = request.trajectory.environmentHexsha
  const supersedes = old
    .map(({ experiment }) => experiment.request.trajectory.environmentHexsha)
    .filter((hexsha) => hexsha !== '' && hexsha !== own)
  const replacement = {
    writtenAs: basename(path),
    replaces: headIn(file, system),
    replacesIdentity: identityAt(file) ?? '',
    supersedes,
  }
  return {
    path,
    request: { ...request, replacement },
    adoptMode({ descriptor }) {
      const before = statSync(file, { throwIfNoEntry: false })
      if (before !== undefined && descriptor !== undefined) fchmodSync(descriptor, before.mode)
    },
    publish() {
      const real = realFileOf(file)
      system.rename(path, real)
      system.syncFolderOf(real)
      for (const { path: cntFile } of old) {
        system.remove(cntFile)
        onNotice('warn', `${cntFile} was removed: its HDF5 file ${file} is gone or was replaced`)
      }
    },
    discard(cntFile) {
      if (!system.exists(path)) return
      system.remove(cntFile)
      system.remove(path)
    },
  }
}
