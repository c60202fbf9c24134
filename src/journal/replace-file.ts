/** New files, and what a kill in the midst of making one has left: that is settled by whoever takes the lock of the file next. */
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
 * Under the lock: removes `.cnt` files of a file that was replaced, and what was begun and is not in its place: no run of that
 * was ever announced, and what is in the place is whole.
 */
export function settleReplacements(file: string, { system = FILES, onNotice }: SettleOptions): void {
  // One that cannot be read is not ours to judge.
  for (const { path, whereabouts, isSuperseded } of cntFilesBeside(file, system, () => undefined)) {
    if (whereabouts.at === 'place' && !isSuperseded) continue
    // First the one that makes the other count.
    system.remove(path)
    if (whereabouts.at === 'pending') system.remove(whereabouts.path)
    const why = isSuperseded ? 'its file was replaced' : 'it was ended before its file was in its place'
    onNotice('warn', `${path} was removed: ${why}; ${file} is whole`)
  }
  sweepReplacements(file, system)
}

/**
 * Under the lock: brings the file that a `.cnt` file tells of into its place, or takes it back, where nothing of it was
 * committed.
 *
 * @returns whether it was taken back: then it is to be begun anew
 * @throws PypetError `PYPET_CNT_FILE_MISMATCH` when something else is in the place by now
 */
export function completeReplacement(state: CntState, system: DiskSystem): boolean {
  const { file, replacement } = state.experiment.request
  const whereabouts = whereaboutsOf(state.experiment, () => state.lastSequence > 0, system)
  if (replacement === undefined || whereabouts.at === 'place') return false
  if (!isAsBefore(file, replacement.replaces, system)) {
    throw new PypetError(
      'PYPET_CNT_FILE_MISMATCH',
      `${file} is not what it was when ${state.path} was begun: something else has written it since`,
      { where: file, hint: `Move it away to go on; or remove ${state.path}: no run of it was announced.` },
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

/** A file that is written beside its place. */
export interface Replacement {
  readonly path: string
  readonly request: OpenRequest
  /** Gives it what others may do with the file that it replaces. Call it when it is created. */
  adoptMode(disk: Disk): void
  /** Renames it. A file that was in the place is gone when this returns, durably, and with it its `.cnt` files. */
  publish(): void
  /** Takes it back, before it is in its place, with its `.cnt` file. */
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
        onNotice('warn', `${cntFile} was removed: the file of its experiment, ${file}, is gone or replaced`)
      }
    },
    discard(cntFile) {
      if (!system.exists(path)) return
      system.remove(cntFile)
      system.remove(path)
    },
  }
}
