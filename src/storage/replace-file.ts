/** What a kill in the midst of a replacement has left: it is settled by whoever takes the lock of the file next. */
import { chmodSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { CntState } from '../continue/cnt-state.ts'
import { type DiskSystem, FILES } from '../continue/disk.ts'
import { cntFilesBeside } from '../continue/find-cnt.ts'
import { realFileOf } from '../continue/real-file.ts'
import { pendingReplacement, replacementBeside, sweepReplacements } from '../continue/replacement.ts'
import type { OpenRequest } from '../protocol.ts'
import type { LogLevel } from '../trajectory/log-level.ts'

interface SettleOptions {
  readonly system?: DiskSystem | undefined
  readonly onNotice: (level: LogLevel, message: string) => void
}

/**
 * Under the lock: removes `.cnt` files of a file that was replaced, and replacements that were not completed: no run of
 * those was ever announced, and the old file is whole.
 */
export function settleReplacements(file: string, { system = FILES, onNotice }: SettleOptions): void {
  // One that cannot be read is not ours to judge.
  const found = cntFilesBeside(file, system, () => undefined)
  for (const { path, pending, isSuperseded } of found) {
    if (pending === undefined && !isSuperseded) continue
    // First the one that makes the other count.
    system.remove(path)
    if (pending !== undefined) system.remove(pending)
    const why = isSuperseded ? 'was replaced' : 'was to be replaced, and was not'
    onNotice('warn', `${path} was removed: the file of its experiment, ${file}, ${why}`)
  }
  sweepReplacements(file, [], system)
}

/**
 * Under the lock: completes the replacement that a `.cnt` file tells of, or takes it back, where nothing of it was committed.
 *
 * @returns whether it was taken back: then nothing is in its place, and it is to be begun anew
 */
export function completeReplacement(state: CntState, system: DiskSystem): boolean {
  const pending = pendingReplacement(state.experiment, system)
  if (pending === undefined) return false
  if (state.lastSequence === 0) {
    system.remove(state.path)
    system.remove(pending)
    return true
  }
  system.rename(pending, realFileOf(state.experiment.request.file))
  system.syncFolderOf(pending)
  return false
}

/** What is written beside a file, to take its place when it is whole. */
export interface Replacement {
  readonly path: string
  readonly request: OpenRequest
  /** Renames it. The old file is gone when this returns, durably, and with it its `.cnt` files. */
  publish(): void
}

/** @param request of a file that is there */
export function replacementOf(request: OpenRequest, options: SettleOptions): Replacement {
  const { file } = request
  const { system = FILES, onNotice } = options
  const path = replacementBeside(file)
  const old = cntFilesBeside(file, system, () => undefined)
  const own = request.trajectory.environmentHexsha
  const supersedes = old
    .map(({ experiment }) => experiment.request.trajectory.environmentHexsha)
    .filter((hexsha) => hexsha !== '' && hexsha !== own)
  const replacement = { writtenAs: basename(path), supersedes }
  return {
    path,
    request: { ...request, replacement },
    publish() {
      const real = realFileOf(file)
      chmodSync(path, statSync(real).mode)
      system.rename(path, real)
      system.syncFolderOf(real)
      for (const { path: cntFile } of old) {
        system.remove(cntFile)
        onNotice('warn', `${cntFile} was removed: the file of its experiment, ${file}, is gone or replaced`)
      }
    },
  }
}
